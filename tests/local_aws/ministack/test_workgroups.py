from __future__ import annotations

import json

from local_aws import LocalAws


def test_cloudformation_makes_changes_and_deletes_what_is_saved_in_a_workgroup(aws: LocalAws) -> None:
    cloudformation, athena = aws.client("cloudformation"), aws.client("athena")

    def saved() -> list[str]:
        ids = athena.list_named_queries(WorkGroup="saved")["NamedQueryIds"]
        queries = [athena.get_named_query(NamedQueryId=query_id)["NamedQuery"]["QueryString"] for query_id in ids]
        names = [
            each["StatementName"] for each in athena.list_prepared_statements(WorkGroup="saved")["PreparedStatements"]
        ]
        statements = [
            athena.get_prepared_statement(WorkGroup="saved", StatementName=name)["PreparedStatement"]["QueryStatement"]
            for name in names
        ]
        return queries + statements

    for change, done, sql in (
        (cloudformation.create_stack, "stack_create_complete", "SELECT 1"),
        (cloudformation.update_stack, "stack_update_complete", "SELECT 2"),
    ):
        resources = {
            "WorkGroup": {"Type": "AWS::Athena::WorkGroup", "Properties": {"Name": "saved"}},
            "Query": {
                "Type": "AWS::Athena::NamedQuery",
                "Properties": {"Database": "d", "Name": "q", "QueryString": sql, "WorkGroup": {"Ref": "WorkGroup"}},
            },
            "Statement": {
                "Type": "AWS::Athena::PreparedStatement",
                "Properties": {"StatementName": "s", "QueryStatement": sql, "WorkGroup": {"Ref": "WorkGroup"}},
            },
        }
        change(StackName="saved", TemplateBody=json.dumps({"Resources": resources}))
        cloudformation.get_waiter(done).wait(StackName="saved", WaiterConfig={"Delay": 0.1})
        assert saved() == [sql, sql]
    cloudformation.delete_stack(StackName="saved")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="saved", WaiterConfig={"Delay": 0.1})
    assert saved() == []
