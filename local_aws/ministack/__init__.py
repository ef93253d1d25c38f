"""Where MiniStack 1.5.33 does less than AWS, or something else: the only place that touches its private names.

A module for each kind of resource; the rest of ``local_aws`` calls their functions.
"""

from __future__ import annotations

from local_aws.ministack import (
    authorization,
    buckets,
    configuration_sets,
    delivery_streams,
    event_bus,
    event_destinations,
    metrics,
    policy_variables,
    provisioning,
    roles,
    sending,
    topics,
    workgroups,
)


def install() -> None:
    """Make MiniStack do what AWS does, where this system depends on it."""
    for resource in (
        provisioning,
        buckets,
        topics,
        configuration_sets,
        event_destinations,
        metrics,
        authorization,
        policy_variables,
        workgroups,
        sending,
        roles,
        delivery_streams,
        event_bus,
    ):
        resource.install()
