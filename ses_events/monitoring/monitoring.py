"""Who is told when the publishing of events goes wrong: alarms and a dashboard over the parts of the system."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk.aws_ses import EmailSendingEvent
from constructs import Construct

from ses_events import validation
from ses_events.construct_ids import new_id, stack_of
from ses_events.monitoring import alarms, own_alarm_rules, rules
from ses_events.monitoring.actions import as_actions, one_permission_a_name
from ses_events.monitoring.archive_alarms import archive_alarms
from ses_events.monitoring.counts import COUNTED, archive_of, counts_of_the_set, set_destination
from ses_events.monitoring.missing_events import (
    FEWEST,
    alarm_of_a_set,
    alarm_of_several_sets,
    events_in_books,
    why_not_compared,
)
from ses_events.monitoring.runbook import Runbook
from ses_events.publishing import rules as publishing_rules
from ses_events.validation import check, instance

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_sns as sns

    from ses_events.analytics.analytics import EventAnalytics
    from ses_events.archive.archive import EventArchive
    from ses_events.monitoring.own_alarms import OwnAlarms
    from ses_events.publishing.cloudwatch import CloudWatchDestination
    from ses_events.publishing.publishing import EventPublishing


class EventMonitoring(Construct):
    """Alarms over a configuration set and its archive, and a dashboard that shows both.

    In the template: an ``AWS::CloudWatch::Alarm`` for everything of docs/operations.md that can go wrong with these
    parts, whose description says what happened, what AWS does, what to look at, which command helps and where to read
    on; an ``AWS::CloudWatch::Dashboard``; and on the configuration set an event destination ``ToMonitoring``. That
    counts Send, Delivery, Bounce, Complaint, Reject and Rendering Failure of the set as a whole, and what else goes to
    an archive that the set fills alone; but for what a destination with ``ses:configuration-set`` as its only dimension
    counts already. Without that count nobody sees that events are missing: when SES cannot put an event into a stream,
    it says so nowhere.

    Give the set its destinations first: one that counts or archives is refused once an EventMonitoring has looked.

    In us-east-1 an alarm costs $0.10 a month for each of its metrics, the dashboard $3 (three are free in an account)
    and a count of the set $0.30 each, in months in which there is something to count.

    :param publishing: the configuration set to watch, of the account and region of this stack. Default: none, for an
        archive that several sets share.
    :param archive: the archive to watch, of the same account and region; give one that several sets share to one
        EventMonitoring only, or ``ses-events:archive-watched-twice`` warns. One that the set publishes nothing to is
        warned of, too (``ses-events:archive-not-compared``). The alarm ``silent_archive`` is about this archive, or
        else about the first that the set publishes Send to. Where several sets share it, their events hide that one
        set's are missing. Default: none, and no alarm about a stream.
    :param analytics: whose saved queries the dashboard names, with the way to them. Default: none.
    :param alarm_actions: who is told when something goes wrong, at most 5: standard topics of this region, or other
        ``cloudwatch.IAlarmAction``. A topic of the app gets the statements by which the alarms of this account may
        publish to it, and use its key; one that cannot be edited is warned of, with the statement
        (``ses-events:topic-not-editable``, ``ses-events:key-not-editable``). An ``SnsAction`` leaves the topic as it
        is. For a Lambda function that several EventMonitoring are to tell, use
        ``LambdaAction(function, use_unique_permission_id=True)``. Default: nobody, and the alarms are seen in
        CloudWatch only.
    :param ok_actions: who is told when it is over, likewise. Default: nobody.
    :param runbook_url: a page of yours about the alarms: the description of each ends with it and with ``#`` and the
        name of the alarm, such as ``#silent_archive``. Default: docs/operations.md of this project.
    :param account_reputation: whether to watch the rates of all mail of the account in this region, by which AWS
        decides; once an account and region is enough. The rates of the set are watched where it has reputation metrics.
    :param bounce_rate: the fraction of bounces to tell of, at most 0.1. AWS reviews an account at 0.05.
    :param complaint_rate: the fraction of complaints to tell of, at most 0.005. AWS reviews an account at 0.001.
    :param rejects: how many rejected mails in 5 minutes to tell of.
    :param rendering_failures: how many templates that could not be rendered in 5 minutes to tell of.
    :param missing_events: how many events of an hour to tell of that SES counts and the archive lacks, where they are
        1.5 % of that hour or more; None for no such alarm. A number of yours is refused where nothing can be compared.
    :param shared_counter: for an archive that several sets fill, what counts the events of all of them: a destination
        with one dimension that no mail carries, added to each set with the events that its archive gets. Without it
        there is no ``missing_events`` of such an archive. Default: none.
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
    missing_events: cloudwatch.Alarm | None = None
    """Fewer events arrived than SES counted; where one set fills the archive, or with ``shared_counter``."""
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
        alarm_actions: Sequence[cloudwatch.IAlarmAction | sns.ITopic] = (),
        ok_actions: Sequence[cloudwatch.IAlarmAction | sns.ITopic] = (),
        runbook_url: str | None = None,
        account_reputation: bool = True,
        bounce_rate: float = 0.05,
        complaint_rate: float = 0.001,
        rejects: int = 1,
        rendering_failures: int = 1,
        missing_events: int | None = FEWEST,
        shared_counter: CloudWatchDestination | None = None,
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
            rules.runbook_url("runbook_url", runbook_url),
            instance("account_reputation", account_reputation, bool, "True or False"),
            rules.reputation_threshold("bounce_rate", bounce_rate),
            rules.reputation_threshold("complaint_rate", complaint_rate),
            validation.count("rejects", rejects),
            validation.count("rendering_failures", rendering_failures),
            rules.missing_events("missing_events", missing_events),
            rules.shared_counter("shared_counter", shared_counter, archive),
            rules.archive_delay("archive_delay", archive_delay, archive),
            rules.quota_share("quota_share", quota_share),
            instance("count_events", count_events, bool, "True or False"),
            instance("dashboard", dashboard, bool, "True or False"),
        )
        metrics = counts_of_the_set(publishing) if publishing else {}
        fed = archive_of(publishing, archive, EmailSendingEvent.SEND)
        booked = fed or archive_of(publishing, archive)
        in_books = events_in_books(publishing, booked) if publishing and booked and missing_events else []
        wanted = {*COUNTED, *in_books} - metrics.keys()
        uncounted = [event for event in EmailSendingEvent if event in wanted] if publishing and count_events else []
        to_compare = missing_events if not shared_counter else None
        check(
            (scope, construct_id),
            why_not_compared("missing_events", to_compare, publishing, booked, in_books, {*metrics, *uncounted}),
            publishing._why_no_count("count_events", "ToMonitoring") if publishing and uncounted else (),
        )
        with new_id(scope, construct_id):
            super().__init__(scope, construct_id)
        path = self.node.path
        if archive:
            is_compared = bool(booked or shared_counter or not publishing)
            for warning in rules.oddities_of_archive(archive, is_compared=is_compared):
                cdk.Annotations.of(self).add_warning_v2(*warning)
            archive._monitored_by = archive._monitored_by or path
        if publishing and uncounted:
            publishing.add_destination("ToMonitoring", set_destination(), events=uncounted)
            metrics = counts_of_the_set(publishing)
        from ses_events.monitoring.dashboard import new_dashboard  # it needs CloudWatch, which is slow to import

        self._alarm_actions = as_actions(alarm_actions, stack)
        self._ok_actions = as_actions(ok_actions, stack)
        self._runbook = Runbook(publishing, analytics, runbook_url)
        self.alarms: dict[str, cloudwatch.Alarm] = {}
        """The alarms by name: those above that exist, and those of ``add_alarm`` by their id."""
        self._rules: dict[str, alarms.AlarmRule] = {}
        self._own_alarms: OwnAlarms | None = None

        self._publishing = publishing
        if publishing:
            publishing._monitored_by(path)
            if account_reputation:
                self._make(alarms.account_alarms(publishing, bounce_rate, complaint_rate))
            if publishing_rules.reputation_metrics_of(publishing.configuration_set):
                self._make(alarms.reputation_alarms(publishing, bounce_rate, complaint_rate))
            self._make(alarms.set_alarms(publishing, metrics, fed, rejects, rendering_failures))
            if booked and missing_events and not shared_counter:
                self._make(alarm_of_a_set(publishing, in_books, metrics, booked, missing_events))
        if archive and shared_counter and missing_events:
            self._make(alarm_of_several_sets(shared_counter, archive, missing_events))
        compared = archive if shared_counter else booked
        if compared and self.missing_events and hasattr(compared, "_compared_by"):  # a stream alone has not
            compared._compared_by = path
        if archive:
            self._make(archive_alarms(archive, archive_delay, quota_share))
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
        data; on the dashboard its state, and a line in the graph of its kind. An alarm of too little treats missing
        data of a count (Sum) as 0; a rate has too little mail to say anything below its ``minimum``, and is quiet.
        At synth, ``ses-events:alarm-without-data`` warns on the alarm where a set of the app counts by these
        dimensions, but none publishes the event to a destination that does.

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
            own_alarm_rules.alarm_id(construct_id, self, self.alarms),
            own_alarm_rules.metric_of_an_alarm("metric", metric, cdk.Stack.of(self)),
            own_alarm_rules.alarm_threshold("threshold", threshold, metric, comparison),
            own_alarm_rules.comparison("comparison", comparison, metric),
            own_alarm_rules.alarm_description("description", description),
        )
        sign = comparison.name if comparison else "GREATER_THAN_OR_EQUAL_TO_THRESHOLD"
        rule = alarms.own_alarm(construct_id, metric, threshold, sign, description)
        alarm = self._alarm(construct_id, rule)
        self.alarms[construct_id] = alarm
        from ses_events.monitoring.own_alarms import OwnAlarms, warn_unless_counted  # slow to import, as CloudWatch is

        warn_unless_counted(alarm, metric, self._publishing)
        if self.dashboard:
            self._own_alarms = self._own_alarms or OwnAlarms(self.dashboard)
            self._own_alarms.add(construct_id, alarm, rule)
        return alarm

    def _make(self, wanted: Iterable[alarms.AlarmRule]) -> None:
        for rule in wanted:
            construct_id = "".join(word.capitalize() for word in rule.name.split("_"))
            alarm = self._alarm(construct_id, replace(rule, description=self._runbook.description(rule)))
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
        with one_permission_a_name(alarm):
            if self._alarm_actions:
                alarm.add_alarm_action(*self._alarm_actions)
            if self._ok_actions:
                alarm.add_ok_action(*self._ok_actions)
        return alarm
