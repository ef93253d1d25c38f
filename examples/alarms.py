"""Somebody is told when mail bounces, an archive is silent, or a campaign goes wrong.

Use it for everything in production. EventMonitoring has an alarm for whatever can go wrong with the parts it is given
(docs/operations.md says what to do about each); add_alarm is for what only you know, here a campaign.
"""

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from aws_cdk.aws_ses import EmailSendingEvent

from ses_events import CloudWatchDestination, EventArchive, EventMonitoring, EventPublishing, FirehoseDestination

app = cdk.App()
stack = cdk.Stack(app, "Mail")

on_call = sns.Topic(stack, "OnCall", enforce_ssl=True)  # subscribe to it what wakes you up
archive = EventArchive(stack, "Archive")
campaigns = CloudWatchDestination.by_tag("campaign")
publishing = EventPublishing(stack, "Publishing", reputation_metrics=True)
publishing.add_destination("ToArchive", FirehoseDestination(archive))
publishing.add_destination("ToMetrics", campaigns)

monitoring = EventMonitoring(
    stack, "Monitoring", publishing=publishing, archive=archive, alarm_actions=[on_call], ok_actions=[on_call]
)
spring = campaigns.rate(EmailSendingEvent.BOUNCE, {"campaign": "spring"})
monitoring.add_alarm("SpringBounceRate", spring, threshold=0.05, description="Stop the campaign; clean its list.")

app.synth()
