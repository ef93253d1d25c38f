"""Questions to the archive, in SQL, by people who may do nothing else; Parquet, so that frequent ones are cheap.

Use it when reports and dashboards read millions of events a day. For a question now and then leave the format out:
the JSON alone answers the same queries. The JSON stays beside the Parquet either way.
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from ses_events import EventAnalytics, EventArchive, EventPublishing, FirehoseDestination, ParquetFormat

app = cdk.App()
stack = cdk.Stack(app, "Mail")

archive = EventArchive(stack, "Archive", format=ParquetFormat(), expiration=cdk.Duration.days(400))
analytics = EventAnalytics(
    stack, "Analytics", archive=archive, dimension_name="campaign", bytes_scanned_cutoff=cdk.Size.gibibytes(10)
)
publishing = EventPublishing(stack, "Publishing")
publishing.add_destination("ToArchive", FirehoseDestination(archive))

analysts = iam.Role(stack, "Analysts", assumed_by=iam.AccountRootPrincipal())
analytics.grant_query(analysts)

cdk.CfnOutput(stack, "ConfigurationSetName", value=publishing.configuration_set_name)
cdk.CfnOutput(stack, "WorkGroupName", value=analytics.workgroup.ref)
cdk.CfnOutput(stack, "AnalystsRoleArn", value=analysts.role_arn)

app.synth()
