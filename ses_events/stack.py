"""The reference stack: mail's events kept in S3, counted in CloudWatch, queried with Athena, and all of it watched."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from inspect import signature
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ses as ses
from constructs import Construct

from ses_events import location
from ses_events.analytics.analytics import EventAnalytics
from ses_events.archive.archive import DEFAULT_PREFIX, EventArchive
from ses_events.construct_ids import some_id, taken
from ses_events.monitoring import rules as monitoring_rules
from ses_events.monitoring.monitoring import EventMonitoring
from ses_events.publishing import dimensions
from ses_events.publishing.cloudwatch import CloudWatchDestination
from ses_events.publishing.firehose import FirehoseDestination
from ses_events.publishing.publishing import UNTOUCHED_MAIL, EventPublishing
from ses_events.validation import Text, as_id, check, instance, instead_of, option, together
from ses_events.wording import did_you_mean, shown

if TYPE_CHECKING:
    from aws_cdk import aws_sns as sns

CAMPAIGN = ses.CloudWatchDimension(
    name="campaign", default_value="unknown", source=ses.CloudWatchDimensionSource.MESSAGE_TAG
)
"""The message tag ``campaign``, and ``unknown`` for mail without it."""


BUCKET_NAME = Text(63, "a-z 0-9 . -", "acme-mail-events", source="S3 user guide, bucket naming rules")


class SesEventsStack(cdk.Stack):
    """One configuration set whose events are kept in an ``EventArchive``, counted by one dimension, and watched.

    In the template: the resources of ``EventPublishing`` (with reputation metrics), ``EventArchive``,
    ``EventAnalytics`` and ``EventMonitoring``, the event destinations ``firehose`` and ``cloudwatch``, and the outputs
    ConfigurationSetName, BucketName, DeliveryStreamName, WorkGroupName, DatabaseName and TableName.

    :param configuration_set_name: see ``EventPublishing``.
    :param analytics: whether the archive can be queried, which needs a ``prefix`` with a folder for each day.
    :param dimension: what to count by; where that is a message tag, queries group by it too, and by ``campaign`` where
        it is a header or a link tag. Default: the message tag ``campaign``, ``unknown`` where mail has none.
    :param events: what both destinations get. Default: all but Open and Click.
    :param bucket_name: a bucket that is there, such as one that an earlier stack left. Default: a new one.
    :param prefix: see ``EventArchive``.
    :param buffering_interval: see ``EventArchive``.
    :param expiration: see ``EventArchive``.
    :param monitoring: whether to watch all this with ``EventMonitoring``.
    :param alarm_topic_arn: the standard SNS topic that is told when something goes wrong and when it is over, of the
        region of the stack; its policy and key must let the alarms in, and ``ses-events:topic-not-editable`` warns
        with the statement. Default: none, and the alarms are seen in CloudWatch only.
    :param stack_options: what ``aws_cdk.Stack`` takes: ``env``, ``description``, ``tags``, ...
    :raises ValueError: when an argument breaks a rule of SES, Firehose or S3.
    :raises TypeError: when an argument has a wrong type.
    """

    archive: EventArchive
    """Where the events are kept."""

    metrics: CloudWatchDestination
    """The metrics by the dimension."""

    publishing: EventPublishing
    """The configuration set."""

    analytics: EventAnalytics | None
    """The queries over the archive; None when it is off."""

    monitoring: EventMonitoring | None
    """The alarms and the dashboard."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        analytics: bool = True,
        bucket_name: str | None = None,
        configuration_set_name: str | None = None,
        dimension: ses.CloudWatchDimension = CAMPAIGN,
        events: Collection[ses.EmailSendingEvent] = UNTOUCHED_MAIL,
        prefix: str = DEFAULT_PREFIX,
        buffering_interval: cdk.Duration | None = None,
        expiration: cdk.Duration | None = None,
        monitoring: bool = True,
        alarm_topic_arn: str | None = None,
        **stack_options: Any,
    ) -> None:
        check(
            as_id(construct_id) or repr(construct_id),
            option("scope", scope, Construct, "a cdk.App or cdk.Stage"),
            some_id(construct_id, "Mail"),
            _name_of_a_stack(scope, construct_id, stack_options),
            _new_id(scope, construct_id),
            instance("analytics", analytics, bool, "True or False"),
            instance("monitoring", monitoring, bool, "True or False"),
            monitoring_rules.topic_arn("alarm_topic_arn", alarm_topic_arn),
            BUCKET_NAME("bucket_name", bucket_name),
            instead_of("bucket_name", bucket_name, {"expiration": expiration}),
            options_of_a_stack(stack_options),
        )
        with _in_one_line(scope, construct_id, stack_options):
            super().__init__(scope, construct_id, **stack_options)
        with together(self) as made:
            archive = made(
                lambda: EventArchive(
                    self,
                    "Archive",
                    bucket=s3.Bucket.from_bucket_name(self, "Bucket", bucket_name) if bucket_name else None,
                    prefix=prefix,
                    buffering_interval=buffering_interval,
                    expiration=expiration,
                )
            )
            metrics = made(lambda: self._counted(dimension))
            publishing = made(
                lambda: EventPublishing(
                    self, "Publishing", configuration_set_name=configuration_set_name, reputation_metrics=True
                )
            )
            if archive and metrics and analytics:
                tag = dimension if dimension.source == CAMPAIGN.source else CAMPAIGN
                made(lambda: EventAnalytics(self, "Analytics", archive=archive, dimension_name=tag.name))
            if publishing and archive:
                to_archive = FirehoseDestination(archive)
                made(lambda: publishing.add_destination("ToArchive", to_archive, events=events, name="firehose"))
            if publishing and metrics:
                made(lambda: publishing.add_destination("ToMetrics", metrics, events=events, name="cloudwatch"))
            told = made(lambda: self._told(alarm_topic_arn)) or []
        assert archive and metrics and publishing  # or together() has raised
        self.archive = archive
        self.metrics = metrics
        self.publishing = publishing
        self.analytics = cast("EventAnalytics | None", self.node.try_find_child("Analytics"))
        self.monitoring = self._monitoring(told) if monitoring else None

        cdk.CfnOutput(self, "ConfigurationSetName", value=self.publishing.configuration_set_name)
        cdk.CfnOutput(self, "BucketName", value=self.archive.bucket.bucket_name)
        cdk.CfnOutput(self, "DeliveryStreamName", value=self.archive.delivery_stream.ref)
        if self.analytics:
            cdk.CfnOutput(self, "WorkGroupName", value=self.analytics.workgroup.ref)
            cdk.CfnOutput(self, "DatabaseName", value=self.analytics.database_name)
            cdk.CfnOutput(self, "TableName", value=self.analytics.table_name)

    def _monitoring(self, told: list[sns.ITopic]) -> EventMonitoring:
        return EventMonitoring(
            self,
            "Monitoring",
            publishing=self.publishing,
            archive=self.archive,
            analytics=self.analytics,
            alarm_actions=told,
            ok_actions=told,
        )

    def _counted(self, dimension: ses.CloudWatchDimension) -> CloudWatchDestination:
        check((self, ""), dimensions.dimension("dimension", dimension))
        return CloudWatchDestination([dimension])

    def _told(self, topic_arn: str | None) -> list[sns.ITopic]:
        """Return the actions of an alarm: the topic, if there is one."""
        if not topic_arn:
            return []
        topic = cdk.aws_sns.Topic.from_topic_arn(self, "AlarmTopic", topic_arn)
        check((self, ""), location.same_region("alarm_topic_arn", topic.env, self))
        return [topic]


