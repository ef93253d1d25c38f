"""Whether an alarm can tell a topic: CloudWatch publishes, under the policies of the topic and its key."""

from __future__ import annotations

from local_aws.iam.principals import AccessDenied, ServicePrincipal
from local_aws.ministack import keys, topics


def refusal(alarm_arn: str, topic_arn: str) -> str | None:
    """Return why an alarm cannot tell a topic, in the words of the alarm's history; None when it can."""
    region, account = alarm_arn.split(":")[3:5]
    # The policy that SNS gives a new topic asks for the last of these.
    context = {"aws:SourceArn": alarm_arn, "aws:SourceAccount": account, "aws:SourceOwner": account}
    cloudwatch = ServicePrincipal("cloudwatch.amazonaws.com", region, context)
    try:
        cloudwatch.require("sns:Publish", topic_arn, topics.policy_of_topic(topic_arn))
    except AccessDenied:
        return f"Resource: {alarm_arn} is not authorized to perform: SNS:Publish on resource: {topic_arn}"
    if topic_arn.endswith(".fifo"):
        return "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
    key = topics.key_of_topic(topic_arn)
    try:
        for action in ("kms:GenerateDataKey", "kms:Decrypt") if key else ():
            cloudwatch.require(action, str(key), keys.policy_of_key(str(key)))
    except AccessDenied:
        return "CloudWatch Alarms does not have authorization to access the SNS topic encryption key."
    return None
