"""Where a configuration set can publish its events: one module for each kind of event destination that SES knows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_ses as ses

from ses_events.location import environment_of

if TYPE_CHECKING:
    from aws_cdk.interfaces.aws_ses import IConfigurationSetRef
    from constructs import Construct, IDependable

SES_ROLE = "SesRole"
"""The id of a role for SES, under an ``EventPublishing`` or an ``EventArchive``."""


@dataclass(frozen=True)
class Source:
    """The configuration set that publishes; CDK is asked about it when something is wanted, and once."""

    configuration_set: IConfigurationSetRef
    stack: cdk.Stack
    """The stack of the event destinations."""

    @cached_property
    def name(self) -> str:
        """The name of the set, which may be known at deployment only."""
        if isinstance(self.configuration_set, ses.CfnConfigurationSet):
            return self.configuration_set.ref
        return self.configuration_set.configuration_set_ref.configuration_set_name

    @cached_property
    def arn(self) -> str:
        """The ARN of the set."""
        return environment_of(self.stack).arn("ses", f"configuration-set/{self.name}")

    @property
    def known_name(self) -> str | None:
        """The name of the set where it is known before deployment."""
        given = self.configuration_set
        name = given.name if isinstance(given, ses.CfnConfigurationSet) else self.name
        return None if name is None or cdk.Token.is_unresolved(name) else name


@dataclass(frozen=True)
class Bound:
    """What a destination is for one configuration set."""

    properties: Mapping[str, Any]
    """Its part of ``ses.CfnConfigurationSetEventDestination.EventDestinationProperty``, by the names of that."""

    after: Sequence[IDependable] = ()
    """What must exist before SES can be told of it."""


class EventDestination(ABC):
    """What ``EventPublishing.add_destination`` takes: a plain value that one or several configuration sets publish to.

    The four of SES are ``FirehoseDestination``, ``CloudWatchDestination``, ``SnsDestination`` and
    ``EventBridgeDestination``. One of your own needs ``bind`` alone.
    """

    is_monitored: ClassVar[bool] = False
    """Whether ``EventMonitoring`` looks at it, and so must be made after it is added."""

    def problems(self, stack: cdk.Stack) -> Iterable[str]:
        """Return why no configuration set of a stack can publish to it. Default: nothing speaks against it.

        :param stack: the stack of the configuration set.
        """
        return ()

    @abstractmethod
    def bind(self, scope: Construct, source: Source, events: Collection[ses.EmailSendingEvent]) -> Bound:
        """Make what the destination needs; ``EventPublishing.add_destination`` calls it.

        :param scope: the ``EventPublishing``; what is made, is made under it.
        :param source: the configuration set.
        :param events: what the destination gets, already checked.
        :returns: what SES is told, and what must exist before.
        """


class PublishedTo(NamedTuple):
    """A destination that a configuration set publishes to."""

    name: str | None
    stack: cdk.Stack
    resource: ses.CfnConfigurationSetEventDestination
    destination: EventDestination
    events: frozenset[ses.EmailSendingEvent]
    """What is published; nothing where the destination is not enabled."""
