"""What a run has shown: as JSON, and as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.doubts import doubts
from tools.prove.field import Answer


@dataclass
class Deployment:
    """A deployment of a stack.

    :param said: what the CDK CLI said when it failed.
    """

    stack: str
    command: str
    seconds: float = 0.0
    said: str = ""


@dataclass
class Evidence:
    """What a run has shown so far.

    :param endpoint: what it ran on, where that is not AWS.
    :param account: the id of the account, which is not written.
    :param scenarios: what ``ses-events verify --json`` printed, by the command and the scenario.
    :param left: what is still there after the end.
    :param failure: why the run ended early.
    """

    endpoint: str
    account: str
    region: str
    started: str
    versions: dict[str, str]
    deployments: list[Deployment] = field(default_factory=list)
    scenarios: dict[tuple[str, str], Any] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    failure: str = ""

    @property
    def proven(self) -> bool:
        """Whether the standard deployment and each scenario of it came to their end, and nothing is left."""
        standard = [proof["proven"] for (command, _), proof in self.scenarios.items() if "express" not in command]
        return bool(standard) and all(standard) and not self.left and not self.failure

    def write(self, folder: Path) -> None:
        """Write both."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "evidence.json").write_text(self._masked(json.dumps(self.document(), indent=2) + "\n"))
        (folder / "evidence.md").write_text(self._masked(self.page()))

    def settled(self) -> dict[str, str]:
        """What settles a doubt, and when and where that was."""
        on = f" ({self.started[:10]}, {self.region})"
        return {doubt: self._masked(each.text) + on for doubt, each in self.answers.items() if each.settled}

    def document(self) -> dict[str, Any]:
        """All of it."""
        return {
            **vars(self),
            "proven": self.proven,
            "deployments": [vars(each) for each in self.deployments],
            "scenarios": [
                {"command": command, "scenario": scenario, "outcome": outcome}
                for (command, scenario), outcome in self.scenarios.items()
            ],
            "answers": {doubt: vars(answer) for doubt, answer in self.answers.items()},
        }

    def page(self) -> str:
        """The page, without what is long."""
        return "\n".join([*self._lines(), ""])

    def _masked(self, text: str) -> str:
        return text.replace(self.account, "ACCOUNT")

    def _lines(self) -> Iterator[str]:
        yield from (f"# Evidence of a run on {self.endpoint or 'AWS'}", "")
        yield f"In {self.region}, from {self.started} on, by `make prove`."
        if self.endpoint:
            yield "It shows what that endpoint does, and settles nothing about AWS."
        yield from ("", ", ".join(f"{name} {version}" for name, version in self.versions.items()) + ".", "")
        if self.failure:
            yield from (f"It ended early: {self.failure}", "")
        yield from ("## Deployments", "", "| command | seconds | |", "|---|--:|---|")
        for each in self.deployments:
            yield f"| `{each.command}` | {each.seconds:.0f} | {_cell(each.said) or 'deployed'} |"
        yield from ("", "## Scenarios", "", "| command | scenario | destination | | arrived |", "|---|---|---|---|---|")
        for (command, scenario), proof in self.scenarios.items():
            for destination in proof.get("destinations", []):
                arrived = ", ".join(
                    f"{event} after {at['seconds']:.0f} s" for event, at in destination["arrived"].items()
                )
                what = f"{destination['path'].partition('/')[2]} | {destination['status']} | {arrived}"
                yield f"| `{command}` | {scenario} | {what} |"
        yield from ("", "## Doubts", "", "| doubt | settled | what it said |", "|---|---|---|")
        for doubt, answer in self.answers.items():
            sentence = doubts()[doubt].sentence
            yield f"| {sentence} | {'yes' if answer.settled else 'no'} | {_cell(answer.text)} |"
        yield from ("", "## Taken down", "", "Nothing is left." if not self.left else f"Left: {', '.join(self.left)}.")


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
