"""The dashboard of the reference stack after a day of mail, as docs/pictures/dashboard*.svg, from a real run on the
local AWS, in five minutes: python -m tools.dashboard_picture

Its time is faster there: an hour of AWS is twelve seconds, and five minutes, the shortest period shown, one. SES's own
rates of the account and the set are the one thing that the local AWS lacks; they are put there from what it counted.
"""

from __future__ import annotations

import json
import math
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from local_aws import LocalAws
from local_aws.cloudwatch.metric_math import Series, evaluate
from local_aws.demo import DOMAIN, STACK
from ses_events import SesEventsStack
from tests.local_aws.support.deployed import app, deploy, outputs_of
from tests.support.templates import ROOT, Json
from tools.drawn_widgets import Line, Widget, drawn

PICTURES = ROOT / "docs/pictures"
FIRST_ROWS = 25
"""How much of the grid of the dashboard is on the first screen, which the README shows."""

SPEED = 300
SHORTEST = 300
DAY = 24 * 3600
_SEARCH = re.compile(r"""SEARCH\('\{(.*?),"(.*?)"\} MetricName="(.*?)"', '(\w+)', (\d+)\)""")
VIRUS = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE"
CHOSEN = "spring"


def main() -> None:
    """Deploy, send a day's mail, and draw what the dashboard shows then."""
    with LocalAws(SPEED) as aws:
        stack = SesEventsStack(app(), STACK)
        assert deploy(aws, stack) == []
        configuration_set = outputs_of(aws, stack)["ConfigurationSetName"]
        begin = math.ceil(time.time())
        _send_a_day(aws, configuration_set, begin)
        shown = [*_shown(aws, begin)]
    PICTURES.joinpath("dashboard.svg").write_text(drawn(shown, f"campaign: {CHOSEN} ▾"))
    first = [widget for widget in shown if widget.y + widget.height <= FIRST_ROWS]
    PICTURES.joinpath("dashboard-first.svg").write_text(drawn(first, f"campaign: {CHOSEN} ▾"))


def _send_a_day(aws: LocalAws, configuration_set: str, begin: float) -> None:
    """Send mail of three campaigns, one of which goes to an old list in the evening, and two mails with a virus."""
    aws.client("sesv2").create_email_identity(EmailIdentity=DOMAIN)
    chance = random.Random(2016)
    infected = [0.39, 0.985]
    reputation = begin
    while (passed := (time.time() - begin) * SPEED / DAY) < 1:
        campaign = chance.choices(["spring", "welcome", ""], [5, 3, 1])[0]
        old_list = campaign == "spring" and 0.7 < passed < 0.85
        kind = chance.choices(["bounce", "complaint", "success"], [70, 4, 26] if old_list else [1, 0, 99])[0]
        body = "Is anybody there?"
        if infected and passed > infected[0]:
            infected.pop(0)
            body = VIRUS
        aws.client("sesv2").send_email(
            FromEmailAddress=f"sender@{DOMAIN}",
            Destination={"ToAddresses": [f"{kind}@simulator.amazonses.com"]},
            Content={"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": body}}}},
            ConfigurationSetName=configuration_set,
            EmailTags=[{"Name": "campaign", "Value": campaign}] if campaign else [],
        )
        if time.time() > reputation + 0.5:
            reputation = time.time()
            _put_reputation(aws, configuration_set, begin)
        busy = 1.5 if old_list else 0.6 - 0.5 * math.cos(2 * math.pi * passed)
        time.sleep(0.08 / busy * chance.uniform(0.5, 1.5))


def _put_reputation(aws: LocalAws, configuration_set: str, begin: float) -> None:
    of_the_set = ["ses:configuration-set", configuration_set]
    sums = {
        name: sum(point or 0 for point in _points(aws, begin, ["AWS/SES", name, *of_the_set], "Sum", SHORTEST))
        for name in ("Send", "Delivery", "Bounce", "Complaint")
    }
    rates = {"Bounce": sums["Bounce"] / (sums["Send"] or 1), "Complaint": sums["Complaint"] / (sums["Delivery"] or 1)}
    data = [
        {"MetricName": f"Reputation.{name}Rate", "Value": rate, "Dimensions": dimensions}
        for name, rate in rates.items()
        for dimensions in ([], [{"Name": of_the_set[0], "Value": configuration_set}])
    ]
    aws.client("cloudwatch").put_metric_data(Namespace="AWS/SES", MetricData=data)


