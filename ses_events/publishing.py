"""A configuration set and the event destinations it publishes to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import aws_cdk as cdk
from aws_cdk import aws_ses as ses
from constructs import Construct

from ses_events import limits
from ses_events.destinations import EventDestination

_P = TypeVar("_P")

UNTOUCHED_MAIL = tuple(
    event for event in ses.EmailSendingEvent if event not in (ses.EmailSendingEvent.OPEN, ses.EmailSendingEvent.CLICK)
)
"""All events that leave the mail as it is: not Open, which adds a pixel, nor Click, which rewrites links."""


class EventPublishing(Construct):
    """A configuration set whose events go to event destinations.

    In the template: an ``AWS::SES::ConfigurationSet``; an ``AWS::SES::ConfigurationSetEventDestination`` for each
    ``add_destination``; and what a destination needs. Mail takes part when it is sent with the set's name.

    :param configuration_set_name: 1-64 of ``A-Z a-z 0-9 _ -`` (CloudFormation schema). A change replaces the set: the
        old one is deleted, and mail that names it fails with ConfigurationSetDoesNotExist. Default: generated.
    :param tls_policy: ``REQUIRE`` delivers over TLS or not at all. Default: SES's, ``OPTIONAL``.
    :param reputation_metrics: whether CloudWatch gets this set's bounce and complaint rates. Default: SES's, no.
    :param sending_enabled: whether SES accepts mail that names this set. Default: SES's, yes.
    :raises ValueError: when an argument breaks a rule of SES; a line for each.
    :raises TypeError: when an argument has a wrong type.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration_set_name: str | None = None,
        tls_policy: ses.ConfigurationSetTlsPolicy | None = None,
        reputation_metrics: bool | None = None,
        sending_enabled: bool | None = None,
    ) -> None:
        limits.check(
            (scope, construct_id),
            limits.name("configuration_set_name", configuration_set_name),
            limits.option(
                "tls_policy", tls_policy, ses.ConfigurationSetTlsPolicy, "ses.ConfigurationSetTlsPolicy.REQUIRE"
            ),
            limits.option("reputation_metrics", reputation_metrics, bool, "True or False"),
            limits.option("sending_enabled", sending_enabled, bool, "True or False"),
        )
        super().__init__(scope, construct_id)

        self.configuration_set = ses.CfnConfigurationSet(
            self,
            "ConfigurationSet",
            name=configuration_set_name,
            delivery_options=_options(
                ses.CfnConfigurationSet.DeliveryOptionsProperty, tls_policy=tls_policy and tls_policy.value
            ),
            reputation_options=_options(
                ses.CfnConfigurationSet.ReputationOptionsProperty, reputation_metrics_enabled=reputation_metrics
            ),
            sending_options=_options(ses.CfnConfigurationSet.SendingOptionsProperty, sending_enabled=sending_enabled),
        )
        """The ``AWS::SES::ConfigurationSet``."""

        self.configuration_set_name = self.configuration_set.ref
        """The name to send mail with."""

        self.configuration_set_arn = cdk.Stack.of(self).format_arn(
            service="ses", resource="configuration-set", resource_name=self.configuration_set_name
        )
        """The ARN of the configuration set."""

        self._destinations: dict[str, ses.CfnConfigurationSetEventDestination] = {}
        self._names: list[str | None] = []

    def add_destination(
        self,
        construct_id: str,
        destination: EventDestination,
        *,
        events: Collection[ses.EmailSendingEvent] = UNTOUCHED_MAIL,
        enabled: bool = True,
        name: str | None = None,
    ) -> ses.CfnConfigurationSetEventDestination:
        """Publish events of this configuration set to a destination.

        The destinations of a set are created one after another: SES takes one such call a second.

        :param construct_id: an id for the destination, unique in this construct. A change replaces the destination.
        :param destination: a ``FirehoseDestination`` or ``CloudWatchDestination``; one value can serve several sets.
        :param events: what to publish. Asking for Open or Click makes SES add a pixel to the mail or rewrite its links.
        :param enabled: whether SES publishes.
        :param name: 1-64 of ``A-Z a-z 0-9 _ -`` (CloudFormation schema), unique in the set. A change replaces the
            destination. Default: generated at deployment.
        :returns: the ``AWS::SES::ConfigurationSetEventDestination``.
        :raises ValueError: when an argument breaks a rule of SES, or the set has 10 destinations; a line for each.
        :raises TypeError: when an argument has a wrong type.
        """
        limits.check(
            (self, str(construct_id)),
            limits.destination_id(construct_id, {"ConfigurationSet", "SesRole", *self._destinations}),
            limits.instance(
                "destination",
                destination,
                EventDestination,
                "FirehoseDestination(archive) or CloudWatchDestination([dimension])",
            ),
            limits.events("events", events),
            limits.instance("enabled", enabled, bool, "True or False"),
            limits.destination_name(name, self._names),
        )
        event_destination = ses.CfnConfigurationSetEventDestination(
            self,
            construct_id,
            configuration_set_name=self.configuration_set_name,
            event_destination=ses.CfnConfigurationSetEventDestination.EventDestinationProperty(
                name=name,
                enabled=enabled,
                # in one order, whatever order or kind of collection was given
                matching_event_types=[limits.MATCHING_EVENT_TYPES[e] for e in ses.EmailSendingEvent if e in events],
                **destination.bind(self, self.configuration_set_arn),
            ),
        )
        for previous in list(self._destinations.values())[-1:]:
            event_destination.add_resource_dependency(previous)
        self._destinations[construct_id] = event_destination
        self._names.append(name)
        return event_destination


def _options(options: Callable[..., _P], **values: Any) -> _P | None:
    """The options that were given, or nothing: then SES's defaults hold."""
    given = {name: value for name, value in values.items() if value is not None}
    return options(**given) if given else None
