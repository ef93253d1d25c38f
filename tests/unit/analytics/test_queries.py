"""Each query over the records of tests.support.event_records; the expected rows are worked out by hand from there."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from ses_events.analytics.queries import Query, named_queries, prepared_statements, view
from ses_events.record.fields import COLUMNS
from tests.support import duckdb_athena as athena
from tests.support.event_records import (
    ARRIVED,
    RECORDS,
    TODAY,
    bounce,
    click,
    complaint,
    delay,
    delivery,
    mail,
    opened,
    reject,
    rendering_failure,
    send,
    subscription,
    tags,
    write,
)
from tests.support.templates import ROOT

Rows = list[tuple[Any, ...]]
DATABASE, TABLE = "mail-1", 'ev"ents'
"""Names that hold only when they are quoted."""

QUERIES = named_queries(DATABASE, TABLE, "campaign")
PREPARED = prepared_statements(DATABASE, TABLE, "campaign")
VIEW = view(DATABASE, TABLE, "campaign")


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Rows]:
    """Runs a query over what arrived. An object of last year is no JSON: who reads it fails."""
    folder = tmp_path_factory.mktemp("events")
    write(folder, ARRIVED)
    (folder / "dt=2025-12-31").mkdir()
    (folder / "dt=2025-12-31/events.json.gz").write_bytes(b"no gzip, no JSON")
    return _asking(folder)


def test_the_queries_are_these() -> None:
    assert [query.name for query in QUERIES] == [
        *("addresses_to_remove", "archive_health", "bounce_diagnostics", "daily_rates", "delivery_delays"),
        *("domain_rates", "engagement", "never_sent", "suppressed_recipients", "time_to_deliver", "top_links"),
    ]
    assert [query.name for query in PREPARED] == ["message_trace", "recipient_trace"]


def test_the_page_about_analytics_has_the_columns_and_the_queries() -> None:
    page = (ROOT / "docs/analytics.md").read_text()
    tables = [
        re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE) for section in page.split("\n|---|---|\n")[1:]
    ]
    columns, queries, prepared = tables
    assert [name for name, _ in columns] == [*COLUMNS, "dt", "hour", "origin"], "mend the columns in docs/analytics.md"
    for event in {record["eventType"] for record in RECORDS}:
        assert event in columns[0][1], f"docs/analytics.md lacks the event {event}"
    assert queries == [(query.name, query.title) for query in QUERIES], "mend the queries in docs/analytics.md"
    assert prepared == [(query.name, query.title) for query in PREPARED]


@pytest.mark.parametrize("query", [*QUERIES, *PREPARED], ids=lambda query: query.name)
def test_a_query_is_one_statement_that_athena_takes(query: Query) -> None:
    (statement,) = sqlglot.parse(query.sql, dialect="athena")
    assert isinstance(statement, exp.Select)
    assert len([*statement.find_all(exp.Placeholder)]) == (query in PREPARED)
    assert [table.db for table in statement.find_all(exp.Table) if table.name == TABLE] == [DATABASE]
    assert re.fullmatch("[a-zA-Z_][a-zA-Z0-9_@:]{1,256}", query.name)
    assert len(query.sql.encode()) <= 262_144
    assert query.sql.startswith(f"-- {query.title}\n-- ")
    assert re.fullmatch(r"[A-Z][^?]*\." if query in PREPARED else r"[A-Z][^?]*\?", query.title)
    assert not re.search(r"\{[a-z_]+\}", query.sql)


@pytest.mark.parametrize("query", [*QUERIES, *PREPARED], ids=lambda query: query.name)
def test_a_query_takes_missing_tags(query: Query) -> None:
    """``map['key']`` ends a query in Athena when a mail lacks the key, and DuckDB does not: so by its bracket."""
    assert "L_BRACKET" not in {token.token_type.name for token in sqlglot.tokenize(query.sql, "athena")}


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_share_has_all_its_decimals(query: Query) -> None:
    """Athena divides 100.0 by 6 to 16.7, to the scale of the longer decimal, and DuckDB does not: so by the 1e2."""
    for division in sqlglot.parse_one(query.sql, dialect="athena").find_all(exp.Div):
        assert [literal.name for literal in division.this.find_all(exp.Literal)] == ["1e2"]


@pytest.mark.parametrize("query", [*QUERIES, *PREPARED], ids=lambda query: query.name)
def test_a_query_reads_recent_days_only(query: Query, ask: Callable[..., Rows]) -> None:
    ask(query.name, *["old@example.com"] * (query in PREPARED))
    with pytest.raises(Exception, match="dt=2025-12-31"):
        ask(query.name, *["old@example.com"] * (query in PREPARED), today=datetime.date(2026, 1, 5))


@pytest.mark.parametrize("query", [*QUERIES, *PREPARED], ids=lambda query: query.name)
def test_a_query_reads_the_days_that_it_says(query: Query) -> None:
    said = re.findall(r"in the last (\d+) days", query.sql)
    bounds = re.findall(r"(?:dt|sent_at) >= [a-z_(]*current_date - INTERVAL '(\d+)' DAY", query.sql)
    assert len(said) == 1 and set(bounds) == set(said)


def test_daily_rates(ask: Callable[..., Rows]) -> None:
    """Sent on the 2nd is before the week; a message to two counts twice, a second copy of an event not at all."""
    assert ask("daily_rates") == [
        # day, dimension value, sent, delivered, hard, soft, suppressed, complaints, hard bounce %, complaint %
        (_day("03-09"), "spring", 6, 3, 1, 0, 1, 0, 16.67, 0),
        (_day("03-09"), "unknown", 3, 1, 1, 0, 0, 1, 33.33, 100),
        (_day("03-09"), 'it\'s "autumn"', 1, 0, 0, 0, 0, 0, 0, None),
        (_day("03-08"), "spring", 4, 1, 1, 1, 1, 0, 25, 0),
        (_day("03-05"), "spring", 1, 0, 0, 0, 0, 0, 0, None),
    ]


def test_rates_are_by_the_dimension_that_is_given(ask: Callable[..., Rows]) -> None:
    """Names of tags differ by case: one mail has ``Campaign``."""
    rows = ask("daily_rates", dimension="Campaign")
    assert [row[:3] for row in rows if row[0] == _day("03-09")] == [
        (_day("03-09"), "unknown", 9),
        (_day("03-09"), "spring", 1),
    ]
    assert {row[1] for row in ask("daily_rates", dimension="it's")} == {"unknown"}


def test_domain_rates(ask: Callable[..., Rows]) -> None:
    assert ask("domain_rates") == [
        # domain, sent, delivered, delayed, hard, soft, suppressed, complaints, delivered %, hard bounce %, complaint %
        ("example.com", 7, 2, 1, 1, 0, 0, 0, 28.57, 14.29, 0),
        ("example.net", 4, 2, 2, 1, 1, 0, 1, 50, 25, 50),
        ("example.org", 4, 1, 1, 1, 0, 2, 0, 25, 25, 0),
    ]


def test_a_complaint_counts_once_however_many_it_names(tmp_path: Path) -> None:
    """It names whom the mail was sent to at the domain that complained, not who complained; ``again`` is one more."""
    ann, bob, cat, dan = (f"{name}@example.com" for name in ("ann", "bob", "cat", "dan"))
    sent = mail("1", "2026-03-09T10:00:00.000Z", ann, bob, cat, dan, tags=None)
    arrived = [
        send(sent),
        delivery(sent, "2026-03-09T10:00:01.000Z", 1000, ann, bob, cat),
        *[complaint(sent, "2026-03-09T11:00:00.000Z", ann, bob)] * 2,  # Firehose tried again
        complaint(sent, "2026-03-10T01:00:00.000Z", dan, feedbackId="again"),
        complaint(sent, "2026-03-09T12:00:00.000Z", cat, feedbackId="kind", complaintFeedbackType="not-spam"),
        complaint(sent, "2026-03-09T12:00:00.000Z", cat, feedbackId="own", complaintSubType="OnAccountSuppressionList"),
    ]
    write(tmp_path, [("2026-03-09", record) for record in arrived])
    ask = _asking(tmp_path)
    assert ask("daily_rates") == [(_day("03-09"), "unknown", 4, 3, 0, 0, 1, 2, 0, 66.667)]
    assert ask("domain_rates") == [("example.com", 4, 3, 0, 0, 0, 1, 2, 75, 0, 66.667)]


def test_who_may_have_complained_is_told_from_who_did(tmp_path: Path) -> None:
    """SES names them all where a mail has several recipients at the domain that complained."""
    ann, bob, cat = (f"{name}@example.com" for name in ("ann", "bob", "cat"))
    one, two = (mail(f"{number}", "2026-03-09T10:00:00.000Z", ann, bob, cat, tags=None) for number in (1, 2))
    alone = mail("3", "2026-03-09T10:00:00.000Z", ann, tags=None)
    arrived = [
        complaint(one, "2026-03-09T11:00:00.000Z", ann, bob),
        complaint(two, "2026-03-09T11:00:00.000Z", bob, cat),
        complaint(alone, "2026-03-09T12:00:00.000Z", ann),
        bounce(one, "2026-03-09T10:30:00.000Z", "Permanent/General", {"emailAddress": bob}),
    ]
    write(tmp_path, [("2026-03-09", record) for record in arrived])
    ask = _asking(tmp_path)
    assert [row[:3] for row in ask("addresses_to_remove")] == [
        (ann, "Complaint", 2),
        (bob, "Hard bounce", 2),
        (cat, "Possible complaint", 1),
    ]
    assert [row[3] for row in ask("recipient_trace", cat)] == ["Possible complaint"]


def test_bounce_diagnostics(ask: Callable[..., Rows]) -> None:
    """What SES says about suppressed recipients is no diagnostic; addresses, IPs and ids are masked."""
    assert ask("bounce_diagnostics") == [
        # kind, subtype, status, domain, reason, bounces, first seen, last seen, example recipient, example message
        (
            *("Hard bounce", "General", "5.1.1", "example.net", "smtp; 550 5.7.1 no more of this", 1),
            *(_time("03-09 18:30:00"), _time("03-09 18:30:00"), "gus@example.net", "0102-06"),
        ),
        (
            *("Hard bounce", "General", "5.1.1", "example.com", "smtp; 550 5.1.1 #: user unknown", 1),
            *(_time("03-09 10:00:01"), _time("03-09 10:00:01"), "bob@example.com", "0102-02"),
        ),
        (
            *("Soft bounce", "MailboxFull", None, "example.net", None, 1),
            *(_time("03-08 23:00:00"), _time("03-08 23:00:00"), "kim@example.net", "0102-11"),
        ),
        (
            *("Hard bounce", "NoEmail", "5.1.1", "example.com", "smtp; 550-5.1.1 <#> gone, # #", 1),
            *(_time("03-03 00:01:00"), _time("03-03 00:01:00"), "jan@example.com", "0102-10"),
        ),
    ]


def test_bounces_for_one_reason_are_by_message_and_recipient(tmp_path: Path) -> None:
    ann, bob = "ann@example.com", "bob@example.com"
    one, two, three = (mail(f"{number}", "2026-03-09T10:00:00.000Z", ann, bob, tags=None) for number in (1, 2, 3))
    arrived = [
        bounce(of, f"2026-03-09T{hour}:00:00.000Z", "Permanent/General", {"emailAddress": to, "diagnosticCode": said})
        for of, hour, to, said in [
            (one, "11", ann, "550 gone 1abcde"),
            (one, "11", ann, "550 gone 1abcde"),  # Firehose tried again
            (one, "12", bob, "550 gone 2fghij"),
            (two, "13", ann, "550 gone 3klmno"),
            (three, "14", ann, "550 full"),
        ]
    ]
    write(tmp_path, [("2026-03-09", record) for record in arrived])
    assert [row[4:8] for row in _asking(tmp_path)("bounce_diagnostics")] == [
        ("550 gone #", 3, _time("03-09 11:00:00"), _time("03-09 13:00:00")),
        ("550 full", 1, _time("03-09 14:00:00"), _time("03-09 14:00:00")),
    ]


def test_time_to_deliver(ask: Callable[..., Rows]) -> None:
    """A delivery that arrived twice is one: ann's is no second one of example.com."""
    rows = ask("time_to_deliver")
    assert [(row[0], row[1], row[5], row[6]) for row in rows] == [
        # domain, deliveries, longest, over 5 minutes
        ("example.com", 2, 2_000, 0),
        ("example.net", 2, 3_000, 0),
        ("example.org", 1, 50_398_750, 1),
    ]
    assert rows[2][2:5] == (50_398_750, 50_398_750, 50_398_750)


