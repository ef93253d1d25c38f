"""Events of a configuration set that is there, into a bucket that is there.

Use it when mail is sent already, with a set that another stack, Terraform or a person made, and a data lake has a
bucket for what comes in. The set keeps its options and the event destinations it has; the bucket keeps its policy and
lifecycle, and Firehose may write under the two prefixes only.
"""

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ses as ses

from ses_events import EventArchive, EventPublishing, FirehoseDestination

app = cdk.App()
stack = cdk.Stack(app, "MailEvents")

archive = EventArchive(
    stack,
    "Archive",
    bucket=s3.Bucket.from_bucket_name(stack, "DataLake", "acme-data-lake"),
    prefix="ses/events/dt=!{timestamp:yyyy-MM-dd}/",
    error_output_prefix="ses/errors/!{firehose:error-output-type}/",
)
without_key = cdk.Acknowledgment(id="ses-events:imported-bucket", reason="the data lake has no KMS key")
cdk.Validations.of(archive).acknowledge(without_key)
publishing = EventPublishing(
    stack,
    "Publishing",
    configuration_set=ses.ConfigurationSet.from_configuration_set_name(stack, "Newsletter", "newsletter"),
)
publishing.add_destination("ToArchive", FirehoseDestination(archive))

app.synth()
