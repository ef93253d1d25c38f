"""What can go wrong with the publishing of events, and how CloudWatch sees it: the alarms of ``EventMonitoring``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ses as ses

from ses_events.monitoring.own_alarm_rules import single_metrics
from ses_events.publishing.cloudwatch import rate_of
from ses_events.tokens import is_deferred

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

    from ses_events.archive.archive import EventArchive
    from ses_events.publishing.publishing import EventPublishing

HOUR = 12
"""Periods of 5 minutes: an alarm about single events stays until there was none for so long, and does not flap."""

_IN_WORDS = {
    "GREATER_THAN_OR_EQUAL_TO_THRESHOLD": "at least",
    "GREATER_THAN_THRESHOLD": "more than",
    "LESS_THAN_THRESHOLD": "less than",
    "LESS_THAN_OR_EQUAL_TO_THRESHOLD": "at most",
}
"""The comparisons that have one threshold."""


@dataclass(frozen=True)
class AlarmRule:
    """An alarm before it is made.

    :param name: the attribute of ``EventMonitoring`` that holds the alarm.
    :param description: what happened, what AWS does, what to look at; a person reads it in a mail at night.
    :param periods: how many periods are looked at.
    :param breaching: how many of them are beyond the threshold in an alarm. Default: all.
    :param query: the saved query that shows the mail it is about, where one does.
    :param verify: whether ``ses-events verify`` finds the cause.
    """

    name: str
    metric: cloudwatch.Metric | cloudwatch.MathExpression
    threshold: float
    description: str
    comparison: str = "GREATER_THAN_OR_EQUAL_TO_THRESHOLD"
    periods: int = 1
    breaching: int | None = None
    missing_data: str = "NOT_BREACHING"
    query: str | None = None
    verify: bool = False


def account_alarms(publishing: EventPublishing, bounce_rate: float, complaint_rate: float) -> Iterator[AlarmRule]:
    """Yield the alarms about the reputation of the account, by which AWS decides."""
    whose = "this account's mail in this region"
    yield _bounces("account_bounce_rate", publishing.metric_account_bounce_rate(), bounce_rate, whose)
    yield _complaints("account_complaint_rate", publishing.metric_account_complaint_rate(), complaint_rate, whose)


def reputation_alarms(publishing: EventPublishing, bounce_rate: float, complaint_rate: float) -> Iterator[AlarmRule]:
    """Yield the alarms about the reputation of a configuration set that has reputation metrics."""
    whose = f"mail with the configuration set {publishing.configuration_set_name}"
    yield _bounces("bounce_rate", publishing.metric_bounce_rate(), bounce_rate, whose)
    yield _complaints("complaint_rate", publishing.metric_complaint_rate(), complaint_rate, whose)


def set_alarms(
    publishing: EventPublishing,
    counts: Mapping[ses.EmailSendingEvent, cloudwatch.Metric],
    archive: EventArchive | None,
    rejects: int,
    rendering_failures: int,
) -> Iterator[AlarmRule]:
    """Yield the alarms about the mail and the events of a configuration set.

    :param counts: what is counted of the set as a whole.
    :param archive: where its Send events are to arrive, if anywhere.
    """
    event = ses.EmailSendingEvent
    yield rejects_alarm(publishing, counts.get(event.REJECT), rejects)
    yield rendering_failures_alarm(publishing, counts.get(event.RENDERING_FAILURE), rendering_failures)
    if event.SEND in counts and archive:
        yield silent_archive_alarm(publishing, counts[event.SEND], archive)


def rejects_alarm(publishing: EventPublishing, of_the_set: cloudwatch.Metric | None, rejects: int) -> AlarmRule:
    """Mail that SES took and then did not send; of the account where the set is not counted."""
    return AlarmRule(
        "rejects",
        of_the_set or publishing.metric_account(ses.EmailSendingEvent.REJECT),
        rejects,
        f"SES rejected mail ({_whose(publishing, of_the_set)}): it found a virus and did not send "
        "it; the recipients get nothing. Look at the Reject events in the archive for the sender and the campaign, and "
        "at what the mail attached.",
        periods=HOUR,
        breaching=1,
        query="never_sent",
    )


def rendering_failures_alarm(
    publishing: EventPublishing, of_the_set: cloudwatch.Metric | None, failures: int
) -> AlarmRule:
    """Mail whose template does not fit its data; of the account where the set is not counted."""
    return AlarmRule(
        "rendering_failures",
        of_the_set or publishing.metric_account(ses.EmailSendingEvent.RENDERING_FAILURE),
        failures,
        f"SES could not render a template ({_whose(publishing, of_the_set)}): it accepted the "
        "call and sent no mail. Look at the Rendering Failure events in the archive: templateName and errorMessage "
        "name the template and the variable that its data lacks; then send again.",
        periods=HOUR,
        breaching=1,
        query="never_sent",
    )


def silent_archive_alarm(publishing: EventPublishing, sends: cloudwatch.IMetric, archive: EventArchive) -> AlarmRule:
    """Mail is sent, and nothing of it arrives: the only sight of a broken role or destination.

    Judged is the mail of the period before, ``x - DIFF(x)``, by the records of that one and the newest: an event may
    arrive in the next period, and Firehose may have yet to report the newest minutes. The periods end at every minute,
    so mail at a fixed minute of the hour would otherwise fall apart from its events again and again. Without mail there
    is no data point, and the alarm stays as it is: neither rare mail nor the quiet after it says that all is well.

    Whether FILL gives anything of a metric without a point is open. Beside the sends, records that it does not give
    count as 0: a stream that never had a record is silent.
    """
    name = publishing.configuration_set_name
    return AlarmRule(
        "silent_archive",
        cdk.aws_cloudwatch.MathExpression(
            expression=(
                "IF(FILL(sends, 0) - DIFF(FILL(sends, 0)) > 0, "
                "IF(0 * FILL(sends, 0) + 2 * FILL(records, 0) - DIFF(FILL(records, 0)) == 0, 1, 0))"
            ),
            using_metrics={"sends": sends, "records": archive.metric_incoming_records()},
            label="mail sent, no event archived",
            period=cdk.Duration.minutes(15),
        ),
        1,
        f"Mail was sent with the configuration set {name}, and in a quarter of an hour no event reached the delivery "
        f"stream {archive.delivery_stream_name}. SES tells nobody of it and keeps nothing: these events are lost. Look "
        "at the event destination of the set (does it exist, is it enabled?), at the role it names (trust and "
        "firehose:PutRecordBatch; CloudTrail has its AssumeRole) and at the stream. The alarm ends when events of "
        "later mail arrive.",
        missing_data="IGNORE",
        verify=True,
    )


def own_alarm(
    name: str,
    metric: cloudwatch.Metric | cloudwatch.MathExpression,
    threshold: float,
    comparison: str,
    description: str | None,
) -> AlarmRule:
    """Return the rule of an alarm of the caller's, described by what it says where no description is given."""
    description = description or _as_said(metric, threshold, comparison)
    if not comparison.startswith("LESS_THAN"):
        return AlarmRule(name, metric, threshold, description, comparison)
    if isinstance(metric, cdk.aws_cloudwatch.MathExpression) and rate_of(metric):
        metric = cdk.aws_cloudwatch.MathExpression(
            expression=metric.expression.removesuffix("0)") + "1)",  # with too little mail to say anything
            using_metrics=metric.using_metrics,
            label=metric.label,
            period=metric.period,
        )
    # CloudWatch has no data point of what was not counted: no mail at all is less than any number of mails.
    is_count = getattr(metric, "statistic", "") == "Sum"
    missing_data = "BREACHING" if is_count else "NOT_BREACHING"
    return AlarmRule(name, metric, threshold, description, comparison, missing_data=missing_data)


