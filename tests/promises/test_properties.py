"""Whatever is chosen of what the constructs offer: it synthesizes, in order, with exactly the permissions it needs."""

from __future__ import annotations

import re
import tempfile
from typing import Any

import aws_cdk as cdk
import covertable
import pytest
from aws_cdk.aws_ses import CloudWatchDimension, CloudWatchDimensionSource
from cdk_nag import AwsSolutionsChecks
from cfnlint.config import ConfigMixIn
from cfnlint.runner import Runner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ses_events import CloudWatchDestination, EventArchive, EventPublishing
from tests.support.configurations import CHOICES, Configuration, check
from tests.support.templates import RECOMMENDED_FLAGS, UNVALIDATED, new_app

ALL_KINDS = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
choices = st.fixed_dictionaries(
    {name: st.sampled_from(options) for name, options in CHOICES.items()}
    # seldom, as they are more resources than all the rest; the pairs below have as many of them as of the others
    | {
        "sets": st.sampled_from(["one"] * 4 + CHOICES["sets"]),
        "analytics": st.sampled_from(["none"] * 6 + CHOICES["analytics"]),
        "monitoring": st.sampled_from(["none"] * 12 + CHOICES["monitoring"]),
    }
)


@settings(ALL_KINDS, max_examples=500)
@given(chosen=choices)
def test_every_valid_configuration_keeps_every_promise(chosen: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = cdk.App(
            # the warnings are read from the assembly: no report of them on the screen
            context={
                **(RECOMMENDED_FLAGS if chosen["flags"] == "recommended" else {}),
                "@aws-cdk/core:annotationsInValidationReport": False,
                "aws:cdk:enable-path-metadata": True,
            },
            outdir=folder,
            analytics_reporting=False,
            **UNVALIDATED,
            stack_traces=False,
            tree_metadata=False,
        )
        check(Configuration(chosen, app))


def test_each_pair_of_choices_passes_every_checker(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    templates: list[str] = []
    for chosen in covertable.make(CHOICES):
        folder = tmp_path_factory.mktemp("assembly")
        app = cdk.App(
            context=RECOMMENDED_FLAGS if chosen["flags"] == "recommended" else {},
            outdir=str(folder),
            analytics_reporting=False,
        )
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
        Configuration(chosen, app)
        app.synth()
        templates += map(str, folder.glob("*.template.json"))
    # W3005: the order of creation, on purpose. W7001: what CDK adds for an imported stream.
    config = ConfigMixIn(regions=["us-east-1"], ignore_checks=["W3005", "W7001"], templates=templates)
    assert [str(match) for match in Runner(config).run()] == []


def _not_a_name(text: str, further: str = "") -> bool:
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-" + further)
    return not 1 <= len(text) <= 64 or not set(text) <= allowed


def _out_of(least: int, most: int) -> st.SearchStrategy[int]:
    """Whole numbers of nearly any size, but no token: CDK keeps those below -1e289."""
    return st.one_of(st.integers(0, max(least - 1, 0)), st.integers(most + 1, 2**53)).filter(
        lambda number: not least <= number <= most
    )


REFUSED = st.one_of(
    st.tuples(
        st.just(EventPublishing),
        st.fixed_dictionaries({"configuration_set_name": st.text(max_size=80).filter(_not_a_name)}),
    ),
    st.tuples(
        st.just(EventArchive),
        st.fixed_dictionaries(
            {"delivery_stream_name": st.text(max_size=80).filter(lambda text: _not_a_name(text, "."))}
        ),
    ),
    st.tuples(
        st.just(EventArchive),
        st.fixed_dictionaries(
            {"buffering_interval": _out_of(0, 900).map(cdk.Duration.seconds)},
            optional={"buffering_size": _out_of(1, 128).map(cdk.Size.mebibytes)},
        ),
    ),
    st.tuples(
        st.just(EventArchive),
        # An expression without the type of the error, which a plain prefix needs not have.
        st.fixed_dictionaries(
            {
                "error_output_prefix": st.text(st.characters(exclude_characters="!{}"), max_size=400).map(
                    lambda text: f"{text}!{{timestamp:yyyy}}/"
                )
            }
        ),
    ),
)


@settings(ALL_KINDS, max_examples=300)
@given(refused=REFUSED)
def test_every_invalid_argument_is_refused_by_its_name(refused: tuple[Any, dict[str, Any]]) -> None:
    construct, arguments = refused
    with pytest.raises(ValueError) as caught:
        construct(cdk.Stack(new_app(), "Mail"), "Part", **arguments)
    lines = str(caught.value).splitlines()
    assert sorted(line.split(" ")[:2] for line in lines) == sorted(["Mail/Part:", name] for name in arguments)


@settings(ALL_KINDS, max_examples=200)
@example(name="Return-Path", default_value="none", source=CloudWatchDimensionSource.EMAIL_HEADER)
@given(
    name=st.text(max_size=300),
    default_value=st.text(max_size=300),
    source=st.sampled_from(CloudWatchDimensionSource),
)
def test_a_dimension_is_taken_just_when_cloudformation_takes_it(
    name: str, default_value: str, source: CloudWatchDimensionSource
) -> None:
    dimension = CloudWatchDimension(name=name, default_value=default_value, source=source)
    valid = all(
        re.fullmatch(pattern, text)
        for pattern, text in (("[a-zA-Z0-9_:-]{1,256}", name), ("[a-zA-Z0-9_-]{1,256}", default_value))
    )
    headers = {"to", "cc", "from", "received", "dkim-signature", "message-id", "return-path"}
    reserved = source == CloudWatchDimensionSource.EMAIL_HEADER and name.lower() in headers
    try:
        CloudWatchDestination([dimension])
    except ValueError:
        assert not valid or reserved
    else:
        assert valid and not reserved
