"""The same events in each layout that Firehose writes: every query gives the same rows, and reads its days only."""

from __future__ import annotations

import datetime
import gzip
import itertools
import json
import re
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from local_aws.glue.hive import by_mapping, columns_of, to_parquet
from ses_events import EventAnalytics, StoredEvents
from ses_events.analytics.queries import Query, named_queries, prepared_statements
from ses_events.record.fields import JSON_KEYS
from tests.support.event_records import ARRIVED, TODAY, Record, click, delivery, mail, send, tags
from tests.support.stored_table import LAYOUTS, YEAR_MONTH_DAY, Rows, Store, rows_of
from tests.support.templates import Json, logical_id, new_app, readable, resources, synthesize

MORE_LAYOUTS = {
    "": "%Y/%m/%d/%H/",
    f"{YEAR_MONTH_DAY}hour=!{{timestamp:HH}}/": "events/year=%Y/month=%m/day=%d/hour=%H/",
    "events/!{timestamp:'year='yyyy'/month='MM'/day='dd}/": "events/year=%Y/month=%m/day=%d/",
    "events/!{timestamp:yyyy/MM/dd}/!{firehose:random-string}/": "events/%Y/%m/%d/x7/",
    "events/dt=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/": "events/dt=%Y-%m-%d/hour=%H/",
    "events/!{timestamp:yyyyMMdd}-utc/": "events/%Y%m%d-utc/",
}

VALUES = {"message_trace": "0102-03", "recipient_trace": "carl@example.net"}


def _arrived() -> list[tuple[datetime.datetime, Record]]:
    """200 events and when they arrived: those of ``ARRIVED``, and mail of each of the days around them."""
    times = [
        (datetime.datetime.fromisoformat(f"{day}T{5 + place % 2:02}:00"), of) for place, (day, of) in enumerate(ARRIVED)
    ]
    for number in itertools.count():
        at = datetime.datetime.combine(TODAY, datetime.time(3 + number % 2)) - datetime.timedelta(days=number)
        sent = at.isoformat() + ".000Z"
        of = mail(f"more-{number}", sent, f"{number}@example.com", tags=tags(campaign="summer"))
        link = f"https://example.com/{number % 3}"
        for record in (send(of), delivery(of, sent, 10 * number, f"{number}@example.com"), click(of, sent, link)):
            if len(times) == 200:
                return times
            times.append((at, record))
    raise AssertionError


EVENTS = _arrived()


def _objects(folder: str, name: str = "events-1.gz") -> dict[str, bytes]:
    """The events as Firehose writes them: an object for each folder. Others lie beside them that are no events."""
    lines: dict[str, list[str]] = {}
    for at, record in EVENTS:
        lines.setdefault(at.strftime(folder) + name, []).append(json.dumps(record))
    objects = {key: gzip.compress("\n".join(of).encode()) for key, of in lines.items()}
    return objects | {"errors/2026/03/09/x": b"no JSON", "events/readme.txt": b"no JSON", "session.txt": b"no JSON"}


def _template(*prefixes: str, parquet: bool = False) -> tuple[Json, StoredEvents]:
    stack = cdk.Stack(new_app(), "Mail")
    events = StoredEvents(s3.Bucket.from_bucket_name(stack, "Bucket", "mail"), *prefixes, parquet=parquet)
    EventAnalytics(stack, "Analytics", archive=events)
    return synthesize(stack), events


def _queries(events: StoredEvents) -> list[Query]:
    asked = "mail", "events", "campaign", events.layout
    return [*named_queries(*asked), *prepared_statements(*asked)]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    """The answer to each query over the layout that an ``EventArchive`` makes."""
    prefix, folder = next(iter(LAYOUTS.items()))
    template, events = _template(prefix)
    store, place = Store(template, _objects(folder)), tmp_path_factory.mktemp("expected")
    return {each.name: rows_of(each.sql, store, place, *_values(each)) for each in _queries(events)}


def _values(of: Query) -> list[str]:
    return [VALUES[of.name]] if of.name in VALUES else []


@pytest.mark.parametrize("prefix", LAYOUTS)
def test_every_query_gives_the_same_rows_and_reads_the_days_asked_for(
    expected: dict[str, Rows], prefix: str, tmp_path: Path
) -> None:
    template, events = _template(prefix)
    store = Store(template, _objects(LAYOUTS[prefix]))
    assert len(EVENTS) == 200 and all(expected.values())
    for each in _queries(events):
        assert rows_of(each.sql, store, tmp_path, *_values(each)) == expected[each.name], each.name
        assert {*store.read} == _asked(each, LAYOUTS[prefix]), each.name


@pytest.mark.parametrize("prefix", MORE_LAYOUTS)
def test_more_layouts_have_days(expected: dict[str, Rows], prefix: str, tmp_path: Path) -> None:
    template, events = _template(prefix)
    store = Store(template, _objects(MORE_LAYOUTS[prefix]))
    [health] = [each for each in _queries(events) if each.name == "archive_health"]
    assert rows_of(health.sql, store, tmp_path) == expected["archive_health"]
    assert {*store.read} == _asked(health, MORE_LAYOUTS[prefix])


