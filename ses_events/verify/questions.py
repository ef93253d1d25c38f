"""The questions of an Athena workgroup: its saved queries and prepared statements, and how Athena is asked them."""

from __future__ import annotations

import contextlib
import difflib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ses_events.verify.account import Account, UsageError, error_code, error_message, is_denial
from ses_events.verify.template import Stack

_GRANT = "analytics.grant_query(role) in the CDK app gives the permission"
_POLICY = "docs/analytics.md has the policy that reading the stack takes"
_DENIAL = re.compile("not authorized|denied|insufficient permission", re.IGNORECASE)
_STATEMENT_NAME = re.compile("[a-zA-Z_][a-zA-Z0-9_@:]{0,255}")  # Athena API, PreparedStatement
_VALUE = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|(\?)""", re.DOTALL)


@dataclass(frozen=True)
class Question:
    """A saved query or a prepared statement.

    :param title: the question that it answers.
    :param sql: its text.
    :param database: where its tables are; empty where its text says so.
    :param prepared: whether it is a prepared statement.
    """

    name: str
    title: str
    sql: str
    database: str = ""
    prepared: bool = False

    @property
    def takes(self) -> int:
        """How many values it takes: the question marks that are neither text nor comment."""
        return sum(1 for match in _VALUE.finditer(self.sql) if match[1])


@dataclass(frozen=True)
class Answer:
    """What Athena answers.

    :param columns: the name and the type of each column.
    :param rows: the values as Athena writes them; None where there is none.
    :param scanned: how many bytes it read.
    """

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[str | None]]
    scanned: int = 0
    execution_id: str = ""


class Workgroup:
    """An Athena workgroup of a stack.

    :param stack: the stack, whose prepared statements are known by their names.
    """

    def __init__(self, account: Account, stack: Stack, name: str) -> None:
        self.name = name
        self._athena = account.client("athena")
        self._stack = stack

    def questions(self) -> list[Question]:
        """Return what can be asked, in the order of the names: all that is saved, and what the stack has prepared."""
        found = [*self._saved(), *(each for name in self._statements() if (each := self._prepared(name)))]
        return sorted(found, key=lambda question: question.name)

    def question(self, name: str) -> Question:
        """Return the question of a name.

        :raises UsageError: when there is none.
        """
        prepared = self._prepared(name) if _STATEMENT_NAME.fullmatch(name) else None
        if prepared:
            return prepared
        saved = {question.name: question for question in self._saved()}
        if name in saved:
            return saved[name]
        meant = difflib.get_close_matches(name, [*saved, *self._statements()], 1)
        instead = f"did you mean {meant[0]}? " if meant else ""
        shown = f"ses-events query --list --stack {self._stack.name} shows what there is"
        raise UsageError(f"the workgroup {self.name} has no query {name}; {instead}{shown}")

    def ask(self, question: Question, values: Sequence[str], waiting: Callable[[str, float], None]) -> Answer:
        """Return the answer to a question.

        :param waiting: is told the state of the query, and for how many seconds it has been asked.
        :raises UsageError: when it takes another number of values, or Athena does not answer it.
        """
        if len(values) != question.takes:
            takes = {0: "no value", 1: "one value"}.get(question.takes, f"{question.takes} values")
            raise UsageError(f"{question.name} takes {takes}, and {len(values)} are given: {question.title}")
        literals = ["'" + value.replace("'", "''") + "'" for value in values]
        request: dict[str, Any] = {"QueryString": question.sql, "WorkGroup": self.name}
        if question.prepared:
            using = f" USING {', '.join(literals)}" if literals else ""
            request["QueryString"] = f"EXECUTE {question.name}{using}"
        elif literals:
            request["ExecutionParameters"] = literals
        if question.database:
            request["QueryExecutionContext"] = {"Database": question.database}
        with _allowed(f"on the workgroup {self.name}", _GRANT):
            execution_id = self._athena.start_query_execution(**request)["QueryExecutionId"]
            try:
                scanned = self._wait(execution_id, waiting)
            except KeyboardInterrupt:
                with contextlib.suppress(BotoCoreError, ClientError):
                    self._athena.stop_query_execution(QueryExecutionId=execution_id)  # what it reads is billed
                raise
            pages = self._athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution_id)
            sets = [page["ResultSet"] for page in pages]
        described = sets[0]["ResultSetMetadata"]["ColumnInfo"]
        rows = [[value.get("VarCharValue") for value in row.get("Data", [])] for each in sets for row in each["Rows"]]
        columns = [(column["Name"], column["Type"]) for column in described]
        has_header = rows and rows[0] == [name for name, _ in columns]
        return Answer(columns, rows[1:] if has_header else rows, scanned, execution_id)

    def _wait(self, execution_id: str, waiting: Callable[[str, float], None]) -> int:
        """Wait until a query has an answer; how many bytes it read."""
        begin, pause = time.monotonic(), 0.1
        while True:
            execution = self._athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
            state = execution["Status"]["State"]
            if state == "SUCCEEDED":
                return int(execution.get("Statistics", {}).get("DataScannedInBytes", 0))
            if state in ("FAILED", "CANCELLED"):
                reason = execution["Status"].get("StateChangeReason", "it gives no reason")
                fix = f"; {_GRANT}" if _DENIAL.search(reason) else ""
                raise UsageError(f"Athena has {state.lower()} the query {execution_id}: {reason}{fix}")
            waiting(state, time.monotonic() - begin)
            time.sleep(pause)
            pause = min(pause * 1.5, 2)

    def _saved(self) -> Iterator[Question]:
        with _allowed(f"on the workgroup {self.name}", _GRANT):
            pages = self._athena.get_paginator("list_named_queries").paginate(WorkGroup=self.name)
            for query_id in [query_id for page in pages for query_id in page["NamedQueryIds"]]:
                saved = self._athena.get_named_query(NamedQueryId=query_id)["NamedQuery"]
                yield Question(saved["Name"], saved.get("Description", ""), saved["QueryString"], saved["Database"])

    def _prepared(self, name: str) -> Question | None:
        with _allowed(f"on the workgroup {self.name}", _GRANT):
            try:
                answer = self._athena.get_prepared_statement(StatementName=name, WorkGroup=self.name)
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise
                return None
        statement = answer["PreparedStatement"]
        return Question(name, statement.get("Description", ""), statement["QueryStatement"], prepared=True)

    def _statements(self) -> list[str]:
        declared = self._stack.of_type("AWS::Athena::PreparedStatement")
        return list(dict.fromkeys(resource.physical_id for _, resource in declared))


def find_workgroup(account: Account, stack_name: str, name: str | None) -> Workgroup:
    """Return the Athena workgroup of a stack, or of those nested in it.

    :param name: which one, where the stack has several.
    :raises UsageError: when there is none, or it is open which one is meant.
    """
    with _allowed(f"on the stack {stack_name}", _POLICY):
        stack = Stack(account, stack_name)
    names = [resource.physical_id for _, resource in stack.of_type("AWS::Athena::WorkGroup")]
    if not names:
        raise UsageError(f"the stack {stack_name} has no Athena workgroup; EventAnalytics in its CDK app makes one")
    if name and name not in names:
        raise UsageError(f"the stack {stack_name} has no workgroup {name}; choose one: --workgroup {' | '.join(names)}")
    if not name and len(names) > 1:
        raise UsageError(f"the stack {stack_name} has several workgroups, choose one: --workgroup {' | '.join(names)}")
    return Workgroup(account, stack, name or names[0])


@contextlib.contextmanager
def _allowed(where: str, fix: str) -> Iterator[None]:
    """Say of what the caller is not allowed to do, which action is missing and what gives it."""
    try:
        yield
    except ClientError as error:
        if not is_denial(error):
            raise
        action = re.search(r"perform: ([\w:-]+)", error_message(error))
        raise UsageError(f"you lack {action[1] if action else error.operation_name} {where}; {fix}") from None
