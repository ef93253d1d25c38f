"""The pictures of the pages, and the length of the front pages."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from ses_events import SesEventsStack
from tests.support.templates import RECOMMENDED_FLAGS, ROOT, new_app, properties, readable, synthesize
from tools.dashboard_picture import CHOSEN, PICTURES
from tools.pictures import PAGE, pictures, with_pictures


def test_the_pictures_are_those_of_the_template() -> None:
    page = PAGE.read_text()
    assert page == with_pictures(page, pictures()), "run make pages, and look at what it drew"


def test_the_dashboard_is_drawn_with_each_widget_and_alarm_that_it_has() -> None:
    stack = SesEventsStack(new_app(**RECOMMENDED_FLAGS), "SesEvents")
    assert stack.monitoring
    body = properties(readable(synthesize(stack)), "AWS::CloudWatch::Dashboard")["DashboardBody"]
    titles = [each["properties"].get("title", "") for each in body["widgets"] if each["type"] != "text"]
    [alarms, *others] = [title.replace("chosen above", CHOSEN) for title in titles]
    drawn = re.findall(r">([^<]+)</text>", (PICTURES / "dashboard.svg").read_text())
    kept = {alarms, *others, *stack.monitoring.alarms}
    assert [text for text in drawn if text in kept] == [alarms, *stack.monitoring.alarms, *others], (
        "run python -m tools.dashboard_picture, and look at what it drew"
    )


@pytest.mark.parametrize(
    ("badge", "colon", "declared"),
    [
        ("python", "", r'^requires-python = "(.+)"$'),
        ("aws-cdk-lib", "", r'^    "aws-cdk-lib(.+)",$'),
        ("license", ":", r'^license = "(.+)"$'),
    ],
)
def test_a_badge_says_what_the_package_declares(badge: str, colon: str, declared: str) -> None:
    [value] = re.findall(declared, (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    written = quote(value.replace("-", "--"), safe=".")
    picture = f"https://img.shields.io/badge/{badge.replace('-', '--')}-{written}-blue"
    assert f"[![{badge}{colon}{value}]({picture})]" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(("name", "most"), [("README.md", 800), ("CONTRIBUTING.md", 700)])
def test_a_front_page_is_read_in_minutes(name: str, most: int) -> None:
    assert len((ROOT / name).read_text().split()) <= most