def test_percentiles_of_the_time_to_deliver(tmp_path: Path) -> None:
    deliveries = []
    for seconds in range(1, 101):
        sent = mail(f"{seconds}", "2026-03-09T10:00:00.000Z", "ann@example.com", tags=tags())
        deliveries.append(("2026-03-09", delivery(sent, "2026-03-09T10:30:00.000Z", 1000 * seconds, "ann@example.com")))
        late = delay(sent, "2026-03-09T10:00:01.000Z", "General", {"emailAddress": "ann@example.com"})
        deliveries.append(("2026-03-09", late))
    write(tmp_path, deliveries)
    ask = _asking(tmp_path)
    ((*_, delayed_p50, _),) = ask("delivery_delays")
    assert delayed_p50 == pytest.approx(50_000, abs=1_000)
    ((_, count, p50, p90, p99, most, slow),) = ask("time_to_deliver")
    assert (count, most, slow) == (100, 100_000, 0)
    assert (p50, p90, p99) == pytest.approx((50_000, 90_000, 99_000), abs=1_000)


def test_a_delivery_is_slow_after_five_minutes(tmp_path: Path) -> None:
    deliveries = []
    for millis, to in ((1000, "ann@example.com"), (300_000, "bob@example.org"), (300_001, "bob@example.org")):
        sent = mail(f"{millis}", "2026-03-09T10:00:00.000Z", to, tags=None)
        deliveries.append(("2026-03-09", delivery(sent, "2026-03-09T10:05:00.000Z", millis, to)))
    write(tmp_path, deliveries)
    assert [(row[0], row[1], row[6]) for row in _asking(tmp_path)("time_to_deliver")] == [
        ("example.org", 2, 1),
        ("example.com", 1, 0),
    ]


