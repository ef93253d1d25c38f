"""What a configuration set counts as a whole and where it archives, which its alarms look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk.aws_ses import EmailSendingEvent

from ses_events.publishing.cloudwatch import CONFIGURATION_SET, CloudWatchDestination

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

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


def counts_of_the_set(publishing: EventPublishing) -> dict[EmailSendingEvent, cloudwatch.Metric]:
    """Return what destinations count of the set as a whole; one with more dimensions cannot be read by this one."""
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


def set_destination() -> CloudWatchDestination:
    """Return a destination that counts by the configuration set alone, which every mail of it has as a message tag."""
    return CloudWatchDestination.by_tag(CONFIGURATION_SET, default_value="none")


def archive_of(
    publishing: EventPublishing | None, archive: EventArchive | None, event: EmailSendingEvent | None = None
) -> EventArchive | None:
    """Return an archive that the set publishes to; None where there is none.

    :param archive: which one. Default: the first of the set.
    :param event: the kind of event that it must get. Default: any.
    """
    for _, _, _, destination, events in publishing.destinations if publishing else ():
        stream = getattr(destination, "delivery_stream", None)
        is_filled = event in events if event else bool(events)
        if is_filled and archive in (stream, None) and hasattr(stream, "metric_incoming_records"):
            return stream
    return None