def _as_said(metric: cloudwatch.Metric | cloudwatch.MathExpression, threshold: float, comparison: str) -> str:
    """Return an alarm in a sentence, such as ``Bounce / Send (campaign spring) was at least 5 % in 1 hour``."""
    if isinstance(metric, cdk.aws_cloudwatch.Metric):
        what, dimensions = f"{metric.statistic} of {metric.metric_name}", metric.dimensions
    else:
        what, dimensions = "metric math", next(single_metrics(metric)).dimensions if rate_of(metric) else None
    of = ", ".join(f"{name} {value}" for name, value in (dimensions or {}).items())
    value = percent(threshold) if rate_of(metric) or is_deferred(threshold) else threshold
    said = f"was {_IN_WORDS[comparison]} {value} in {metric.period.to_human_string()}."
    what = metric.label or what
    return f"{what} ({of}) {said}" if of and len(of) < 512 else f"{what} {said}"


def _bounces(name: str, metric: cloudwatch.Metric, rate: float, whose: str) -> AlarmRule:
    description = (
        f"The bounce rate of {whose} has reached {percent(rate)}. AWS reviews an account when 5 % of all its mail "
        "bounces, and may pause its sending at 10 %. Look in the SES console under Reputation metrics, and on the "
        "dashboard for the campaign whose bounces rose; stop it, and take the bounced addresses off the list."
    )
    return AlarmRule(name, metric, rate, description, missing_data="IGNORE", query="addresses_to_remove")


def _complaints(name: str, metric: cloudwatch.Metric, rate: float, whose: str) -> AlarmRule:
    description = (
        f"The complaint rate of {whose} has reached {percent(rate)}. AWS reviews an account when recipients complain "
        "about 0.1 % of all its mail, and may pause its sending at 0.5 %. Look in the SES console under Reputation "
        "metrics, and on the dashboard for the campaign with the complaints; stop it, and write to those who asked."
    )
    return AlarmRule(name, metric, rate, description, missing_data="IGNORE", query="addresses_to_remove")


def _whose(publishing: EventPublishing, of_the_set: cloudwatch.Metric | None) -> str:
    name = publishing.configuration_set_name
    return f"configuration set {name}" if of_the_set else "some mail of this account in this region"


def percent(value: float) -> str:
    """Return a fraction as a person reads it; what is known at deployment only is the alarm's threshold."""
    return "its threshold" if is_deferred(value) else f"{value * 100:g} %"