def test_engagement(ask: Callable[..., Rows]) -> None:
    """Only a bot has opened and clicked ida's message; one link of the message to two is clicked by a person."""
    assert ask("engagement") == [
        # dimension value, delivered, opened, by people, clicked, by people, subscriptions, people open %, click %
        ("spring", 3, 2, 1, 3, 2, 1, 33.33, 66.67),
        ("unknown", 1, 0, 0, 0, 0, 0, 0, 0),
    ]


def test_suppressed_recipients(ask: Callable[..., Rows]) -> None:
    """By a Bounce, and by a Complaint that SES ends such a mail with."""
    assert ask("suppressed_recipients") == [
        # recipient, reason, messages, last dimension value, first seen, last seen
        (
            *("eve@example.org", "OnAccountSuppressionList", 2, "spring"),
            *(_time("03-08 09:00:01.200"), _time("03-09 10:00:01")),
        ),
        ("finn@example.org", "Suppressed", 1, "spring", _time("03-08 09:00:01"), _time("03-08 09:00:01")),
    ]


def test_the_last_dimension_value_is_that_of_the_last_event(tmp_path: Path) -> None:
    arrived = []
    for hour, name, value in (
        ("10", "ann", "winter"),
        ("12", "ann", "autumn"),
        ("11", "ann", "summer"),
        ("13", "bob", "a"),
    ):
        sent = mail(hour, f"2026-03-09T{hour}:00:00.000Z", f"{name}@example.com", tags=tags(campaign=value))
        told = {"emailAddress": f"{name}@example.com"}
        arrived.append(("2026-03-09", bounce(sent, f"2026-03-09T{hour}:00:01.000Z", "Permanent/Suppressed", told)))
    write(tmp_path, arrived)
    assert [row[2:4] for row in _asking(tmp_path)("suppressed_recipients")] == [(3, "autumn"), (1, "a")]


def test_addresses_to_remove(ask: Callable[..., Rows]) -> None:
    """Not whom the account suppresses, nor ida, who says that the mail is no spam, nor soft bounces."""
    gone = "smtp; 550-5.1.1 <jan@example.com> gone, 198.51.100.7 41be03b00d2f7-af0e1234si567.12"
    listed = (
        "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid "
    )
    assert ask("addresses_to_remove") == [
        # recipient, reason, messages, last response, last seen
        ("gus@example.net", "Complaint", 1, "smtp; 550 5.7.1 no more of this", _time("03-09 19:00:00")),
        ("bob@example.com", "Hard bounce", 1, "smtp; 550 5.1.1 bob@example.com: user unknown", _time("03-09 10:00:01")),
        ("finn@example.org", "Hard bounce", 1, f"{listed}address.", _time("03-08 09:00:01")),
        ("jan@example.com", "Hard bounce", 1, gone, _time("03-03 00:01:00")),
    ]


