"""The dashboard of ``EventMonitoring``: from the last day in numbers down to the questions to ask the archive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ses as ses
from aws_cdk.aws_ses import EmailSendingEvent
from constructs import Construct

from ses_events.monitoring.alarms import AlarmRule
from ses_events.publishing.cloudwatch import CONFIGURATION_SET, CloudWatchDestination
from ses_events.record.names import COUNTED_AGAINST, metric_name

if TYPE_CHECKING:
    from ses_events.analytics.analytics import EventAnalytics
    from ses_events.archive.archive import EventArchive
    from ses_events.publishing.publishing import EventPublishing

Rules = Mapping[str, AlarmRule]
Counts = Mapping[EmailSendingEvent, cloudwatch.Metric]
Row = list[cloudwatch.IWidget]

_DAY = (
    EmailSendingEvent.SEND,
    EmailSendingEvent.DELIVERY,
    EmailSendingEvent.BOUNCE,
    EmailSendingEvent.COMPLAINT,
    EmailSendingEvent.REJECT,
)
_ENGAGEMENT = (EmailSendingEvent.OPEN, EmailSendingEvent.CLICK)
_REPUTATION = (
    # title, alarm, where AWS reviews an account, where it may pause it
    ("Bounce rate", "bounce_rate", 0.05, 0.1),
    ("Complaint rate", "complaint_rate", 0.001, 0.005),
)
_IS_GOV_CLOUD: MutableMapping[cdk.Stack, cdk.CfnCondition] = WeakKeyDictionary()
"""The condition of each stack that has one: CloudFormation warns of two that say the same."""


def new_dashboard(
    scope: Construct,
    publishing: EventPublishing | None,
    archive: EventArchive | None,
    analytics: EventAnalytics | None,
    of_the_set: Counts,
    alarms: Mapping[str, cloudwatch.Alarm],
    rules: Rules,
) -> cloudwatch.Dashboard:
    """Return a dashboard with no name of its own, about the region of its stack.

    :param of_the_set: what is counted of the configuration set as a whole.
    :param alarms: each is listed.
    :param rules: theirs, by name: the threshold is a line in the graph of the metric. An alarm knows both as well, but
        asking it costs six round trips a line.
    """
    variables: list[cloudwatch.IVariable] = []
    rows: list[Row] = [[cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms.values()), width=24, height=4)]]
    if publishing:
        rows += [_numbers(publishing, of_the_set), _reputation(publishing, rules), _faults(rules)]
        tagged = _counted_by_tags(publishing)
        if tagged:
            destination, events = tagged
            variables += _variables(publishing, destination, events)
            rows += _by_tag(publishing, destination, events)
        rows += _engagement(publishing, tagged)
    if archive:
        rows += _archive(archive, rules)
    if analytics:
        rows.append([_queries(scope, analytics)])
    return cloudwatch.Dashboard(
        scope, "Dashboard", default_interval=cdk.Duration.hours(24), variables=variables, widgets=rows
    )


def _counted_by_tags(
    publishing: EventPublishing,
) -> tuple[CloudWatchDestination, frozenset[EmailSendingEvent]] | None:
    """Return the first destination that counts by something else than the configuration set."""
    for _, _, _, destination, events in publishing.destinations:
        if isinstance(destination, CloudWatchDestination) and events and not destination.is_of_the_set:
            return destination, events
    return None


def _numbers(publishing: EventPublishing, of_the_set: Counts) -> Row:
    """Of the set where it is counted, else of the account: the title says whose they are."""
    whose = "This configuration set" if of_the_set else "All mail of the account in this region"
    counts = of_the_set or {event: publishing.metric_account(event) for event in _DAY}
    day = cdk.Duration.days(1)
    shown = [counts[event].with_(label=metric_name(event.name), period=day) for event in _DAY if event in counts]
    return [
        cloudwatch.SingleValueWidget(
            title=f"{whose}, in the time shown", metrics=shown, set_period_to_time_range=True, width=24, height=3
        )
    ]


def _reputation(publishing: EventPublishing, rules: Rules) -> Row:
    """Return the rates as SES reckons them, with what AWS does at which rate."""
    rates: dict[str, list[cloudwatch.IMetric]] = {
        "bounce_rate": [publishing.metric_account_bounce_rate().with_(label="account")],
        "complaint_rate": [publishing.metric_account_complaint_rate().with_(label="account")],
    }
    if "bounce_rate" in rules:
        for name, shown in rates.items():
            shown.append(rules[name].metric.with_(label="configuration set"))
    return [
        _graph(
            title,
            rates[name],
            [
                *_lines(rules, f"account_{name}", name)[:1],
                cloudwatch.HorizontalAnnotation(value=review, label="AWS reviews the account"),
                cloudwatch.HorizontalAnnotation(value=pause, label="AWS may pause sending"),
            ],
        )
        for title, name, review, pause in _REPUTATION
    ]


def _faults(rules: Rules) -> Row:
    """Return the graph of what should be zero."""
    names = [name for name in ("rejects", "rendering_failures", "silent_archive") if name in rules]
    return [
        _graph(name.replace("_", " ").capitalize(), [rules[name].metric], _lines(rules, name), 24 // len(names))
        for name in names
    ]


def _variables(
    publishing: EventPublishing, destination: CloudWatchDestination, events: frozenset[EmailSendingEvent]
) -> Iterator[cloudwatch.IVariable]:
    """Yield a choice among the values seen for each dimension; it changes that dimension of all metrics shown."""
    first = next(event for event in EmailSendingEvent if event in events)
    ids: list[str] = []
    for dimension in _to_choose(destination):
        plain = "".join(each if each.isalnum() else "_" for each in dimension.name)
        while plain in ids:  # as that of a-b and of a_b
            plain += "_"
        ids.append(plain)
        yield cloudwatch.DashboardVariable(
            id=plain,
            label=dimension.name,
            type=cloudwatch.VariableType.PROPERTY,
            value=dimension.name,
            input_type=cloudwatch.VariableInputType.SELECT,
            values=cloudwatch.Values.from_search(_search(publishing, destination, first), dimension.name),
            default_value=cloudwatch.DefaultValue.value(dimension.default_value),
            visible=True,
        )


def _by_tag(
    publishing: EventPublishing, destination: CloudWatchDestination, events: frozenset[EmailSendingEvent]
) -> Iterator[Row]:
    """One value, chosen by the variables; then all values against each other."""
    name = _to_choose(destination)[0].name
    chosen = _chosen(publishing, destination)
    hour = cdk.Duration.hours(1)
    volumes = [
        destination.metric(event, chosen).with_(label=metric_name(event.name), period=hour)
        for event in EmailSendingEvent
        if event in events and event not in _ENGAGEMENT
    ]
    rates = [
        destination.rate(event, chosen, minimum=1)
        for event in (EmailSendingEvent.BOUNCE, EmailSendingEvent.COMPLAINT)
        if {event, EmailSendingEvent[COUNTED_AGAINST[event.name]]} <= events
    ]
    reviews = [
        cloudwatch.HorizontalAnnotation(value=review, label=f"{title}: AWS reviews the account")
        for title, _, review, _ in _REPUTATION
    ]
    yield [
        *([_graph(f"One {name}, chosen above: mail an hour", volumes)] if volumes else []),
        *([_graph(f"One {name}, chosen above: rates", rates, reviews)] if rates else []),
    ]
    if EmailSendingEvent.BOUNCE in events:
        search = cloudwatch.MathExpression(
            expression=f"SEARCH('{_search(publishing, destination, EmailSendingEvent.BOUNCE)}', 'Sum', 3600)",
            using_metrics={},
            label="",
            period=hour,
        )
        yield [_graph(f"Bounces an hour by {name}", [search], width=24)]


def _engagement(
    publishing: EventPublishing, tagged: tuple[CloudWatchDestination, frozenset[EmailSendingEvent]] | None
) -> Iterator[Row]:
    """Yield opens and clicks where the set publishes them, as SES looks for them only then."""
    published = {event for each in publishing.destinations for event in each.events if event in _ENGAGEMENT}
    if not published:
        return
    if tagged and published <= tagged[1]:
        destination, chosen = tagged[0], _chosen(publishing, tagged[0])
        title = f"One {_to_choose(destination)[0].name}, chosen above: opens and clicks an hour"
        counts = {event: destination.metric(event, chosen) for event in published}
    else:
        title = "Opens and clicks an hour, all mail of the account in this region"
        counts = {event: publishing.metric_account(event) for event in published}
    shown = [
        counts[event].with_(label=metric_name(event.name), period=cdk.Duration.hours(1))
        for event in _ENGAGEMENT
        if event in counts
    ]
    yield [_graph(title, shown, width=24)]


def _archive(archive: EventArchive, rules: Rules) -> Iterator[Row]:
    """Yield the stream against its quotas, what it turned away, how far it is behind, and whether S3 takes the rest."""
    quotas = [f"{what}_near_quota" for what in ("bytes", "records", "put_requests")]
    freshness = [archive.metric_data_freshness().with_(label="events")]
    success = [archive.metric_delivery_success().with_(label="events")]
    if "backup_success" in rules:
        freshness.append(archive.metric_backup_freshness().with_(label="JSON"))
        success.append(archive.metric_backup_success().with_(label="JSON"))
    speed = cloudwatch.MathExpression(
        expression="bytes / PERIOD(bytes)",
        using_metrics={"bytes": archive.metric_incoming_bytes()},
        label="bytes a second",
    )
    yield [
        _graph(
            "Archive: bytes, and their quota", [speed, archive.metric_bytes_per_second_limit().with_(label="quota")]
        ),
        _graph(
            "Archive: share of its quotas", [rules[name].metric for name in quotas], _lines(rules, quotas[0])
        ),
    ]  # fmt: skip
    yield [
        _graph("Archive: events that came", [archive.metric_incoming_records()]),
        _graph("Archive: events turned away", [archive.metric_throttled_records()], _lines(rules, "throttled")),
    ]
    yield [
        _graph("Archive: seconds that the oldest waits", freshness, _lines(rules, "data_freshness")),
        _graph("Archive: share of writes that S3 takes", success, _lines(rules, "delivery_success")),
    ]
    others = [name for name in rules if name.startswith("key_") or name == "failed_conversion"]
    if others:
        metrics = [rules[name].metric for name in others]
        yield [_graph("Archive: key and conversion", metrics, _lines(rules, others[0]), 24)]


def _queries(scope: Construct, analytics: EventAnalytics) -> cloudwatch.IWidget:
    """Return the saved queries: what each answers, its id, and the way to the editor that has them."""
    stack = cdk.Stack.of(scope)
    if stack not in _IS_GOV_CLOUD:
        is_gov = cdk.Fn.condition_equals(cdk.Aws.PARTITION, "aws-us-gov")
        _IS_GOV_CLOUD[stack] = cdk.CfnCondition(scope, "IsGovCloud", expression=is_gov)
    domain = cdk.Fn.condition_if(_IS_GOV_CLOUD[stack].logical_id, "amazonaws-us-gov.com", "aws.amazon.com").to_string()
    region = stack.region
    editor = f"https://{region}.console.{domain}/athena/home?region={region}#/query-editor"
    lines = [
        f"| {name} | {analytics._titles[name]} | `{query.attr_named_query_id}` |"
        for name, query in analytics.named_queries.items()
    ]
    return cloudwatch.TextWidget(
        markdown="\n".join(
            [
                f"### [Ask the archive]({editor}): saved queries of the workgroup `{analytics.workgroup_name}`",
                "",
                "| query | what it answers | id |",
                "|---|---|---|",
                *lines,
            ]
        ),
        width=24,
        height=2 + len(lines),
    )


def _to_choose(destination: CloudWatchDestination) -> list[ses.CloudWatchDimension]:
    """Return the dimensions that a variable is about: all but the configuration set, as the dashboard is about one."""
    return [dimension for dimension in destination.dimensions if dimension.name != CONFIGURATION_SET]


def _chosen(publishing: EventPublishing, destination: CloudWatchDestination) -> dict[str, str]:
    """Return a value for each dimension of a destination: the configuration set, and what the variables start with."""
    chosen = {dimension.name: dimension.default_value for dimension in destination.dimensions}
    return chosen | ({CONFIGURATION_SET: publishing.configuration_set_name} if CONFIGURATION_SET in chosen else {})


def _search(publishing: EventPublishing, destination: CloudWatchDestination, event: EmailSendingEvent) -> str:
    """Return a search for the metrics of an event with exactly the dimensions of a destination."""
    names = [dimension.name for dimension in destination.dimensions]
    of_the_set = f' "{CONFIGURATION_SET}"="{publishing.configuration_set_name}"' if CONFIGURATION_SET in names else ""
    quoted = ",".join(f'"{name}"' for name in names)
    return f'{{AWS/SES,{quoted}}} MetricName="{metric_name(event.name)}"{of_the_set}'


def _lines(rules: Rules, *names: str) -> list[cloudwatch.HorizontalAnnotation]:
    """Return the thresholds of those alarms that exist."""
    return [
        cloudwatch.HorizontalAnnotation(value=rules[name].threshold, label="alarm") for name in names if name in rules
    ]


def _graph(
    title: str,
    metrics: Iterable[cloudwatch.IMetric],
    lines: Iterable[cloudwatch.HorizontalAnnotation] = (),
    width: int = 12,
) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=list(metrics),
        left_annotations=list(lines),
        left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
        width=width,
        height=6,
    )
