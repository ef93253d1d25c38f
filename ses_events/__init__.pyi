from ses_events.analytics.analytics import EventAnalytics as EventAnalytics
from ses_events.archive.archive import EventArchive as EventArchive
from ses_events.archive.formats import JsonFormat as JsonFormat
from ses_events.archive.formats import ParquetFormat as ParquetFormat
from ses_events.monitoring.monitoring import EventMonitoring as EventMonitoring
from ses_events.publishing.cloudwatch import CloudWatchDestination as CloudWatchDestination
from ses_events.publishing.destination import EventDestination as EventDestination
from ses_events.publishing.eventbridge import EventBridgeDestination as EventBridgeDestination
from ses_events.publishing.firehose import FirehoseDestination as FirehoseDestination
from ses_events.publishing.publishing import UNTOUCHED_MAIL as UNTOUCHED_MAIL
from ses_events.publishing.publishing import EventPublishing as EventPublishing
from ses_events.publishing.sns import SnsDestination as SnsDestination
from ses_events.stack import SesEventsStack as SesEventsStack

__all__ = [
    "UNTOUCHED_MAIL",
    "CloudWatchDestination",
    "EventAnalytics",
    "EventArchive",
    "EventBridgeDestination",
    "EventDestination",
    "EventMonitoring",
    "EventPublishing",
    "FirehoseDestination",
    "JsonFormat",
    "ParquetFormat",
    "SesEventsStack",
    "SnsDestination",
]
