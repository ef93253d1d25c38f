"""Attacks on a deployed system, with the permissions that the constructs give and those of a stranger."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws
from local_aws.demo import DOMAIN, NotProven, answer, send_mail
from local_aws.process import ACCOUNT, REGION
from tests.local_aws.support.attacked import FOLDERS, Attacked
from tests.local_aws.support.deployed import app, deploy, event_destinations, eventually, outputs_of, refusals
from tests.support.trusts import FOR_ANYBODY, FOR_ONE

STRANGER, ANOTHER = "111122223333", "199999999999"
TEAMS = [("Marketing", "Support"), ("Support", "Marketing")]
DAY = "dt=2026-01-01"


class System:
    """The deployed stack, after a mail whose event is in every archive."""

    def __init__(self, aws: LocalAws, outputs: dict[str, str]) -> None:
        self.aws, self.outputs, self.admin = aws, outputs, aws.client("s3")
        self._keys: dict[str, Any] = {}
        send_mail(aws, outputs["ConfigurationSet"])
        assert eventually(lambda: all(self.keys(f"{folder}/dt=") for folder in FOLDERS.values()))
        assert eventually(lambda: self.keys("events/", outputs["KeyedBucket"]))

    def client(self, service: str, user: str) -> Any:
        """A client with the permissions of a user of the stack."""
        if user not in self._keys:
            created = self.aws.client("iam").create_access_key(UserName=self.outputs[f"{user}Name"])
            self._keys[user] = created["AccessKey"]
        key = self._keys[user]
        return self.aws.client(service, key["AccessKeyId"], key["SecretAccessKey"])

    def keys(self, prefix: str, bucket: str | None = None) -> list[str]:
        found = self.admin.list_objects_v2(Bucket=bucket or self.outputs["CommonBucket"], Prefix=prefix)
        return [each["Key"] for each in found.get("Contents", [])]

    def ask(self, team: str, sql: str) -> list[dict[str, str | None]]:
        """The answer to what the analyst of a team asks in the workgroup of the team."""
        athena = self.client("athena", f"{team}Analyst")
        return answer(athena, self.outputs[f"{team}WorkGroup"], self.outputs[f"{team}Database"], sql)


@pytest.fixture(scope="module")
def system(aws: LocalAws) -> System:
    aws.client("ses").verify_domain_identity(Domain=DOMAIN)
    stack = Attacked(app(), "Attacked")
    assert deploy(aws, stack) == []
    return System(aws, outputs_of(aws, stack))


@pytest.mark.parametrize("name", FOLDERS)
def test_a_reader_reads_its_archive_whatever_the_prefix_and_nothing_beside_it(system: System, name: str) -> None:
    s3, bucket = system.client("s3", f"{name}Reader"), system.outputs["CommonBucket"]
    user = system.outputs[f"{name}ReaderName"]
    folder = FOLDERS[name]
    others = [f"{each}/{DAY}/secret" for each in ("other", "o", "ab", user, "${*}", "${?}", "${$}{aws:username}")]
    others += [f"{each}/errors/secret" for each in FOLDERS.values()]
    others += [f"{each}/{DAY}/secret" for each in FOLDERS.values() if each != folder]
    for key in others:
        system.admin.put_object(Bucket=bucket, Key=key, Body=b"secret")
        assert denied(s3.get_object, Bucket=bucket, Key=key)
        assert denied(s3.list_objects_v2, Bucket=bucket, Prefix=key.rpartition("/")[0] + "/")
    [own, *_] = system.keys(f"{folder}/dt=")
    assert s3.get_object(Bucket=bucket, Key=own)["ContentLength"]
    assert s3.list_objects_v2(Bucket=bucket, Prefix=own)["KeyCount"] == 1
    assert denied(s3.list_objects_v2, Bucket=bucket)
    assert denied(s3.put_object, Bucket=bucket, Key=own)


def test_a_stranger_s_configuration_set_uses_neither_role_nor_topic(system: System) -> None:
    name, theirs = system.outputs["ConfigurationSet"], system.aws.client("sesv2", STRANGER, "x")
    theirs.create_configuration_set(ConfigurationSetName=name)
    assert _refused_destinations(system, theirs, name) == {"KinesisFirehoseDestination", "SnsDestination"}


def test_another_set_of_the_account_uses_neither_role_nor_topic(system: System) -> None:
    ours = system.aws.client("sesv2")
    ours.create_configuration_set(ConfigurationSetName="another")
    assert _refused_destinations(system, ours, "another") == {"KinesisFirehoseDestination", "SnsDestination"}


@pytest.mark.parametrize("conditions", [*FOR_ANYBODY, *FOR_ONE], ids=str)
def test_a_stranger_comes_in_only_by_a_trust_that_is_warned_of(aws: LocalAws, conditions: list[Any]) -> None:
    ses = {"Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [{**ses, "Condition": condition} for condition in conditions]}
    iam = aws.client("iam", STRANGER, "x")
    role = iam.create_role(RoleName="trusting", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    stream = f"arn:aws:firehose:{REGION}:{STRANGER}:deliverystream/any"
    destination = {
        "MatchingEventTypes": ["SEND"],
        "KinesisFirehoseDestination": {"IamRoleArn": role, "DeliveryStreamArn": stream},
    }
    assumed = {}
    for account in (STRANGER, ANOTHER):
        sesv2 = aws.client("sesv2", account, "x")
        with contextlib.suppress(ClientError):
            sesv2.create_configuration_set(ConfigurationSetName="any")
        with pytest.raises(ClientError) as refused:
            sesv2.create_configuration_set_event_destination(
                ConfigurationSetName="any", EventDestinationName="any", EventDestination=destination
            )
        assumed[account] = "Could not assume IAM role" not in str(refused.value)
    iam.delete_role(RoleName="trusting")
    assert not assumed[ANOTHER] or conditions in FOR_ANYBODY
    assert assumed[STRANGER] or conditions in FOR_ANYBODY or "Org" in str(conditions)


def test_a_stranger_s_topic_is_not_encrypted_with_the_key_of_the_topic(system: System) -> None:
    attributes = system.aws.client("sns").get_topic_attributes(TopicArn=system.outputs["TopicArn"])["Attributes"]
    arn = f"arn:aws:sns:{REGION}:{STRANGER}:theirs"
    statement = {"Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"}, "Action": "sns:Publish"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": arn}]}
    theirs, sesv2 = (system.aws.client(service, STRANGER, "x") for service in ("sns", "sesv2"))
    theirs.create_topic(Name="theirs", Attributes={"Policy": json.dumps(policy)})
    sesv2.create_configuration_set(ConfigurationSetName="theirs")
    destination = {"MatchingEventTypes": ["SEND"], "SnsDestination": {"TopicArn": arn}}
    request = {"ConfigurationSetName": "theirs", "EventDestination": destination}
    sesv2.create_configuration_set_event_destination(EventDestinationName="plain", **request)
    key = attributes["KmsMasterKeyId"]
    theirs.set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=key)
    with pytest.raises(ClientError, match=f"Could not publish to SNS topic <{arn}>"):
        sesv2.create_configuration_set_event_destination(EventDestinationName="encrypted", **request)
    assert refusals(system.aws, "ses.amazonaws.com is not authorized to perform: kms:GenerateDataKey", key)


def test_a_stranger_s_stream_does_not_write_with_the_role_of_firehose(system: System) -> None:
    before = system.keys("", system.outputs["KeyedBucket"])
    theirs = system.aws.client("firehose", STRANGER, "x")
    _create_stream(theirs, system)
    theirs.put_record(DeliveryStreamName="mine", Record={"Data": b"forged"})
    role = system.outputs["KeyedRole"]
    assert eventually(lambda: refusals(system.aws, "firehose.amazonaws.com is not authorized", "sts:AssumeRole", role))
    assert system.keys("", system.outputs["KeyedBucket"]) == before


def test_who_may_make_streams_does_not_get_the_role_of_firehose(system: System) -> None:
    iam, user = system.aws.client("iam"), system.outputs["StarReaderName"]
    statement = {"Effect": "Allow", "Action": "firehose:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=user, PolicyName="Streams", PolicyDocument=policy)
    try:
        with pytest.raises(ClientError, match="is not authorized to perform: iam:PassRole"):
            _create_stream(system.client("firehose", "StarReader"), system)
    finally:
        iam.delete_user_policy(UserName=user, PolicyName="Streams")


@pytest.mark.parametrize(("user", "reads"), [("KeyedReader", False), ("Veteran", True)])
def test_a_reader_of_earlier_events_needs_their_key(system: System, user: str, reads: bool) -> None:
    bucket, key = system.outputs["KeyedBucket"], "events/dt=2026-01-01/earlier.json.gz"
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": system.outputs["EarlierKeyArn"]}
    s3 = system.client("s3", user)
    [later, *_] = system.keys("events/dt=", bucket)
    system.admin.put_object(Bucket=bucket, Key=key, Body=b"{}", **encryption)
    try:
        assert s3.get_object(Bucket=bucket, Key=later)["ContentLength"]
        if reads:
            assert s3.get_object(Bucket=bucket, Key=key)["ContentLength"]
        else:
            with pytest.raises(ClientError, match=r"AccessDenied.* kms:Decrypt"):
                s3.get_object(Bucket=bucket, Key=key)
            with pytest.raises(NotProven, match="is not authorized to perform: kms:Decrypt"):
                system.ask("Marketing", "SELECT count(*) AS events FROM events")
    finally:
        system.admin.delete_object(Bucket=bucket, Key=key)


def test_a_result_lies_where_the_workgroup_says_and_not_where_the_analyst_does(system: System) -> None:
    athena, workgroup = system.client("athena", "MarketingAnalyst"), system.outputs["MarketingWorkGroup"]
    asked = {"QueryString": "SELECT 1 AS one", "WorkGroup": workgroup}
    elsewhere = {"OutputLocation": f"s3://{system.outputs['KeyedBucket']}/events/dt=2026-01-01/"}
    query = athena.start_query_execution(**asked, ResultConfiguration=elsewhere)["QueryExecutionId"]
    results = system.outputs["ResultsBucket"]
    assert eventually(lambda: [key for key in system.keys(f"{workgroup}/", results) if query in key])
    assert not [key for key in system.keys("", system.outputs["KeyedBucket"]) if query in key]


def test_an_analyst_asks_in_no_other_workgroup(system: System) -> None:
    athena = system.client("athena", "MarketingAnalyst")
    elsewhere = {"OutputLocation": f"s3://{system.outputs['ResultsBucket']}/"}
    for workgroup in ("primary", system.outputs["SupportWorkGroup"]):
        with pytest.raises(ClientError, match="is not authorized to perform: athena:StartQueryExecution"):
            athena.start_query_execution(QueryString="SELECT 1", WorkGroup=workgroup, ResultConfiguration=elsewhere)
    with pytest.raises(ClientError, match="is not authorized to perform: athena:UpdateWorkGroup"):
        athena.update_work_group(WorkGroup=system.outputs["MarketingWorkGroup"])


def test_a_workgroup_without_settings_of_its_own_writes_where_the_analyst_may(system: System) -> None:
    iam, user = system.aws.client("iam"), system.outputs["MarketingAnalystName"]
    statement = {
        "Effect": "Allow",
        "Action": "athena:*",
        "Resource": f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/primary",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=user, PolicyName="Primary", PolicyDocument=policy)
    athena, results = system.client("athena", "MarketingAnalyst"), system.outputs["ResultsBucket"]
    try:
        for location, state in (
            (f"s3://{results}/{system.outputs['MarketingWorkGroup']}/", "SUCCEEDED"),
            (f"s3://{results}/", "FAILED"),
            (f"s3://{system.outputs['KeyedBucket']}/events/", "FAILED"),
        ):
            query = athena.start_query_execution(
                QueryString="SELECT 1 AS one", WorkGroup="primary", ResultConfiguration={"OutputLocation": location}
            )["QueryExecutionId"]
            assert _ended(athena, query)["State"] == state
    finally:
        iam.delete_user_policy(UserName=user, PolicyName="Primary")


@pytest.mark.parametrize(
    ("sql", "action"),
    [
        ("DROP TABLE events", "glue:DeleteTable"),
        ("drop table if exists events", "glue:DeleteTable"),
        ("CREATE EXTERNAL TABLE mine (a string) LOCATION 's3://mine/'", "glue:CreateTable"),
    ],
)
def test_an_analyst_neither_makes_nor_drops_a_table(system: System, sql: str, action: str) -> None:
    glue, database = system.client("glue", "MarketingAnalyst"), system.outputs["MarketingDatabase"]

    def tables() -> list[str]:
        return [each["Name"] for each in system.aws.client("glue").get_tables(DatabaseName=database)["TableList"]]

    before = tables()
    with pytest.raises(NotProven, match=f"is not authorized to perform: {action} "):
        system.ask("Marketing", sql)
    with pytest.raises(ClientError, match="is not authorized to perform: glue:DeleteTable"):
        glue.delete_table(DatabaseName=database, Name="events")
    assert tables() == before
    assert "events" in before


def test_no_other_statement_writes(system: System) -> None:
    before = system.keys("", system.outputs["KeyedBucket"])
    for sql in (
        "INSERT INTO events SELECT * FROM events",
        "CREATE TABLE mine AS SELECT * FROM events",
        "CREATE VIEW mine AS SELECT * FROM events",
        "DELETE FROM events",
        "UNLOAD (SELECT 1) TO 's3://mine/' WITH (format = 'JSON')",
        "ALTER TABLE events SET LOCATION 's3://mine/'",
        "SELECT 1; DROP TABLE events",
    ):
        with pytest.raises((NotProven, ClientError)):
            system.ask("Marketing", sql)
    assert system.ask("Marketing", "SELECT count(*) AS n FROM events WHERE eventtype = 'Send'") == [{"n": "1"}]
    assert system.keys("", system.outputs["KeyedBucket"]) == before


@pytest.mark.parametrize(("team", "other"), TEAMS)
def test_one_team_s_results_are_closed_to_another(system: System, team: str, other: str) -> None:
    mine, theirs = system.client("athena", f"{team}Analyst"), system.client("athena", f"{other}Analyst")
    asked = {"QueryString": "SELECT 'secret' AS word", "WorkGroup": system.outputs[f"{team}WorkGroup"]}
    query = mine.start_query_execution(**asked)["QueryExecutionId"]
    assert _ended(mine, query)["State"] == "SUCCEEDED"
    assert mine.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    for call in (theirs.get_query_results, theirs.get_query_execution, theirs.stop_query_execution):
        assert denied(call, QueryExecutionId=query)
    bucket, s3 = system.outputs["ResultsBucket"], system.client("s3", f"{other}Analyst")
    [result] = [key for key in system.keys("", bucket) if key.endswith(f"{query}.csv")]
    assert denied(s3.get_object, Bucket=bucket, Key=result)
    assert denied(s3.put_object, Bucket=bucket, Key=result, Body=b"forged")
    assert denied(s3.delete_object, Bucket=bucket, Key=result)
    assert denied(s3.list_objects_v2, Bucket=bucket, Prefix=result)
    own = system.client("s3", f"{team}Analyst")
    assert b"secret" in own.get_object(Bucket=bucket, Key=result)["Body"].read()


def denied(call: Callable[..., object], **request: Any) -> bool:
    """Whether IAM refuses a request."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    return str(refused.value.response["Error"]["Code"]).startswith("AccessDenied")


