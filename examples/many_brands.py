"""A configuration set for each brand, one archive for all, one role for all.

Use it when several senders share an account. Each brand has options and metrics of its own; events carry the name of
their set in the tag ses:configuration-set. A brand that is added later finds the role propagated: with a role for each
set its first deployment could fail. The price is that the sets share the role.
"""

import aws_cdk as cdk

from ses_events import CloudWatchDestination, EventArchive, EventMonitoring, EventPublishing, FirehoseDestination

BRANDS = ["acme", "globex", "initech"]  # a name is an id: a change makes another set

app = cdk.App()
stack = cdk.Stack(app, "Brands")

archive = EventArchive(stack, "Archive")
to_archive = FirehoseDestination.with_shared_role(archive)
by_brand = CloudWatchDestination.by_tag("ses:configuration-set", default_value="none")
of_all = CloudWatchDestination.by_tag("archive", default_value="brands")  # no mail has it, so it counts all brands
sets = [
    EventPublishing(stack, brand.capitalize(), configuration_set_name=brand, reputation_metrics=True)
    for brand in BRANDS
]
for publishing in sets:
    for construct_id, destination in (("ToArchive", to_archive), ("ToMetrics", by_brand), ("ToCounter", of_all)):
        publishing.add_destination(construct_id, destination)

# after all sets, as it compares what they count with what the archive gets
EventMonitoring(stack, "Monitoring", archive=archive, shared_counter=of_all)
for brand, publishing in zip(BRANDS, sets, strict=True):
    EventMonitoring(stack, f"{brand.capitalize()}Monitoring", publishing=publishing, account_reputation=False)

app.synth()
