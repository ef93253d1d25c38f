"""The same system in two accounts: a small one to try things, and production, which is watched and kept.

Use it when an account is an environment. Both stages come from one class, so what was tried is what is deployed; what
differs are its arguments. `cdk deploy "Dev/*"` deploys one with credentials of its account, from any pipeline. SES, its
sandbox, quotas and reputation are per account and region, and so is all of this: nothing crosses accounts.
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ses as ses
from constructs import Construct

from ses_events import SesEventsStack


class Environment(cdk.Stage):
    """All there is in one account and region."""

    def __init__(self, scope: Construct, name: str, account: str, days: int, on_call: str | None = None) -> None:
        super().__init__(scope, name, env=cdk.Environment(account=account, region="eu-west-1"))
        events = SesEventsStack(
            self,
            "SesEvents",
            expiration=cdk.Duration.days(days),
            monitoring=on_call is not None,
            alarm_topic_arn=on_call,
            termination_protection=on_call is not None,
        )
        yes = cdk.Acknowledgment(id="ses-events:topic-not-editable", reason="it has the policy of a new topic")
        cdk.Validations.of(events).acknowledge(yes)
        identity = ses.EmailIdentity.from_email_identity_name(events, "Identity", "example.com")
        mailer = iam.Role(events, "Mailer", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
        events.publishing.grant_send(mailer, identity)


app = cdk.App()
Environment(app, "Dev", account="111111111111", days=7)
Environment(app, "Prod", account="222222222222", days=400, on_call="arn:aws:sns:eu-west-1:222222222222:on-call")

app.synth()
