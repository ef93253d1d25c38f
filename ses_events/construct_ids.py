"""Where a construct is made: the stack of its scope, and an id that is free there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import aws_cdk as cdk
from constructs import Construct

from ses_events.validation import as_id, check, instance


def stack_of(scope: Construct, construct_id: str) -> cdk.Stack:
    """Return the stack in which a construct is to be made.

    :raises TypeError: when the scope or the id has a wrong type.
    :raises ValueError: when the scope is in no stack, or the id is empty or known at deployment only.
    """
    check(
        as_id(construct_id) or repr(construct_id),
        instance("scope", scope, Construct, "a construct in a stack, such as self"),
        some_id(construct_id, "Events"),
    )
    if isinstance(scope, cdk.Stack):
        return scope
    try:
        return cdk.Stack.of(scope)
    except RuntimeError:
        raise ValueError(f"{construct_id}: scope {scope.node.path!r} is in no stack; make a cdk.Stack for it") from None


@contextmanager
def new_id(scope: Construct, construct_id: str) -> Iterator[None]:
    """Refuse an id that another construct has, while one is made: CDK's own error speaks of JavaScript.

    :raises ValueError: when the id is taken in the scope.
    """
    try:
        yield
    except RuntimeError:
        if not scope.node.try_find_child(construct_id):
            raise
        raise ValueError(f"{scope.node.path}/{construct_id}: {taken(construct_id)}") from None


def taken(construct_id: str) -> str:
    """Return what is said of an id that another construct has."""
    return f"construct_id {construct_id!r} is taken in this scope; use another one"


def some_id(construct_id: str, example: str) -> Iterator[str]:
    """Yield what is wrong with the id of a construct."""
    yield from instance("construct_id", construct_id, str, f"a string such as {example!r}")
    if not construct_id or "${Token[" in construct_id:
        fault = "is known at deployment only" if construct_id else "is empty"
        yield f"construct_id {fault}; use a short one that says the purpose, such as {example!r}"
    if construct_id in _OF_EVERY_OBJECT:
        yield f"construct_id {construct_id!r} is a name in JavaScript that no construct can have; use another one"


_OF_EVERY_OBJECT = {
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
}
"""What CDK takes for children that each construct has already: it keeps them in an object of JavaScript."""
