"""Firehose: buffered delivery to S3 with the role of the deployed stream."""
