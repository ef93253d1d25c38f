"""A stack that is watched: an archive, counts by campaign, and a topic for the alarms, whose messages go to a queue."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_ses import EmailSendingEvent
from constructs import Construct

from ses_events import CloudWatchDestination, EventArchive, EventMonitoring, EventPublishing, FirehoseDestination


class Monitored(cdk.Stack):
    """One set and one archive, and all alarms about them."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        queue = sqs.Queue(self, "Queue")
        topic = sns.Topic(self, "OnCall")
        topic.add_subscription(subscriptions.SqsSubscription(queue, raw_message_delivery=True))
        archive = EventArchive(self, "Archive", buffering_interval=cdk.Duration.seconds(60))
        publishing = EventPublishing(self, "Events", reputation_metrics=True)
        campaigns = CloudWatchDestination(
            [
                ses.CloudWatchDimension(
                    name="campaign", default_value="unknown", source=ses.CloudWatchDimensionSource.MESSAGE_TAG
                )
            ]
        )
        publishing.add_destination("ToArchive", FirehoseDestination(archive))
        publishing.add_destination("ToMetrics", campaigns)
        on_call = [actions.SnsAction(topic)]
        monitoring = EventMonitoring(
            self, "Monitoring", publishing=publishing, archive=archive, alarm_actions=on_call, ok_actions=on_call
        )
        # 86 s where a test deploys it: all mails of it are within, however slowly they are sent
        day = cdk.Duration.days(1)
        monitoring.add_alarm(
            "MuchSpring",
            campaigns.metric(EmailSendingEvent.SEND, {"campaign": "spring"}).with_(period=day),
            threshold=3,
        )
        monitoring.add_alarm(
            "AutumnBounces",
            campaigns.rate(EmailSendingEvent.BOUNCE, {"campaign": "autumn"}, minimum=4, period=day),
            threshold=0.5,
        )
        outputs = {
            "ConfigurationSet": publishing.configuration_set_name,
            "DeliveryStream": archive.delivery_stream.ref,
            "Bucket": archive.bucket.bucket_name,
            "QueueUrl": queue.queue_url,
            **{f"Alarm{name.replace('_', '')}": alarm.alarm_name for name, alarm in monitoring.alarms.items()},
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)
