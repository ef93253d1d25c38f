"""docs/compliance.md answers what the packs of cdk-nag find."""

from __future__ import annotations

import re

from tools.compliance import PAGE, page


def test_the_page_is_what_the_packs_find_with_an_answer_to_each() -> None:
    fresh = page()  # raises where a finding has no answer, or an answer no finding
    assert PAGE.read_text() == fresh, "run make pages"
    answers = re.findall(r"^\| `.+` \| .+ \| .+ \| (.*) \|$", fresh, re.MULTILINE)
    assert answers and all(re.match(r"(Acknowledged|Satisfied|Stands)\b.+\.$", answer) for answer in answers)


def test_every_distribution_that_is_installed_has_a_licence() -> None:
    rows = re.findall(r"^\| (\S+) \| (.*) \| (?:`verify`)? ?\|$", PAGE.read_text(), re.MULTILINE)
    assert {"aws-cdk-lib", "boto3", "jsii"} <= {name for name, _ in rows}
    assert [name for name, licence in rows if not licence or "UNKNOWN" in licence] == []
