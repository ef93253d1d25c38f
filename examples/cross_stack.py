"""The archive in a stack of its own, the publishing in another one.

Use it when what keeps data is deployed seldom and guarded, and what sends mail often. The stream is in another stack
than the set, so it cannot wait for a role of the set: FirehoseDestination(archive) would warn
(ses-events:order-not-guaranteed), and the first deployment could fail. The shared role is made with the archive, and
long propagated when the second stack comes. `cdk deploy --all` deploys the stacks in their order.
"""

import aws_cdk as cdk

from ses_events import EventAnalytics, EventArchive, EventMonitoring, EventPublishing, FirehoseDestination

app = cdk.App()

storage = cdk.Stack(app, "MailStorage", termination_protection=True)
archive = EventArchive(storage, "Archive")
EventAnalytics(storage, "Analytics", archive=archive)
to_archive = FirehoseDestination.with_shared_role(archive)

mail = cdk.Stack(app, "Mail")
publishing = EventPublishing(mail, "Publishing", reputation_metrics=True)
publishing.add_destination("ToArchive", to_archive)
EventMonitoring(mail, "Monitoring", publishing=publishing, archive=archive)

cdk.CfnOutput(mail, "ConfigurationSetName", value=publishing.configuration_set_name)

app.synth()