def test_delivery_delays(ask: Callable[..., Rows]) -> None:
    """Of a message to two, one is delayed; of two delays of a message, the last says why. Gus has it and bounces it."""
    assert ask("delivery_delays") == [
        # domain, type, delayed, delivered later, bounced later, still open, p50 to deliver, example response
        ("example.com", "SpamDetected", 1, 0, 0, 1, None, None),
        ("example.net", "General", 1, 1, 0, 0, 3_000, None),
        ("example.net", "MailboxFull", 1, 0, 1, 0, None, "smtp; 452 4.2.2 mailbox full"),
        (
            *("example.org", "TransientCommunicationFailure", 1, 1, 0, 0),
            *(50_398_750, "smtp; 421 4.4.1 Unable to connect"),
        ),
    ]


def test_the_last_response_and_delay_are_those_of_the_last_event(tmp_path: Path) -> None:
    sent = mail("1", "2026-03-09T10:00:00.000Z", "ann@example.com", tags=None)
    events = [
        event(sent, f"2026-03-09T1{hour}:00:00.000Z", kind, {"emailAddress": "ann@example.com", "diagnosticCode": said})
        for event, hour, kind, said in [
            (delay, 2, "General", "451 c"),
            (delay, 1, "MailboxFull", "452 d"),
            (bounce, 4, "Permanent/General", "550 a"),
            (bounce, 3, "Permanent/General", "550 b"),
        ]
    ]
    write(tmp_path, [("2026-03-09", event) for event in events])
    ask = _asking(tmp_path)
    assert [row[3] for row in ask("addresses_to_remove")] == ["550 a"]
    assert [row[4] for row in ask("recipient_trace", "ann@example.com")] == ["550 a"]
    assert [(row[1], row[7]) for row in ask("delivery_delays")] == [("General", "451 c")]


def test_never_sent(ask: Callable[..., Rows]) -> None:
    failure = "Attribute 'attributeName' is not present in the rendering data."
    assert ask("never_sent") == [
        # event, dimension value, template, reason, messages, last seen, last message
        ("Reject", "unknown", None, "Bad content", 1, _time("03-09 14:00:00"), "0102-13"),
        ("Rendering Failure", "spring", "Welcome", failure, 1, _time("03-09 13:00:00"), "0102-12"),
    ]


def test_the_last_mail_never_sent_is_the_latest(tmp_path: Path) -> None:
    """Ids are no order in time."""
    times = {"b": "2026-03-09T10:00:00.000Z", "a": "2026-03-09T12:00:00.000Z", "c": "2026-03-09T11:00:00.000Z"}
    rejected = [reject(mail(of, at, "ann@example.com", tags=None)) for of, at in times.items()]
    failed = rendering_failure(
        mail("d", "2026-03-09T13:00:00.000Z", "ann@example.com", tags=None), "Welcome", "no name"
    )
    write(tmp_path, [("2026-03-09", record) for record in [*rejected, failed]])
    assert [row[4:] for row in _asking(tmp_path)("never_sent")] == [
        (3, _time("03-09 12:00:00"), "a"),
        (1, _time("03-09 13:00:00"), "d"),
    ]


def test_top_links(ask: Callable[..., Rows]) -> None:
    assert ask("top_links") == [
        # link, dimension value, clicks, messages
        ("https://example.com/sale", "spring", 2, 1),
        ("https://example.com/imprint", "spring", 1, 1),
    ]


def test_clicks_of_one_moment_from_two_places_are_two(tmp_path: Path) -> None:
    sent = mail("1", "2026-03-09T10:00:00.000Z", "ann@example.com", "bob@example.com", tags=None)
    at, link = "2026-03-09T11:00:00.000Z", "https://example.com/a"
    clicks = [click(sent, at, link, ipAddress=f"192.0.2.{host}") for host in (1, 2, 2)]
    write(tmp_path, [("2026-03-09", record) for record in clicks])
    assert _asking(tmp_path)("top_links") == [(link, "unknown", 2, 1)]


def test_archive_health(ask: Callable[..., Rows]) -> None:
    rows = ask("archive_health")
    assert sum(row[2] + row[3] for row in rows) == len([day for day, _ in ARRIVED if day >= "2026-03-03"])
    assert [row for row in rows if any(row[3:])] == [
        # day of arrival, event, events, duplicates, unreadable, arrived on a later day, without outcome
        ("2026-03-10", "Delivery", 1, 0, 0, 1, 0),
        ("2026-03-10", "Open", 1, 0, 0, 1, 0),
        ("2026-03-09", "Bounce", 4, 1, 0, 0, 0),
        ("2026-03-09", "Click", 4, 1, 0, 0, 0),
        ("2026-03-09", "Delivery", 3, 1, 0, 0, 0),
        ("2026-03-09", "Reject", 1, 1, 0, 0, 0),
        ("2026-03-09", "Send", 9, 1, 0, 0, 0),
        ("2026-03-09", None, 1, 0, 1, 0, 0),
        ("2026-03-08", "Bounce", 2, 1, 0, 0, 0),
        ("2026-03-05", "Send", 1, 0, 0, 0, 1),
    ]


