"""What a query scans, and how long it takes, by the format of the archive: a table in Markdown on standard output.

    python -m benches.analytics [EVENTS] [--objects OBJECTS_A_DAY]

DuckDB stands in for Athena, which bills the bytes of what a query reads. Here these are counted, not measured: of JSON
the whole objects of the days that are read; of Parquet the compressed columns that the query names, of these days. The
times are DuckDB's own, and mean little on a busy machine.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import json
import os
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import sqlglot
from sqlglot import exp

from ses_events.analytics.queries import named_queries, prepared_statements
from tests.support import duckdb_athena as athena
from tests.support import event_records as records
from tests.support.event_records import Record

TODAY = datetime.date(2026, 3, 28)
DAYS = 28
QUERIES = ("daily_rates", "bounce_diagnostics", "message_trace")
LAYOUTS = {"raw": "JSON", "gzip": "JSON, gzip (the default)", "parquet": "Parquet, Snappy"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("events", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--objects", type=int, default=24, help="objects a day, of as many events each")
    arguments = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        message = _write(folder, arguments.events, arguments.objects)
        print(f"{arguments.events:,} events of {DAYS} days, {arguments.objects} objects a day;", end=" ")
        print(f"DuckDB {duckdb.__version__}, {os.cpu_count()} processors\n")
        print("| format | stored |", " | ".join(f"`{name}`" for name in QUERIES), "|")
        print("|---|--:|" + "--:|" * len(QUERIES))
        for layout, title in LAYOUTS.items():
            stored = sum(path.stat().st_size for path in _objects(folder / layout))
            cells = [_cost(folder / layout, name, message) for name in QUERIES]
            print(f"| {title} | {stored / 1e6:,.0f} MB |", " | ".join(cells), "|", flush=True)


def days(count: int, seed: int = 2016) -> Iterator[tuple[datetime.date, list[Record]]]:
    """Days with the events that arrive on each, in order, ``count`` in all: newsletters of a sender with good lists.

    Of 1000 recipients 5 are suppressed, 8 bounce for good, 5 in the end and 14 get their mail after a delay; of what
    is delivered, bots open 15 % and people 20 %, people click 4 %, and 1 in 1000 complains.
    """
    chance = random.Random(seed)
    later: dict[datetime.date, list[tuple[datetime.datetime, Record]]] = {}
    for number in range(DAYS):
        day = TODAY - datetime.timedelta(days=DAYS - 1 - number)
        arrived = later.pop(day, [])
        wanted = count * (number + 1) // DAYS - count * number // DAYS
        while len(arrived) < wanted:
            midnight = datetime.datetime.combine(day, datetime.time())
            sent = midnight + datetime.timedelta(seconds=86_400 * chance.random())
            for at, record in _life_of_a_mail(chance, sent):
                (arrived if at.date() == day else later.setdefault(at.date(), [])).append((at, record))
        arrived.sort(key=lambda event: event[0])
        yield day, [record for _, record in arrived[:wanted]]


def _life_of_a_mail(chance: random.Random, sent: datetime.datetime) -> Iterator[tuple[datetime.datetime, Record]]:
    reader = chance.randrange(200_000)
    domains = ["mail.example", "post.example", "inbox.example", f"company{reader % 5000}.example"]
    domain = chance.choices(domains, [5, 3, 2, 2])[0]
    campaign = f"{chance.choice(['spring', 'summer', 'welcome', 'offers'])}-{sent.isocalendar().week}"
    address = f"reader{reader}@{domain}"
    milliseconds = (sent - datetime.datetime(1970, 1, 1)) // datetime.timedelta(milliseconds=1)
    message = f"0102{milliseconds:012x}-{chance.getrandbits(32):08x}-{chance.getrandbits(48):012x}-000000"
    headers = {
        "From": "News <news@example.com>",
        "To": address,
        "Subject": f"News of week {sent.isocalendar().week}",
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="----=_Part_{chance.getrandbits(64)}"',
        "Message-ID": f"<{chance.getrandbits(128):032x}@example.com>",
        "List-Unsubscribe": f"<https://www.example.com/unsubscribe/{chance.getrandbits(128):032x}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "X-SES-CONFIGURATION-SET": "news",
        "X-SES-MESSAGE-TAGS": f"campaign={campaign}",
    }
    of = records.mail(
        message,
        _iso(sent),
        address,
        tags=records.tags(campaign=campaign),
        headers=[{"name": name, "value": value} for name, value in headers.items()],
    )

    def after(seconds: float) -> datetime.datetime:
        return sent + datetime.timedelta(seconds=seconds)

    def told(status: str, text: str) -> Record:
        return {"emailAddress": address, "action": "failed", "status": status, "diagnosticCode": f"smtp; {text}"}

    yield sent, records.send(of)
    luck, at = chance.random(), after(chance.lognormvariate(0.5, 0.8))
    if luck < 0.005:
        suppressed = told("5.1.1", "Amazon SES has suppressed sending to this address")
        yield at, records.bounce(of, _iso(at), "Permanent/OnAccountSuppressionList", suppressed)
        return
    if luck < 0.013:
        unknown = told("5.1.1", f"550 5.1.1 <{address}>: user unknown {chance.getrandbits(40):010x}")
        yield at, records.bounce(of, _iso(at), "Permanent/General", unknown, reportingMTA="dns; mx.example")
        return
    if luck < 0.032:
        full = {"emailAddress": address, "status": "4.2.2", "diagnosticCode": "smtp; 452 4.2.2 mailbox full"}
        yield at, records.delay(of, _iso(at), "MailboxFull", full)
        at = after(chance.uniform(600, 50_000))
        if luck < 0.018:
            yield at, records.bounce(of, _iso(at), "Transient/MailboxFull", told("4.2.2", "452 4.2.2 mailbox full"))
            return
    said = f"250 2.0.0 OK {chance.getrandbits(32)} {chance.getrandbits(64):016x} - gsmtp"
    millis = int((at - sent).total_seconds() * 1000)
    yield at, records.delivery(of, _iso(at), millis, address, smtpResponse=said, remoteMtaIp=_ip(chance))
    if chance.random() < 0.15:
        at = after(chance.uniform(3, 60))
        yield at, records.opened(of, _iso(at), ipAddress=_ip(chance), isBotEvent="Likely")
    if chance.random() < 0.20:
        at = after(chance.lognormvariate(9, 1.5))
        yield at, records.opened(of, _iso(at), ipAddress=_ip(chance), isBotEvent="Unlikely")
        if chance.random() < 0.2:
            link = f"https://www.example.com/{campaign}/{chance.randrange(20)}?reader={reader}"
            at += datetime.timedelta(seconds=chance.uniform(2, 200))
            yield at, records.click(of, _iso(at), link, ipAddress=_ip(chance), linkTags=None, isBotEvent="Unlikely")
    if chance.random() < 0.001:
        at = after(chance.uniform(3600, 100_000))
        yield at, records.complaint(of, _iso(at), address, complaintSubType=None, complaintFeedbackType="abuse")


def _iso(time: datetime.datetime) -> str:
    return time.isoformat(timespec="milliseconds") + "Z"


def _ip(chance: random.Random) -> str:
    return f"198.51.{chance.randrange(256)}.{chance.randrange(256)}"


def _write(folder: Path, count: int, objects: int) -> str:
    """Write the events in all layouts; a message of theirs, sent some days before the last."""
    connection = duckdb.connect()
    message = ""
    for day, arrived in days(count):
        message = arrived[0]["mail"]["messageId"] if TODAY - day == datetime.timedelta(days=3) else message
        for number in range(objects):
            part = arrived[len(arrived) * number // objects : len(arrived) * (number + 1) // objects]
            lines = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in part).encode()
            raw, packed, parquet = (folder / layout / f"dt={day}" / f"{number}" for layout in LAYOUTS)
            for place in (raw, packed, parquet):
                place.mkdir(parents=True)
            (raw / "events.json").write_bytes(lines)
            (packed / "events.json.gz").write_bytes(gzip.compress(lines, 6))
            connection.execute(
                f"COPY (SELECT * EXCLUDE dt FROM {athena.json_lines(raw)}) "
                f"TO '{parquet / 'events.parquet'}' (FORMAT parquet, COMPRESSION snappy)"
            )
    return message


def _cost(folder: Path, name: str, message: str) -> str:
    """What a query scans in a layout, and the median time of three runs."""
    (query,) = (
        query
        for query in named_queries("bench", "events", "campaign") + prepared_statements("bench", "events", "campaign")
        if query.name == name
    )
    parquet = folder.name == "parquet"
    everything = f"'{folder}/**/*.parquet', hive_partitioning = true, hive_types = {{'dt': 'VARCHAR'}}"
    source = f"read_parquet({everything})" if parquet else athena.json_lines(folder)
    connection = athena.connect("bench", "events", source)
    sql = athena.as_duckdb(query.sql, TODAY)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        rows = connection.execute(sql, [message] if "= ?" in sql else []).fetchall()
        times.append(time.perf_counter() - start)
    assert rows, f"{name} found nothing"
    (back,) = re.findall(r"dt >= .*INTERVAL '(\d+)' DAY", query.sql)
    first = f"dt={TODAY - datetime.timedelta(days=int(back))}"
    read = [path for path in _objects(folder) if path.parent.parent.name >= first]
    scanned = _columns(connection, read, query.sql) if parquet else sum(path.stat().st_size for path in read)
    return f"{scanned / 1e6:,.1f} MB, {statistics.median(times):.1f} s"


def _objects(folder: Path) -> Iterator[Path]:
    return folder.glob("*/*/events.*")


def _columns(connection: duckdb.DuckDBPyConnection, objects: list[Path], sql: str) -> int:
    """The compressed bytes of the columns that a query names, without those of rows it makes and does not read."""
    statement = sqlglot.parse_one(sql, dialect="athena")
    (made,) = [cte.this for cte in statement.find_all(exp.CTE) if cte.alias == "recipient_events"]
    used = Counter(column.name for column in statement.find_all(exp.Column))
    used -= Counter(column.name for column in made.find_all(exp.Column))
    made.set("expressions", [column for column in made.expressions if column.alias in used])
    names = set(re.findall(r"\be\.(\w+(?:\.\w+)*)", statement.sql("athena", comments=False)))
    pattern = f"({'|'.join(sorted(names))})(\\..*)?"
    (scanned,) = connection.execute(
        "SELECT sum(total_compressed_size) FROM parquet_metadata(?) "
        "WHERE regexp_full_match(lower(replace(path_in_schema, ', ', '.')), ?)",
        [[str(path) for path in objects], pattern],
    ).fetchall()[0]
    return int(scanned)


if __name__ == "__main__":
    main()
