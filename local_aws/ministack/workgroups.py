"""Athena: who asks for a query, what CloudFormation saves in a workgroup, and who runs it."""

from __future__ import annotations

import asyncio
import contextvars
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ministack.services import athena

from local_aws.ministack import authorization, requests
from local_aws.ministack.provisioning import body_of, by_replacement, handlers_of


def install() -> None:
    """Let CloudFormation save queries and prepared statements: it knows only the workgroup of Athena."""
    for resource_type, create, delete in (
        ("AWS::Athena::NamedQuery", _create_named_query, _delete_named_query),
        ("AWS::Athena::PreparedStatement", _create_prepared_statement, _delete_prepared_statement),
    ):
        handlers = {"create": create, "update": by_replacement(create, delete), "delete": delete}
        handlers_of(resource_type).update(handlers)


@dataclass(frozen=True)
class Asked:
    """Who asked for a query to be run, and where."""

    access_key_id: str
    arn: str
    account: str
    region: str
    workgroup: str
    parameters: list[str]
    output_location: str


_asked: contextvars.ContextVar[Asked] = contextvars.ContextVar("asked")


def hand_over_queries(
    run: Callable[[str, str, Asked], dict[str, Any]], permit: Callable[[str, str, str, Asked], None]
) -> None:
    """Call ``run(sql, database, asked)`` for what Athena is asked; it returns columns, their types and rows.

    MiniStack itself would take the columns from the objects, whatever the table says, and ask for no permission. It
    makes and drops tables, after ``permit(glue_action, database, table, asked)``.
    """
    handle = athena.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Any:
        request = json.loads(body or b"{}")
        if headers.get("x-amz-target", "").endswith(".GetQueryResults"):
            for result in _result_objects(request.get("QueryExecutionId", "")):
                denied = authorization.refused("athena", "s3:GetObject", result, headers, query_params)
                if denied:
                    return denied
        name = request.get("WorkGroup", "primary")
        configuration = workgroup(name)
        if configuration.get("EnforceWorkGroupConfiguration"):
            request.pop("ResultConfiguration", None)  # such a query runs, with the workgroup's settings
            body = json.dumps(request).encode()
        locations = [each.get("ResultConfiguration", {}).get("OutputLocation") for each in (request, configuration)]
        asked = Asked(
            access_key_id=requests.access_key_id(headers, query_params),
            arn=requests.caller_arn(),
            account=requests.account(),
            region=requests.region(),
            workgroup=name,
            parameters=request.get("ExecutionParameters", []),
            output_location=next(filter(None, locations), ""),
        )
        _asked.set(asked)
        return await handle(method, path, headers, body, query_params)

    async def run_duckdb(sql: str, database: str, catalog: str | None = None) -> dict[str, Any]:
        return await asyncio.to_thread(run, sql, database, _asked.get())

    run_ddl = athena._run_ddl

    def run_permitted_ddl(statement: Any, database: str) -> Any:
        action = "glue:DeleteTable" if isinstance(statement, athena._DropTable) else "glue:CreateTable"
        permit(action, statement.database or database, statement.table, _asked.get())
        return run_ddl(statement, database)

    detect = athena._detect_statement_type
    athena.handle_request = handle_request
    # or the result of a prepared statement would have no row of column names
    athena._detect_statement_type = lambda sql: "DML" if sql.split()[:1] == ["EXECUTE"] else detect(sql)
    athena._run_duckdb = run_duckdb
    athena._run_ddl = run_permitted_ddl


def workgroup(name: str) -> dict[str, Any]:
    """Return the configuration of a workgroup of the account and region that are asked; none of one that is unknown."""
    return dict(athena._workgroups.get(name, {}).get("Configuration", {}))


def _result_objects(query_execution_id: str) -> list[str]:
    """The ARN of the object with the result of a query."""
    execution = athena._executions.get(query_execution_id) or {}
    location = execution.get("ResultConfiguration", {}).get("OutputLocation")
    return [location.replace("s3://", "arn:aws:s3:::", 1)] if location else []


def prepared_statement(workgroup: str, name: str) -> str | None:
    """Return a statement that is prepared in a workgroup."""
    found = athena._prepared_statements.get(f"{workgroup}/{name}")
    return found and str(found["QueryStatement"])


def _create_named_query(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
    query_id = body_of(athena._create_named_query(properties))["NamedQueryId"]
    return query_id, {"NamedQueryId": query_id}


def _delete_named_query(query_id: str, properties: dict[str, Any]) -> None:
    athena._delete_named_query({"NamedQueryId": query_id})


def _create_prepared_statement(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
    body_of(athena._create_prepared_statement(properties))
    return properties["StatementName"], {}


def _delete_prepared_statement(name: str, properties: dict[str, Any]) -> None:
    athena._delete_prepared_statement({"StatementName": name, "WorkGroup": properties["WorkGroup"]})