def test_each_way_a_mail_ends_is_an_outcome(tmp_path: Path) -> None:
    sent = [mail(f"{number}", "2026-03-05T10:00:00.000Z", "ann@example.com", tags=None) for number in range(6)]
    ends = [
        delivery(sent[0], "2026-03-05T10:00:01.000Z", 1000, "ann@example.com"),
        bounce(sent[1], "2026-03-05T10:00:01.000Z", "Transient/General", {"emailAddress": "ann@example.com"}),
        complaint(sent[2], "2026-03-05T10:00:01.000Z", "ann@example.com"),
        reject(sent[3]),
        rendering_failure(sent[4], "Welcome", "Attribute 'name' is not present in the rendering data."),
    ]
    write(tmp_path, [("2026-03-05", record) for record in [*map(send, sent), *ends]])
    assert [row[6] for row in _asking(tmp_path)("archive_health") if row[1] == "Send"] == [1]


def test_a_mail_has_two_days_to_end(tmp_path: Path) -> None:
    """``TODAY`` is the 10th."""
    times = ["2026-03-07T23:59:59.999Z", "2026-03-08T00:00:00.000Z"]
    write(tmp_path, [(at[:10], send(mail(at, at, "ann@example.com", tags=None))) for at in times])
    assert {row[0]: row[6] for row in _asking(tmp_path)("archive_health")} == {"2026-03-07": 1, "2026-03-08": 0}


def test_events_of_one_moment_are_no_duplicates(tmp_path: Path) -> None:
    sent = mail("1", "2026-03-09T10:00:00.000Z", "ann@example.com", "bob@example.com", tags=None)
    at, gone = "2026-03-09T10:00:01.000Z", {"emailAddress": "ann@example.com"}
    events = [
        *(click(sent, at, f"https://example.com/{page}") for page in "ab"),
        *(opened(sent, at, ipAddress=f"192.0.2.{host}") for host in (1, 2)),
        *(delivery(sent, at, 1000, f"{name}@example.com") for name in ("ann", "bob")),
        *(delay(sent, at, "General", {"emailAddress": f"{name}@example.com"}) for name in ("ann", "bob")),
        *(complaint(sent, at, "ann@example.com", feedbackId=f"{number}") for number in (1, 2)),
        *(bounce(sent, at, "Transient/General", gone, feedbackId=f"{number}") for number in (1, 2)),
    ]
    write(tmp_path, [("2026-03-09", event) for event in events])
    assert {row[1]: row[2:4] for row in _asking(tmp_path)("archive_health")} == dict.fromkeys(
        ["Click", "Open", "Delivery", "DeliveryDelay", "Complaint", "Bounce"], (2, 0)
    )