def test_parquet_that_firehose_made_gives_the_samerows_of(expected: dict[str, Rows], tmp_path: Path) -> None:
    template, events = _template("ses", parquet=True)
    columns = columns_of(Store(template, {}).table("mail", "events"))
    objects = {
        key: to_parquet(columns, gzip.decompress(content).splitlines(), by_mapping(JSON_KEYS))
        for key, content in _objects("ses%Y/%m/%d/%H/", "events-1.parquet").items()
        if key.startswith("ses2026")
    }
    store = Store(template, objects)
    [rates] = [each for each in _queries(events) if each.name == "daily_rates"]
    assert rows_of(rates.sql, store, tmp_path) == expected["daily_rates"]


def test_the_hour_is_a_column_where_it_is_a_folder(tmp_path: Path) -> None:
    template, _ = _template("ses")
    store = Store(template, _objects(LAYOUTS["ses"]))
    sql = "SELECT dt, hour, count(*) FROM events WHERE dt = '2026/03/09' AND hour < 5 GROUP BY dt, hour ORDER BY hour"
    times = [at for at, _ in EVENTS if at.date() == datetime.date(2026, 3, 9) and at.hour < 5]
    assert rows_of(sql, store, tmp_path) == [["2026/03/09", "4", str(len(times))]]
    assert store.read == ["ses2026/03/09/04/events-1.gz"]
    [[rows]] = rows_of("SELECT count(*) FROM events", store, tmp_path)
    assert rows == "200"


@pytest.mark.parametrize(
    ("prefixes", "folders", "origins"),
    [
        (["111122223333/e/", "222233334444/e/"], ["111122223333/e/%Y/%m/%d/%H/", "222233334444/e/%Y/%m/%d/%H/"], None),
        (
            [f"mail/{each}/dt=!{{timestamp:yyyy-MM-dd}}/" for each in ("1/eu-west-1", "1/us-east-1", "2/eu-west-1")],
            [f"mail/{each}/dt=%Y-%m-%d/" for each in ("1/eu-west-1", "1/us-east-1", "2/eu-west-1")],
            ["1/eu-west-1", "1/us-east-1", "2/eu-west-1"],
        ),
        (["eu", "us"], ["eu%Y/%m/%d/%H/", "us%Y/%m/%d/%H/"], ["eu", "us"]),
    ],
)
def test_several_prefixes_are_one_table_with_a_partition_more(
    expected: dict[str, Rows], prefixes: list[str], folders: list[str], origins: list[str] | None, tmp_path: Path
) -> None:
    template, events = _template(*prefixes)
    store = Store(template, {key: of for folder in folders for key, of in _objects(folder).items()})
    origins = origins or ["111122223333", "222233334444"]
    found = rows_of("SELECT origin, count(*) FROM events GROUP BY origin ORDER BY origin", store, tmp_path)
    assert found == [[each, "200"] for each in origins]
    rows_of(f"SELECT count(*) FROM events WHERE origin = '{origins[1]}'", store, tmp_path)
    assert {*store.read} == {key for key in _objects(folders[1]) if key.endswith(".gz")}
    [rates] = [each for each in _queries(events) if each.name == "daily_rates"]
    assert (
        rows_of(rates.sql, store, tmp_path) == expected["daily_rates"]
    )  # a message counts once, however often it is there


def test_the_view_has_the_same_rows_in_each_layout_and_the_partitions(tmp_path: Path) -> None:
    sql = "SELECT kind, recipient, event_at, likely_bot FROM recipient_events ORDER BY 1, 2, 3"
    answers = []
    for prefix, folder in LAYOUTS.items():
        template, events = _template(prefix)
        store = Store(template, _objects(folder))
        answers.append(rows_of(sql, store, tmp_path))
        view = store.table("mail", "recipient_events")
        columns = [column["Name"] for column in view["StorageDescriptor"]["Columns"]]
        assert columns[: len(events.layout.partitions)] == [*events.layout.partitions]
    assert len(answers[0]) > 200 and all(each == answers[0] for each in answers)


@pytest.mark.parametrize(
    ("prefix", "objects"), [("ses", "ses20*"), ("", "20*"), ("a/dt=!{timestamp:yyyy-MM-dd}/", "a/dt=*")]
)
def test_whoever_asks_may_read_what_begins_with_a_year_and_no_other(prefix: str, objects: str) -> None:
    stack = cdk.Stack(new_app(), "Mail")
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "mail")
    analytics = EventAnalytics(stack, "Analytics", archive=StoredEvents(bucket, prefix))
    analytics.grant_query(iam.Role(stack, "Analyst", assumed_by=iam.AccountRootPrincipal()))
    [policy] = resources(readable(synthesize(stack)), "AWS::IAM::Policy").values()
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    arn = "arn:${AWS::Partition}:s3:::mail"
    assert [each["Resource"] for each in statements if each["Action"] == "s3:GetObject"] == [f"{arn}/{objects}"]
    [listed] = [each for each in statements if each["Action"] == "s3:ListBucket" and each["Resource"] == arn]
    assert listed["Condition"] == {"StringLike": {"s3:prefix": [objects]}}


