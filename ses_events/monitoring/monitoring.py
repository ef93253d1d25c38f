"""Who is told when the publishing of events goes wrong: alarms and a dashboard over the parts of the system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ses as ses
from aws_cdk.aws_ses import EmailSendingEvent
from constructs import Construct

from ses_events import validation
from ses_events.monitoring import alarms, rules
from ses_events.publishing import rules as publishing_rules
from ses_events.publishing.cloudwatch import CONFIGURATION_SET, CloudWatchDestination
from ses_events.validation import check, instance, new_id, stack_of

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

    from ses_events.analytics.analytics import EventAnalytics
    from ses_events.archive.archive import EventArchive
    from ses_events.publishing.publishing import EventPublishing

COUNTED = (
    EmailSendingEvent.SEND,
    EmailSendingEvent.DELIVERY,
    EmailSendingEvent.BOUNCE,
    EmailSendingEvent.COMPLAINT,
    EmailSendingEvent.REJECT,
    EmailSendingEvent.RENDERING_FAILURE,
)
"""The events of a configuration set that ``EventMonitoring`` counts."""


class EventMonitoring(Construct):
    """Alarms over a configuration set and its archive, and a dashboard that shows both.

    In the template: an ``AWS::CloudWatch::Alarm`` for everything of docs/operations.md that can go wrong with these
    parts, each with a description that says what happened, what AWS does and what to look at; an
    ``AWS::CloudWatch::Dashboard``; and on the configuration set an event destination ``ToMonitoring`` that counts Send,
    Delivery, Bounce, Complaint, Reject and Rendering Failure of the set as a whole, but for what a destination with
    ``ses:configuration-set`` as its only dimension counts already. Without that count nobody sees that the archive is
    silent: when SES cannot put an event into a stream, it says so nowhere.

    Give the set its destinations first: one that counts or archives is refused once an EventMonitoring has looked.

    In us-east-1 an alarm costs $0.10 a month for each of its metrics, the dashboard $3 (three are free in an account)
    and a count of the set $0.30 each, in months in which there is something to count.

    :param publishing: the configuration set to watch, of the account and region of this stack. Default: none, for an
        archive that several sets share.
    :param archive: the archive to watch, of the same account and region; give one that several sets share to one
        EventMonitoring only. The alarm ``silent_archive`` is about this archive, or else about the first that the set
        publishes Send to. Where several sets share it, their events hide that one set's are missing. Default: none, and
        no alarm about a stream.
    :param analytics: whose saved queries the dashboard names, with the way to them. Default: none.
    :param alarm_actions: what to do when something goes wrong, such as ``aws_cloudwatch_actions.SnsAction(topic)``; at
        most 5. A topic is a standard one of this region; one with a policy, as ``enforce_ssl`` makes it, or with a key
        must let CloudWatch in, or nobody is told (docs/operations.md). A Lambda function that several EventMonitoring
        are to tell subscribes to a topic. Default: nothing, and the alarms are seen in CloudWatch only.
    :param ok_actions: what to do when it is over. Default: nothing.
    :param account_reputation: whether to watch the rates of all mail of the account in this region, by which AWS
        decides; once an account and region is enough. The rates of the set are watched where it has reputation metrics.
    :param bounce_rate: the fraction of bounces to tell of, at most 0.1. AWS reviews an account at 0.05.
    :param complaint_rate: the fraction of complaints to tell of, at most 0.005. AWS reviews an account at 0.001.
    :param rejects: how many rejected mails in 5 minutes to tell of.
    :param rendering_failures: how many templates that could not be rendered in 5 minutes to tell of.
    :param archive_delay: how long an event may wait in the stream, 60-86400 s. Default: 15 minutes, or three times the
        buffering interval where that is more; 45 minutes where the interval is known at deployment only.
    :param quota_share: the fraction of a quota of the stream to tell of, below 1: what is turned away is not counted.
    :param count_events: whether to add the destination ``ToMonitoring``. Without it, and without one of your own, there
        is no ``silent_archive``, and ``rejects`` and ``rendering_failures`` are about the account.
    :param dashboard: whether to make the dashboard.
    :raises ValueError: when an argument breaks a rule of CloudWatch or SES; a line for each.
    :raises TypeError: when an argument has a wrong type.
    """

    account_bounce_rate: cloudwatch.Alarm | None = None
    """The bounce rate of the account."""
    account_complaint_rate: cloudwatch.Alarm | None = None
    """The complaint rate of the account."""
    bounce_rate: cloudwatch.Alarm | None = None
    """The bounce rate of the configuration set; only where it has reputation metrics."""
    complaint_rate: cloudwatch.Alarm | None = None
    """The complaint rate of the configuration set; only where it has reputation metrics."""
    rejects: cloudwatch.Alarm | None = None
    """Mail that SES took and did not send."""
    rendering_failures: cloudwatch.Alarm | None = None
    """Templates that could not be rendered."""
    silent_archive: cloudwatch.Alarm | None = None
    """Mail was sent, and no event arrived."""
    data_freshness: cloudwatch.Alarm | None = None
    """Events wait in the stream."""
    delivery_success: cloudwatch.Alarm | None = None
    """S3 refuses events."""
    throttled: cloudwatch.Alarm | None = None
    """The stream turned events away."""
    bytes_near_quota: cloudwatch.Alarm | None = None
    """The stream takes nearly as many bytes as it may."""
    records_near_quota: cloudwatch.Alarm | None = None
    """The stream takes nearly as many records as it may."""
    put_requests_near_quota: cloudwatch.Alarm | None = None
    """The stream takes nearly as many requests as it may."""
    key_access_denied: cloudwatch.Alarm | None = None
    """Firehose may not use the stream's key; this and the next three only where the stream has one."""
    key_disabled: cloudwatch.Alarm | None = None
    """The stream's key is disabled."""
    key_invalid_state: cloudwatch.Alarm | None = None
    """The stream's key is pending deletion or the like."""
    key_not_found: cloudwatch.Alarm | None = None
    """The stream's key is not there."""
    failed_conversion: cloudwatch.Alarm | None = None
    """Events could not be converted; this and the next two only with Parquet."""
    backup_freshness: cloudwatch.Alarm | None = None
    """The JSON of events waits in the stream."""
    backup_success: cloudwatch.Alarm | None = None
    """S3 refuses the JSON of events."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        publishing: EventPublishing | None = None,
        archive: EventArchive | None = None,
        analytics: EventAnalytics | None = None,
        alarm_actions: Sequence[cloudwatch.IAlarmAction] = (),
        ok_actions: Sequence[cloudwatch.IAlarmAction] = (),
        account_reputation: bool = True,
        bounce_rate: float = 0.05,
        complaint_rate: float = 0.001,
        rejects: int = 1,
        rendering_failures: int = 1,
        archive_delay: cdk.Duration | None = None,
        quota_share: float = 0.8,
        count_events: bool = True,
        dashboard: bool = True,
    ) -> None:
        stack = stack_of(scope, construct_id)
        check(
            (scope, construct_id),
            rules.monitored(publishing, archive, analytics, stack),
            rules.alarm_actions("alarm_actions", alarm_actions, stack),
            rules.alarm_actions("ok_actions", ok_actions, stack),
            instance("account_reputation", account_reputation, bool, "True or False"),
            rules.reputation_threshold("bounce_rate", bounce_rate),
            rules.reputation_threshold("complaint_rate", complaint_rate),
            validation.count("rejects", rejects),
            validation.count("rendering_failures", rendering_failures),
            rules.archive_delay("archive_delay", archive_delay, archive),
            rules.quota_share("quota_share", quota_share),
            instance("count_events", count_events, bool, "True or False"),
            instance("dashboard", dashboard, bool, "True or False"),
        )
        metrics = _counts_of_the_set(publishing) if publishing else {}
        uncounted = [event for event in COUNTED if event not in metrics] if publishing and count_events else []
        if publishing and uncounted:
            check((scope, construct_id), publishing._why_no_count("count_events", "ToMonitoring"))
        with new_id(scope, construct_id):
            super().__init__(scope, construct_id)
        if publishing and uncounted:
            publishing.add_destination("ToMonitoring", _set_destination(), events=uncounted)
            metrics = _counts_of_the_set(publishing)
        from ses_events.monitoring.dashboard import new_dashboard  # it needs CloudWatch, which is slow to import

        self._alarm_actions, self._ok_actions = tuple(alarm_actions), tuple(ok_actions)
        self.alarms: dict[str, cloudwatch.Alarm] = {}
        """The alarms by name: those above that exist, and those of ``add_alarm`` by their id."""
        self._rules: dict[str, alarms.AlarmRule] = {}

        self._publishing = publishing
        if publishing:
            publishing._monitored_by(self.node.path)
            if account_reputation:
                self._make(alarms.account_alarms(publishing, bounce_rate, complaint_rate))
            if publishing_rules.reputation_metrics_of(publishing.configuration_set):
                self._make(alarms.reputation_alarms(publishing, bounce_rate, complaint_rate))
            self._make(
                [
                    alarms.rejects_alarm(publishing, metrics.get(EmailSendingEvent.REJECT), rejects),
                    alarms.rendering_failures_alarm(
                        publishing, metrics.get(EmailSendingEvent.RENDERING_FAILURE), rendering_failures
                    ),
                ]
            )
            fed = [each for each in _archives_of(publishing) if archive in (each, None)]
            if EmailSendingEvent.SEND in metrics and fed:
                self._make([alarms.silent_archive_alarm(publishing, metrics[EmailSendingEvent.SEND], fed[0])])
        if archive:
            self._make(alarms.archive_alarms(archive, archive_delay, quota_share))
        self.dashboard = (
            new_dashboard(self, publishing, archive, analytics, metrics, self.alarms, self._rules)
            if dashboard
            else None
        )
        """The ``AWS::CloudWatch::Dashboard``."""

    def add_alarm(
        self,
        construct_id: str,
        metric: cloudwatch.Metric | cloudwatch.MathExpression,
        *,
        threshold: float,
        comparison: cloudwatch.ComparisonOperator | None = None,
        description: str | None = None,
    ) -> cloudwatch.Alarm:
        """Tell of a metric of your own as of the others: ``campaigns.metric(...)`` or ``campaigns.rate(...)``.

        In the template: an alarm when one period of the metric reaches the threshold, over when one does not or has no
        data; on the dashboard a graph of it. An alarm of too little takes no data of a count (Sum) for 0; a rate has
        too little mail to say anything below its ``minimum``, and is quiet. ``ses-events:alarm-without-data`` warns on
        the alarm where the set counts by these dimensions, and no set of the app yet publishes the event so.

        :param construct_id: an id for the alarm, unique in this construct, and its key in ``alarms``.
        :param metric: what to watch, with its period.
        :param threshold: the value to tell of; of a rate a fraction.
        :param comparison: which side of the threshold to tell of; needed for a rate of deliveries. Default:
            ``GREATER_THAN_OR_EQUAL_TO_THRESHOLD``.
        :param description: what to do about it, at most 1024 characters. Default: a sentence with the metric, the
            threshold and the period.
        :raises ValueError: when the metric has SEARCH or is of another region, or the id or threshold breaks a rule; a
            line for each.
        :raises TypeError: when an argument has a wrong type.
        """
        check(
            (self, construct_id),
            publishing_rules.destination_id(
                construct_id, {*self.alarms, *(child.node.id for child in self.node.children)}
            ),
            rules.metric_of_an_alarm("metric", metric, cdk.Stack.of(self)),
            rules.alarm_threshold("threshold", threshold, metric, comparison),
            rules.comparison("comparison", comparison, metric),
            rules.alarm_description("description", description),
        )
        sign = comparison.name if comparison else "GREATER_THAN_OR_EQUAL_TO_THRESHOLD"
        alarm = self._alarm(construct_id, alarms.own_alarm(construct_id, metric, threshold, sign, description))
        self.alarms[construct_id] = alarm
        for warning, text in rules.oddities_of_alarm(metric, self._publishing):
            cdk.Annotations.of(alarm).add_warning_v2(warning, text)
        if self.dashboard:
            self.dashboard.add_widgets(
                cdk.aws_cloudwatch.AlarmWidget(title=construct_id, alarm=alarm, width=12, height=6)
            )
        return alarm

    def _make(self, wanted: Iterable[alarms.AlarmRule]) -> None:
        for rule in wanted:
            construct_id = "".join(word.capitalize() for word in rule.name.split("_"))
            alarm = self._alarm(construct_id, rule)
            self.alarms[rule.name], self._rules[rule.name] = alarm, rule
            setattr(self, rule.name, alarm)

    def _alarm(self, construct_id: str, rule: alarms.AlarmRule) -> cloudwatch.Alarm:
        of = cdk.aws_cloudwatch
        alarm = of.Alarm(
            self,
            construct_id,
            metric=rule.metric,
            threshold=rule.threshold,
            alarm_description=rule.description,
            comparison_operator=of.ComparisonOperator[rule.comparison],
            evaluation_periods=rule.periods,
            datapoints_to_alarm=rule.breaching,
            treat_missing_data=of.TreatMissingData[rule.missing_data],
        )
        with _one_permission_a_name(alarm):
            if self._alarm_actions:
                alarm.add_alarm_action(*self._alarm_actions)
            if self._ok_actions:
                alarm.add_ok_action(*self._ok_actions)
        return alarm


@contextmanager
def _one_permission_a_name(alarm: cloudwatch.Alarm) -> Iterator[None]:
    """While an alarm is given its actions: refuse a function whose permission for another alarm has the name of this.

    A LambdaAction gives it the id of the alarm, or in an app without CDK's recommended flags no name at all.
    """
    try:
        yield
    except RuntimeError as error:
        if "AlarmPermission'" not in str(error):
            raise
        raise ValueError(
            f"{alarm.node.path}: alarm_actions or ok_actions has a LambdaAction whose function another alarm calls, "
            "and CDK has one permission for both; use a SnsAction with a topic that the function subscribes to"
        ) from None


def _set_destination() -> CloudWatchDestination:
    """Counts by the configuration set alone, which every mail of it has as a message tag."""
    return CloudWatchDestination(
        [
            ses.CloudWatchDimension(
                name=CONFIGURATION_SET, default_value="none", source=ses.CloudWatchDimensionSource.MESSAGE_TAG
            )
        ]
    )


def _counts_of_the_set(publishing: EventPublishing) -> dict[EmailSendingEvent, cloudwatch.Metric]:
    """What destinations count of the set as a whole; one with more dimensions cannot be read by this one."""
    counting = [
        (destination, events)
        for _, _, _, destination, events in publishing.destinations
        if isinstance(destination, CloudWatchDestination) and destination.is_of_the_set
    ]
    return {
        event: destination.metric(event, {CONFIGURATION_SET: publishing.configuration_set_name})
        for destination, events in counting
        for event in EmailSendingEvent  # in one order, which a set of events has not
        if event in events
    }


def _archives_of(publishing: EventPublishing) -> list[EventArchive]:
    """The archives that get the Send events of the set."""
    streams = [
        destination.delivery_stream
        for _, _, _, destination, events in publishing.destinations
        if hasattr(destination, "delivery_stream") and EmailSendingEvent.SEND in events
    ]
    return [stream for stream in streams if hasattr(stream, "metric_incoming_records")]