def _refused_destinations(system: System, sesv2: Any, configuration_set: str) -> set[str]:
    """The kinds of destination of the stack that SES refuses for a configuration set that is not the stack's."""
    refused = set()
    for found in event_destinations(system.aws, system.outputs["ConfigurationSet"]):
        destination = {name: value for name, value in found.items() if name != "Name"}
        with pytest.raises(ClientError, match=r"Could not (assume IAM role|publish to SNS topic)"):
            sesv2.create_configuration_set_event_destination(
                ConfigurationSetName=configuration_set, EventDestinationName="mine", EventDestination=destination
            )
        refused |= {name for name in destination if name.endswith("Destination")}
    return refused


def _create_stream(firehose: Any, system: System) -> None:
    """Make a stream with the role of the stack's."""
    destination = {
        "RoleARN": system.outputs["KeyedRole"],
        "BucketARN": f"arn:aws:s3:::{system.outputs['KeyedBucket']}",
        "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 1},
    }
    firehose.create_delivery_stream(DeliveryStreamName="mine", ExtendedS3DestinationConfiguration=destination)


def _ended(athena: Any, query: str) -> dict[str, Any]:
    def status() -> Any:
        found = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        return found if found["State"] in ("SUCCEEDED", "FAILED") else None

    return dict(eventually(status))