def test_unreadable_records_are_no_duplicates(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [{"notificationType": "Bounce"}, {"eventType": "Send", "mail": {}}]
    days = ("2026-03-08", "2026-03-09", "2026-03-09")
    write(tmp_path, [(day, record) for day in days for record in records])
    assert _asking(tmp_path)("archive_health") == [
        ("2026-03-09", "Send", 2, 0, 2, 0, 0),
        ("2026-03-09", None, 2, 0, 2, 0, 0),
        ("2026-03-08", "Send", 1, 0, 1, 0, 0),
        ("2026-03-08", None, 1, 0, 1, 0, 0),
    ]


def test_a_copy_of_the_next_day_is_a_duplicate(tmp_path: Path) -> None:
    """And no event that arrived late: the first was in time."""
    sent = send(mail("1", "2026-03-09T23:59:00.000Z", "ann@example.com", tags=None))
    write(tmp_path, [("2026-03-10", sent), ("2026-03-09", sent)])
    assert _asking(tmp_path)("archive_health") == [("2026-03-09", "Send", 1, 1, 0, 0, 0)]


def test_message_trace(ask: Callable[..., Rows]) -> None:
    told = (None, None, None, None, None, False, "spring", "news")
    delivered = (None, None, "250 2.6.0 Message received")
    assert ask("message_trace", "0102-03") == [
        # time, kind, recipient, subtype, status, response, millis, link, likely bot, dimension value, set
        (_time("03-09 10:00:00.250"), "Send", "carl@example.net", *told),
        (_time("03-09 10:00:00.250"), "Send", "dana@example.org", *told),
        (_time("03-09 10:00:01.250"), "Delivery", "carl@example.net", *delivered, 1_000, *told[4:]),
        *(
            (_time("03-09 10:00:02"), "Possible click", who, *told[:4], "https://example.com/sale", True, *told[6:])
            for who in ("carl@example.net", "dana@example.org")
        ),
        (
            *(_time("03-09 10:10:00"), "DeliveryDelay", "dana@example.org"),
            *("TransientCommunicationFailure", "4.4.1", "smtp; 421 4.4.1 Unable to connect", *told[3:]),
        ),
        *(
            (_time("03-09 12:00:00"), "Possible click", who, *told[:4], "https://example.com/imprint", *told[5:])
            for who in ("carl@example.net", "dana@example.org")
        ),
        (_time("03-09 23:59:59"), "Delivery", "dana@example.org", *delivered, 50_398_750, *told[4:]),
    ]
    assert [row[1] for row in ask("message_trace", "0102-15")] == ["Open"]
    assert [row[1] for row in ask("message_trace", "0102-01")].count("Delivery") == 1


def test_recipient_trace(ask: Callable[..., Rows]) -> None:
    """Whatever the case and the name before the address; a message without a fraction in its time is one message."""
    said = "smtp; 550 5.1.1 bob@example.com: user unknown"
    assert ask("recipient_trace", "BOB@example.com") == [
        # sent, message, dimension value, history, last response, last event
        (_time("03-09 10:00:00"), "0102-02", "spring", "Send > Hard bounce", said, _time("03-09 10:00:01"))
    ]
    assert ask("recipient_trace", "ann@example.com") == [
        (
            *(_time("03-09 10:00:00"), "0102-01", "spring"),
            "Send > Delivery > Open > Open > Open > Click > Click > Subscription",
            *("250 2.6.0 Message received", _time("03-10 07:00:00")),
        )
    ]
    assert [row[1:4] for row in ask("recipient_trace", "eve@example.org")] == [
        ("0102-04", "spring", "Send > Suppressed"),
        ("0102-09", "spring", "Send > Suppressed"),
    ]
    assert [row[2:4] for row in ask("recipient_trace", "hal@example.com")] == [
        ("unknown", "Send > DeliveryDelay > DeliveryDelay")
    ]
    assert [row[3] for row in ask("recipient_trace", "gus@example.net")] == [
        "Send > DeliveryDelay > Delivery > Complaint > Hard bounce > Complaint"
    ]
    assert [row[3] for row in ask("recipient_trace", "lea@example.com")] == ["Send > Rendering Failure"]
    assert [row[3] for row in ask("recipient_trace", "dana@example.org")] == [
        "Send > Possible click > DeliveryDelay > Possible click > Delivery"
    ]


def test_a_recipient_is_the_address_in_lower_case(tmp_path: Path) -> None:
    addresses = {
        "a@example.com": ("a@example.com", "example.com"),
        "B <B@Example.COM>": ("b@example.com", "example.com"),
        '"c@home" <c@example.com> ': ("c@example.com", "example.com"),
        "rfc822; d@example.com": ("d@example.com", "example.com"),
        "e+news@sub.example.com": ("e+news@sub.example.com", "sub.example.com"),
        "Postmaster": ("postmaster", "unknown"),
    }
    write(tmp_path, [("2026-03-09", send(mail("1", "2026-03-09T10:00:00Z", *addresses, tags=None)))])
    ask = _asking(tmp_path)
    assert [row[2] for row in ask("message_trace", "1")] == [recipient for recipient, _ in addresses.values()]
    assert {row[0]: row[1] for row in ask("domain_rates")} == Counter(domain for _, domain in addresses.values())


def test_bounces_are_told_apart_as_ses_counts_them(tmp_path: Path) -> None:
    kinds = {
        **dict.fromkeys(["Undetermined/Undetermined", "Transient/General"], "Automatic reply"),
        **dict.fromkeys(["Transient/MailboxFull", "Transient/ContentRejected", "Undetermined/General"], "Soft bounce"),
        **dict.fromkeys(["Permanent/General", "Permanent/NoEmail", "Permanent/WhateverComes"], "Hard bounce"),
        "Permanent/Suppressed": "Hard bounce",
        "Permanent/OnAccountSuppressionList": "Suppressed",
        "Permanent/OnTenantSuppressionList": "Suppressed",
        "Permanent/EmailValidationSuppressed": "Suppressed",
        "Permanent/UnsubscribedRecipient": "Suppressed",
    }
    sent = {kind: mail(kind, "2026-03-09T10:00:00.000Z", "ann@example.com", tags=None) for kind in kinds}
    gone = {"emailAddress": "ann@example.com"}
    write(tmp_path, [("2026-03-09", bounce(sent[kind], "2026-03-09T10:00:01.000Z", kind, gone)) for kind in kinds])
    ask = _asking(tmp_path)
    assert {kind: [row[1] for row in ask("message_trace", kind)] for kind in kinds} == {
        kind: [expected] for kind, expected in kinds.items()
    }
    assert {row[3] for row in ask("suppressed_recipients")} == {"unknown"}  # a mail without the tag


def test_each_recipient_of_a_bounce_has_its_own_reason(tmp_path: Path) -> None:
    sent = mail("1", "2026-03-09T10:00:00.000Z", "a@example.com", "b@example.com", tags=None)
    gone = [{"emailAddress": "a@example.com"}, {"emailAddress": "b@example.com", "status": "5.1.1"}]
    late = [{"emailAddress": "b@example.com"}, {"emailAddress": "a@example.com", "status": "4.2.2"}]
    bounced = bounce(sent, "2026-03-09T10:00:02Z", "Permanent/General", *gone)
    delayed = delay(sent, "2026-03-09T10:00:01Z", "General", late[0])
    delayed["deliveryDelay"]["delayedRecipients"] = late
    write(tmp_path, [("2026-03-09", bounced), ("2026-03-09", delayed)])
    assert [row[1:5] for row in _asking(tmp_path)("message_trace", "1")] == [
        ("DeliveryDelay", "a@example.com", "General", "4.2.2"),
        ("DeliveryDelay", "b@example.com", "General", None),
        ("Hard bounce", "a@example.com", "General", None),
        ("Hard bounce", "b@example.com", "General", "5.1.1"),
    ]


def test_an_event_without_recipients_is_seen(tmp_path: Path) -> None:
    write(tmp_path, [("2026-03-09", send(mail("1", "2026-03-09T10:00:00Z", tags=None)))])
    assert [row[1:3] for row in _asking(tmp_path)("message_trace", "1")] == [("Send", "unknown")]


def test_an_automatic_reply_is_no_bounce(tmp_path: Path) -> None:
    """SES publishes an out-of-office reply as a Bounce that says nothing of the recipient; some name nobody."""
    kinds = ["Transient/General", "Undetermined/Undetermined", "Undetermined/Undetermined"]
    arrived = []
    for number, kind in enumerate(kinds):
        sent = mail(f"{number}", "2026-03-09T10:00:00.000Z", "ann@example.com", tags=None)
        named = [{"emailAddress": "ann@example.com"}] if number < 2 else []
        arrived += [
            send(sent),
            delivery(sent, "2026-03-09T10:00:01.000Z", 1000, "ann@example.com"),
            bounce(sent, "2026-03-09T10:00:05.000Z", kind, *named),
        ]
    write(tmp_path, [("2026-03-09", record) for record in arrived])
    ask = _asking(tmp_path)
    assert ask("daily_rates") == [(_day("03-09"), "unknown", 3, 3, 0, 0, 0, 0, 0, 0)]
    assert ask("domain_rates") == [("example.com", 3, 3, 0, 0, 0, 0, 0, 100, 0, 0)]
    assert ask("bounce_diagnostics") == ask("addresses_to_remove") == []
    assert {row[3] for row in ask("recipient_trace", "ann@example.com")} == {"Send > Delivery > Automatic reply"}


@pytest.mark.parametrize("kind", ["Transient/General", "Undetermined/Undetermined"])
@pytest.mark.parametrize("said", [{"action": "failed"}, {"status": "4.0.0"}, {"diagnosticCode": "smtp; 421 later"}])
def test_a_bounce_of_which_a_server_says_more_is_no_automatic_reply(
    tmp_path: Path, kind: str, said: dict[str, str]
) -> None:
    sent = mail("1", "2026-03-09T10:00:00.000Z", "ann@example.com", tags=None)
    told = bounce(sent, "2026-03-09T10:00:05.000Z", kind, {"emailAddress": "ann@example.com", **said})
    write(tmp_path, [("2026-03-09", told)])
    assert [row[1] for row in _asking(tmp_path)("message_trace", "1")] == ["Soft bounce"]


_LISTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "Hard bounce": ("bounce", "bouncedRecipients", {"bounceType": "Permanent", "bounceSubType": "General"}),
    "Complaint": ("complaint", "complainedRecipients", {"feedbackId": "1"}),
    "Delivery": ("delivery", "recipients", {"processingTimeMillis": 1000}),
    "DeliveryDelay": ("deliveryDelay", "delayedRecipients", {"delayType": "General"}),
}


