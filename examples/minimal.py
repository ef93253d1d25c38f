"""The least that is useful: every event of one configuration set is kept in S3.

Use it to start with. Send mail with the set that the output ConfigurationSetName names; five minutes later its events
lie in the bucket, a folder for each day.
"""

import aws_cdk as cdk

from ses_events import EventArchive, EventPublishing, FirehoseDestination

app = cdk.App()
stack = cdk.Stack(app, "Mail")

publishing = EventPublishing(stack, "Publishing")
archive = EventArchive(stack, "Archive")
publishing.add_destination("ToArchive", FirehoseDestination(archive))

cdk.CfnOutput(stack, "ConfigurationSetName", value=publishing.configuration_set_name)
cdk.CfnOutput(stack, "BucketName", value=archive.bucket.bucket_name)

app.synth()
