"""What a delivery stream says of itself in CloudWatch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ses_events.location import environment_of
from ses_events.validation import check, instance, metric_text

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import aws_cloudwatch as cloudwatch


class StreamMetrics:
    """The metrics of a delivery stream, by its name (Firehose developer guide, monitoring with CloudWatch metrics)."""

    stack: cdk.Stack
    """The stack of the stream, whose account and region have the metrics."""

    delivery_stream_name: str
    """The name of the delivery stream, known before the stream exists."""

    def metric(self, metric_name: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """Return a metric of the delivery stream (namespace ``AWS/Firehose``, CDK's default period of 5 minutes).

        Adjust it, as every ``metric_*``, with ``with_``: ``archive.metric("DeliveryToS3.Bytes").with_(label="bytes")``.

        :param metric_name: as the Firehose developer guide spells it.
        :param statistic: as CloudWatch spells it.
        :raises TypeError: when an argument has a wrong type.
        """
        check(
            "EventArchive.metric",
            metric_text("metric_name", metric_name, "DeliveryToS3.Bytes"),
            instance("statistic", statistic, str, "a string such as 'Sum'"),
        )
        of_the_stream = {"DeliveryStreamName": self.delivery_stream_name}
        return environment_of(self.stack).metric("AWS/Firehose", metric_name, statistic, of_the_stream)

    def metric_data_freshness(self) -> cloudwatch.Metric:
        """Return the age of the oldest record that is not delivered yet, in seconds (Maximum)."""
        return self.metric("DeliveryToS3.DataFreshness", "Maximum")

    def metric_delivery_success(self) -> cloudwatch.Metric:
        """Return the share of S3 puts that succeeded: 1 is all (Average)."""
        return self.metric("DeliveryToS3.Success", "Average")

    def metric_backup_freshness(self) -> cloudwatch.Metric:
        """With Parquet: the age of the oldest record whose JSON is not delivered yet, in seconds (Maximum)."""
        return self.metric("BackupToS3.DataFreshness", "Maximum")

    def metric_backup_success(self) -> cloudwatch.Metric:
        """With Parquet: the share of S3 puts of JSON that succeeded: 1 is all (Average)."""
        return self.metric("BackupToS3.Success", "Average")

    def metric_failed_conversion_records(self) -> cloudwatch.Metric:
        """With Parquet: the records that could not be converted (Sum)."""
        return self.metric("FailedConversion.Records")

    def metric_incoming_bytes(self) -> cloudwatch.Metric:
        """Return the bytes that arrived (Sum)."""
        return self.metric("IncomingBytes")

    def metric_incoming_records(self) -> cloudwatch.Metric:
        """Return the records that arrived: an event each (Sum)."""
        return self.metric("IncomingRecords")

    def metric_incoming_put_requests(self) -> cloudwatch.Metric:
        """Return the requests that records arrived with (Sum)."""
        return self.metric("IncomingPutRequests")

    def metric_throttled_records(self) -> cloudwatch.Metric:
        """Return the records that the stream refused, being over its quota (Sum)."""
        return self.metric("ThrottledRecords")

    def metric_bytes_per_second_limit(self) -> cloudwatch.Metric:
        """Return the stream's quota of bytes in a second (Average)."""
        return self.metric("BytesPerSecondLimit", "Average")

    def metric_records_per_second_limit(self) -> cloudwatch.Metric:
        """Return the stream's quota of records in a second (Average)."""
        return self.metric("RecordsPerSecondLimit", "Average")

    def metric_put_requests_per_second_limit(self) -> cloudwatch.Metric:
        """Return the stream's quota of requests in a second (Average)."""
        return self.metric("PutRequestsPerSecondLimit", "Average")

    def metric_key_access_denied(self) -> cloudwatch.Metric:
        """Return how often KMS did not let Firehose use the stream's key (Sum)."""
        return self.metric("KMSKeyAccessDenied")

    def metric_key_disabled(self) -> cloudwatch.Metric:
        """Return how often the stream's key was disabled (Sum)."""
        return self.metric("KMSKeyDisabled")

    def metric_key_invalid_state(self) -> cloudwatch.Metric:
        """Return how often the stream's key was in no state to be used, such as pending deletion (Sum)."""
        return self.metric("KMSKeyInvalidState")

    def metric_key_not_found(self) -> cloudwatch.Metric:
        """Return how often the stream's key was not there (Sum)."""
        return self.metric("KMSKeyNotFound")
