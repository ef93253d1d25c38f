"""AWS on this machine: MiniStack with IAM enforced, and the SES publisher and the Firehose delivery it lacks."""

from local_aws.process import LocalAws, LocalAwsError

__all__ = ["LocalAws", "LocalAwsError"]