@pytest.mark.parametrize("kind", _LISTS)
@pytest.mark.parametrize("named", [..., None, []], ids=["absent", "null", "empty"])
def test_an_event_that_names_nobody_is_about_the_recipients_of_its_mail(tmp_path: Path, kind: str, named: Any) -> None:
    """For certain where there is one; possible where there are several, and then no count of recipients has it."""
    field, names, told = _LISTS[kind]
    told = {**told, "timestamp": "2026-03-09T11:00:00.000Z", **({} if named is ... else {names: named})}
    arrived = []
    for message, to in (("1", ["Ann <ann@example.com>"]), ("2", ["bob@example.com", "cat@example.net"])):
        sent = mail(message, "2026-03-09T10:00:00.000Z", *to, tags=None)
        arrived += [send(sent), {"eventType": "Bounce" if field == "bounce" else kind, "mail": sent, field: told}]
    write(tmp_path, [("2026-03-09", record) for record in arrived])
    ask = _asking(tmp_path)
    possible = f"Possible {'delay' if kind == 'DeliveryDelay' else kind.lower()}"
    assert [row[1:3] for row in ask("message_trace", "1")] == [("Send", "ann@example.com"), (kind, "ann@example.com")]
    assert [row[1:3] for row in ask("message_trace", "2")][2:] == [
        (possible, "bob@example.com"),
        (possible, "cat@example.net"),
    ]
    assert [row[3] for row in ask("recipient_trace", "cat@example.net")] == [f"Send > {possible}"]
    (one, two) = ask("domain_rates")
    assert (one[:2], sum(one[2:8])) == (("example.com", 2), 1)
    assert (two[:2], sum(two[2:8])) == (("example.net", 1), 0)
    reasons = {"Hard bounce": {"ann@example.com": "Hard bounce"}, "Complaint": {"ann@example.com": "Complaint"}}
    if kind == "Complaint":
        reasons[kind] |= dict.fromkeys(["bob@example.com", "cat@example.net"], "Possible complaint")
    assert {row[0]: row[1] for row in ask("addresses_to_remove")} == reasons.get(kind, {})


def test_a_reader_of_mail_to_several_is_not_named(tmp_path: Path) -> None:
    sent = mail("1", "2026-03-09T10:00:00.000Z", "ann@example.com", "bob@example.com", tags=None)
    at = "2026-03-09T11:00:00.000Z"
    arrived = [
        send(sent),
        reject(sent),
        opened(sent, at),
        click(sent, at, "https://example.com"),
        subscription(sent, at),
    ]
    write(tmp_path, [("2026-03-09", record) for record in arrived])
    ask = _asking(tmp_path)
    assert [row[3] for row in ask("recipient_trace", "ann@example.com")] == [
        "Send > Reject > Possible click > Possible open > Possible subscription"
    ]
    assert ask("engagement") == [("unknown", 0, 1, 1, 1, 1, 1, None, None)]