def _name_of_a_stack(scope: Construct, construct_id: str, given: Mapping[str, object]) -> Iterator[str]:
    """Refuse an id that cannot name a stack (AWS CDK; CloudFormation API, CreateStack)."""
    if not isinstance(construct_id, str) or not construct_id or "stack_name" in given:
        return
    in_an_app = scope is None or (isinstance(scope, Construct) and not scope.node.scope)
    if in_an_app and not re.fullmatch("[A-Za-z][A-Za-z0-9-]*", construct_id):  # in a Stage, CDK makes it of the path
        yield f"construct_id {construct_id!r} is not the name of a stack; use A-Z a-z 0-9 -, or give stack_name"


def _new_id(scope: Construct, construct_id: str) -> Iterator[str]:
    """Refuse an id that something else has in the scope (AWS CDK)."""
    if isinstance(scope, Construct) and isinstance(construct_id, str) and scope.node.try_find_child(construct_id):
        yield taken(construct_id)


@contextmanager
def _in_one_line(scope: Construct | None, construct_id: str, given: Mapping[str, object]) -> Iterator[None]:
    """While CDK makes the stack: tell what it refuses in a line, and leave nothing of it."""
    try:
        yield
        return
    except (RuntimeError, TypeError) as error:
        refusal = str(error)
    if scope is not None:
        scope.node.try_remove_child(construct_id)
    check(construct_id, _refused_by_cdk(refusal, given))


def _refused_by_cdk(refusal: str, given: Mapping[str, object]) -> Iterator[str]:
    """Tell in a line what ``aws_cdk.Stack`` has refused (AWS CDK)."""
    of_a_wrong_type = re.search(r"argument (\w+) must be|Key '(\w+)'", refusal)
    if of_a_wrong_type:
        name = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", of_a_wrong_type[1] or of_a_wrong_type[2])
        raise TypeError(f"{name} {shown(given.get(name))} is of a wrong type; use what aws_cdk.Stack takes")
    yield f"{refusal.splitlines()[0].rstrip('.')}; use what aws_cdk.Stack takes"


def options_of_a_stack(given: Mapping[str, object]) -> Iterator[str]:
    """Anything else that ``aws_cdk.Stack`` takes (AWS CDK)."""
    parameters = {*signature(SesEventsStack.__init__).parameters, *signature(cdk.Stack.__init__).parameters}
    known = sorted(parameters - {"self", "scope", "id", "construct_id", "stack_options"})
    for unknown in given.keys() - {*known}:
        yield f"argument {unknown!r} is unknown; {did_you_mean(unknown, known)}"
