"""Whom an alarm tells: topics that let CloudWatch in, and whatever else CDK knows as an alarm action."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk

from ses_events.location import environment_of, known_to_differ
from ses_events.publishing.topic_policy import Publisher, let_publish, let_use_key

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_sns as sns


def as_actions(
    given: Iterable[cloudwatch.IAlarmAction | sns.ITopic], stack: cdk.Stack
) -> tuple[cloudwatch.IAlarmAction, ...]:
    """Return the actions of alarms of a stack; each topic lets these alarms in, or its policy is warned of."""
    return tuple(_telling(cast("sns.ITopic", each), stack) if hasattr(each, "topic_arn") else each for each in given)


def _telling(topic: sns.ITopic, stack: cdk.Stack) -> cloudwatch.IAlarmAction:
    """Let the alarms of the account publish.

    CloudWatch user guide, notifying users; SNS developer guide, key management.
    """
    here = environment_of(stack)
    alarms = Publisher("cloudwatch.amazonaws.com", here)
    of_this_account = {
        "ArnLike": {"aws:SourceArn": here.arn("cloudwatch", "alarm:*")},
        "StringEquals": {"aws:SourceAccount": here.account},
    }
    elsewhere = known_to_differ(topic.env.account, here.account)
    reach = "alarms reach it" if elsewhere else "unless it is the one that SNS gives a new topic, alarms reach it"
    let_publish(topic, topic, alarms, of_this_account, reach)
    let_use_key(
        topic, topic, alarms, ["kms:Decrypt", "kms:GenerateDataKey*"], of_this_account, "alarms reach its topic"
    )
    return cdk.aws_cloudwatch_actions.SnsAction(topic)


@contextmanager
def one_permission_a_name(alarm: cloudwatch.Alarm) -> Iterator[None]:
    """While an alarm is given its actions: refuse a function whose permission for another alarm has the name of this.

    A LambdaAction gives it the id of the alarm, or in an app without CDK's recommended flags no name at all.
    """
    try:
        yield
    except RuntimeError as error:
        if "AlarmPermission'" not in str(error):
            raise
        raise ValueError(
            f"{alarm.node.path}: alarm_actions or ok_actions has a LambdaAction whose function another alarm calls, "
            "and CDK has one permission for both; use LambdaAction(function, use_unique_permission_id=True)"
        ) from None