def _shown(aws: LocalAws, begin: float) -> Iterator[Widget]:
    """Yield the widgets of the deployed dashboard, but for those of text, with their metrics of the day."""
    cloudwatch = aws.client("cloudwatch")
    [entry] = cloudwatch.list_dashboards()["DashboardEntries"]
    body = cloudwatch.get_dashboard(DashboardName=entry["DashboardName"])["DashboardBody"]
    [variable] = json.loads(body)["variables"]
    body = re.sub(
        rf'"{variable["property"]}","{variable["defaultValue"]}"', f'"{variable["property"]}","{CHOSEN}"', body
    )
    for each in json.loads(body)["widgets"]:
        about = each["properties"]
        if each["type"] == "text":
            continue
        widget = Widget(each["type"], about["title"], *(each[name] for name in ("x", "y", "width", "height")))
        limits = about.get("annotations", {}).get("horizontal", [])
        widget.limits = [(limit["value"], limit["label"]) for limit in limits]
        if each["type"] == "alarm":
            widget.states = _states(aws, about["alarms"])
        elif about["view"] == "singleValue":
            widget.kind = "number"
            widget.lines = [*_lines(aws, begin, about["metrics"])]
        else:
            widget.title = widget.title.replace("chosen above", CHOSEN)
            widget.lines = [*_lines(aws, begin, about["metrics"])]
        yield widget


def _states(aws: LocalAws, arns: Sequence[str]) -> dict[str, str]:
    """The state of each alarm, by its name in docs/operations.md, to which its description links."""
    alarms = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    by_arn = {alarm["AlarmArn"]: alarm for alarm in alarms}
    return {by_arn[arn]["AlarmDescription"].rpartition("#")[2]: by_arn[arn]["StateValue"] for arn in arns}


def _lines(aws: LocalAws, begin: float, rows: Sequence[list[Any]]) -> Iterator[Line]:
    """Yield the lines that the rows of a widget make: metrics, expressions about those, and searches."""
    split = [(row[:-1], row[-1]) if isinstance(row[-1], dict) else (row, {}) for row in rows]
    by_id = {
        options.get("id", ""): _points(aws, begin, names, options.get("stat", "Average"), _period(options))
        for names, options in split
        if names
    }
    for names, options in split:
        expression = options.get("expression")
        search = _SEARCH.fullmatch(expression or "")
        if not options.get("visible", True):
            continue
        if search:
            namespace, dimension, name, stat, period = search.groups()
            for value in _values(aws, namespace, name, dimension):
                yield Line(value, _points(aws, begin, [namespace, name, dimension, value], stat, int(period)))
        elif expression:
            yield Line(options["label"], evaluate(expression, by_id, _period(options)))
        else:
            points = _points(aws, begin, names, options.get("stat", "Average"), _period(options))
            yield Line(options.get("label", names[1]), points)


def _period(options: Json) -> int:
    return int(options.get("period", SHORTEST))


def _values(aws: LocalAws, namespace: str, name: str, dimension: str) -> list[str]:
    """The values of the one dimension of a metric."""
    metrics = aws.client("cloudwatch").list_metrics(Namespace=namespace, MetricName=name)["Metrics"]
    dimensions = [metric["Dimensions"] for metric in metrics]
    return sorted(each[0]["Value"] for each in dimensions if [of["Name"] for of in each] == [dimension])


def _points(aws: LocalAws, begin: float, metric: Sequence[str], stat: str, period: int) -> Series:
    """The statistic for each period of the day of a metric: namespace, name, and each dimension with its value."""
    namespace, name, *dimensions = metric
    found = aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[
            {"Name": each, "Value": value} for each, value in zip(dimensions[::2], dimensions[1::2], strict=True)
        ],
        StartTime=datetime.fromtimestamp(begin, timezone.utc),
        EndTime=datetime.fromtimestamp(begin + DAY / SPEED, timezone.utc),
        Period=SHORTEST // SPEED,
        Statistics=["Sum", "SampleCount", "Maximum"],
    )["Datapoints"]
    periods: list[list[Mapping[str, Any]]] = [[] for _ in range(DAY // period)]
    for point in found:
        periods[int((point["Timestamp"].timestamp() - begin) * SPEED // period)].append(point)
    return [_statistic(points, stat) for points in periods]


def _statistic(points: Sequence[Mapping[str, Any]], stat: str) -> float | None:
    if not points:
        return None
    if stat == "Maximum":
        return float(max(point["Maximum"] for point in points))
    total = float(sum(point["Sum"] for point in points))
    return total if stat == "Sum" else total / sum(point["SampleCount"] for point in points)


if __name__ == "__main__":
    main()