def test_a_central_bucket_is_asked_from_its_own_account() -> None:
    stack = cdk.Stack(new_app(), "Mail", env=cdk.Environment(account="444455556666", region="eu-west-1"))
    bucket = s3.Bucket(stack, "Central")
    events = StoredEvents(bucket, "1/e/dt=!{timestamp:yyyy-MM-dd}/", "2/e/dt=!{timestamp:yyyy-MM-dd}/")
    analytics = EventAnalytics(stack, "Analytics", archive=events)
    analytics.grant_query(iam.Role(stack, "Analyst", assumed_by=iam.AccountRootPrincipal()))
    template = readable(synthesize(stack))
    [policy] = resources(template, "AWS::IAM::Policy").values()
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    read = [each["Resource"] for each in statements if each["Action"] == "s3:GetObject"]
    arn = f"${{{logical_id(bucket.node.default_child)}.Arn}}"
    assert read == [[f"{arn}/1/e/dt=*", f"{arn}/2/e/dt=*"]]


@pytest.mark.parametrize(
    ("prefixes", "message"),
    [
        ([], "prefixes are missing; give that of the delivery stream, '' where it has none"),
        (
            ["mail/!{timestamp:yyyy-MM-dd}"],
            "prefix 'mail/!{timestamp:yyyy-MM-dd}' has no folder for each day, as a table needs; "
            "use one such as 'events/dt=!{timestamp:yyyy-MM-dd}/'",
        ),
        (
            ["mail//"],
            "prefix 'mail//' has a folder without a name, which Athena does not read; take a '/' out",
        ),
        (
            ["mail/!{timestamp:yyyy-MM-dd}/_x"],
            "prefix 'mail/!{timestamp:yyyy-MM-dd}/_x' makes names that begin with '_', which Athena takes for hidden; "
            "such objects have to be copied to other names",
        ),
        (
            ["a/", "b/dt=!{timestamp:yyyy-MM-dd}/"],
            "prefixes 'a/', 'b/dt=!{timestamp:yyyy-MM-dd}/' have different folders for days; "
            "make an EventAnalytics for each layout",
        ),
        (["a/", "a/b/"], "prefixes 'a/', 'a/b/' overlap; leave out what another one covers"),
        (["a/", "b/", "a/"], "prefixes 'a/', 'b/', 'a/' are not all different; give each once"),
        (
            ["a,b/", "c/"],
            "prefixes 'a,b/', 'c/' differ in 'a,b', which Athena cannot take for a partition; "
            "make several EventAnalytics",
        ),
    ],
)
def test_what_no_table_can_have_is_refused_with_the_way_out(prefixes: list[str], message: str) -> None:
    bucket = s3.Bucket.from_bucket_name(cdk.Stack(new_app(), "Mail"), "Bucket", "mail")
    with pytest.raises(ValueError) as caught:
        StoredEvents(bucket, *prefixes)
    assert str(caught.value) == f"StoredEvents: {message}"


def test_wrong_types_are_refused() -> None:
    bucket = s3.Bucket.from_bucket_name(cdk.Stack(new_app(), "Mail"), "Bucket", "mail")
    with pytest.raises(TypeError) as caught:
        StoredEvents("mail", 5, parquet="yes")  # type: ignore[arg-type]
    assert str(caught.value).splitlines() == [
        "StoredEvents: bucket 'mail' is of type str; use an s3.Bucket, or an imported one",
        "StoredEvents: prefix 5 is of type int; use a string such as 'events/'",
        "StoredEvents: parquet 'yes' is of type str; use True or False",
    ]
    with pytest.raises(ValueError, match="known at deployment only"):
        StoredEvents(bucket, cdk.CfnParameter(cdk.Stack.of(bucket), "Prefix").value_as_string)


def test_events_of_another_region_are_refused() -> None:
    stack = cdk.Stack(new_app(), "Mail", env=cdk.Environment(account="444455556666", region="eu-west-1"))
    bucket = s3.Bucket.from_bucket_attributes(stack, "Bucket", bucket_name="mail", region="us-east-1")
    with pytest.raises(ValueError) as caught:
        EventAnalytics(stack, "Analytics", archive=StoredEvents(bucket, ""))
    assert str(caught.value) == (
        "Mail/Analytics: archive.bucket is in us-east-1, this stack in eu-west-1; use one of this region"
    )


def _asked(of: Query, folder: str) -> set[str]:
    """The objects of the days that a query is about."""
    [days] = re.findall(r"WHERE dt >= date_format\(current_date - INTERVAL '(\d+)' DAY, ", of.sql)
    since = datetime.datetime.combine(TODAY, datetime.time()) - datetime.timedelta(days=int(days))
    return {at.strftime(folder) + "events-1.gz" for at, _ in EVENTS if at >= since}