@pytest.mark.parametrize(
    ("said", "removed"),
    [
        ({"status": "5.3.0", "diagnosticCode": "550 denied"}, True),
        ({"diagnosticCode": "smtp; 550 5.1.1 no such user"}, True),
        ({"diagnosticCode": "550 5.1.1 no such user"}, True),
        ({"status": "4.4.7", "diagnosticCode": "smtp; 550 4.4.7 Message expired"}, False),
        ({"status": "4.2.2", "diagnosticCode": "smtp; 452 4.2.2 full"}, False),
    ],
)
def test_an_address_that_is_refused_time_and_again_is_to_be_removed(
    tmp_path: Path, said: dict[str, str], removed: bool
) -> None:
    """Three messages, that is; not two, nor where one was delivered, nor where the server refused what was in them."""
    ann, bob, cat, dan = (f"{name}@example.com" for name in ("ann", "bob", "cat", "dan"))
    arrived = []
    for number, to in enumerate([ann, ann, ann, bob, bob, cat, cat, cat, dan, dan, dan]):
        sent = mail(f"{number}", f"2026-03-09T{number + 10}:00:00.000Z", to, tags=None)
        kind = "Transient/ContentRejected" if to == dan else "Transient/General"
        arrived += [bounce(sent, f"2026-03-09T{number + 10}:00:01.000Z", kind, {"emailAddress": to, **said})] * 2
    sent = mail("last", "2026-03-09T22:00:00.000Z", cat, tags=None)
    arrived.append(delivery(sent, "2026-03-09T22:00:01.000Z", 1000, cat))
    write(tmp_path, [("2026-03-09", record) for record in arrived])
    wanted = [(ann, "Repeated bounce", 3, said["diagnosticCode"], _time("03-09 12:00:01"))] if removed else []
    assert _asking(tmp_path)("addresses_to_remove") == wanted


def test_no_answer_has_a_recipient_or_a_domain_of_null(tmp_path: Path) -> None:
    """Over all records there are, and events that lack whom they are about."""
    nobody = mail("nobody", "2026-03-09T10:00:00.000Z", tags=None)
    two = mail("two", "2026-03-09T10:00:00.000Z", "ann@example.com", "bob@example.org", tags=None)
    at = "2026-03-09T11:00:00.000Z"
    odd = [
        event
        for of in (nobody, two)
        for event in (
            *(send(of), complaint(of, at), delivery(of, at, 1000), opened(of, at), bounce(of, at, "Permanent/General")),
            *(bounce(of, at, "Transient/General"), delay(of, at, "General", {"status": "4.4.1"})),
            bounce(of, at, "Undetermined/Undetermined", {"emailAddress": ""}),
        )
    ]
    write(tmp_path, [*ARRIVED, *(("2026-03-09", record) for record in [*RECORDS, *odd])])
    connection = athena.connect(DATABASE, TABLE.replace('"', '""'), athena.json_lines(tmp_path))
    messages = {record.get("mail", {}).get("messageId") for record in [*RECORDS, *odd, *(of for _, of in ARRIVED)]}
    addresses = {to.lower() for record in [*RECORDS, *odd] for to in record["mail"]["destination"]} | {"unknown"}
    values = {"message_trace": sorted(messages), "recipient_trace": sorted(addresses)}
    for query in [*QUERIES, *PREPARED]:
        for value in values.get(query.name, [None]):
            asked = connection.execute(athena.as_duckdb(query.sql, TODAY), [value] if value else [])
            names = [column for column, *_ in asked.description or []]
            whom = [place for place, name in enumerate(names) if "recipient" in name or "domain" in name]
            assert all(row[place] is not None for row in asked.fetchall() for place in whom), (query.name, value)
    assert "unknown" not in [row[0] for row in _asking(tmp_path)("addresses_to_remove")]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("", "events", ""), ValueError, "database is empty; use a name\ndimension is empty; use a name"),
        (("mail", "", "campaign"), ValueError, "table is empty; use a name"),
        (("mail", "events", None), TypeError, "dimension None is of type NoneType; use a string"),
        ((b"mail", "events", "campaign"), TypeError, "database b'mail' is of type bytes; use a string"),
    ],
)
def test_the_loader_says_what_it_needs(arguments: Any, error: type[Exception], message: str) -> None:
    for load in (named_queries, prepared_statements):
        with pytest.raises(error, match=f"^{re.escape(message)}$"):
            load(*arguments)


def test_the_view_has_a_row_for_each_event_and_recipient_with_the_types_that_athena_is_told(tmp_path: Path) -> None:
    of = mail("m1", "2026-03-09T10:00:00Z", "ann@example.com", "bob@example.com", tags=tags(campaign="spring"))
    bounced = bounce(of, "2026-03-10T00:00:01Z", "Permanent/General", {"emailAddress": "bob@example.com"})
    write(tmp_path, [("2026-03-09", send(of)), ("2026-03-10", bounced)])
    connection = athena.connect(DATABASE, TABLE.replace('"', '""'), athena.json_lines(tmp_path))
    answer = connection.sql(athena.as_duckdb(VIEW.sql, TODAY))
    assert {name: str(of).lower() for name, of in zip(answer.columns, answer.types, strict=True)} == VIEW.columns
    rows = answer.project("dt, kind, recipient, event_at").order("kind, recipient").fetchall()
    assert rows == [
        ("2026-03-10", "Hard bounce", "bob@example.com", _time("03-10T00:00:01")),
        ("2026-03-09", "Send", "ann@example.com", _time("03-09T10:00:00")),
        ("2026-03-09", "Send", "bob@example.com", _time("03-09T10:00:00")),
    ]


def _asking(folder: Path) -> Callable[..., Rows]:
    connection = athena.connect(DATABASE, TABLE.replace('"', '""'), athena.json_lines(folder))

    def ask(name: str, *values: str, dimension: str = "campaign", today: datetime.date = TODAY) -> Rows:
        queries = [*named_queries(DATABASE, TABLE, dimension), *prepared_statements(DATABASE, TABLE, dimension)]
        (sql,) = [query.sql for query in queries if query.name == name]
        return connection.execute(athena.as_duckdb(sql, today), values).fetchall()

    return ask


def _day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(f"2026-{text}")


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(f"2026-{text}")
