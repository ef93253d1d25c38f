"""Build the two files of a release in dist/, where all that a release needs is there: python -m tools.release v1.2.3"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator

from tests.support.templates import ROOT
from tools.releases import RELEASES, is_dated, version

PLACEHOLDER = "YOUR-GIT-HOST"
"""What pages say in the place of an address, as long as the project has none."""


def main() -> None:
    """Refuse what lacks something, with a line for each; else build."""
    (tag,) = sys.argv[1:] or [""]
    missing = [*problems(tag)]
    if missing:
        sys.exit("\n".join(missing))
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    subprocess.run([sys.executable, "-m", "build", "--no-isolation"], cwd=ROOT, check=True)


def problems(tag: str) -> Iterator[str]:
    """What a release by this tag lacks."""
    now = version()
    if tag != f"v{now}":
        yield f"the tag {tag!r} is not v{now}, the version of pyproject.toml"
    if not is_dated(now):
        yield f"CHANGELOG.md has no heading '## [{now}] - <date>'; write the day of the release"
    if not (RELEASES / now).is_dir():
        yield f"tests/releases/{now} is missing; run python -m tools.releases"
    if "[project.urls]" not in (ROOT / "pyproject.toml").read_text():
        yield "pyproject.toml has no [project.urls]; name the repository, the docs and the changelog"
    for page in sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "pyproject.toml"}):
        if PLACEHOLDER in page.read_text():
            yield f"{page.relative_to(ROOT)} has the placeholder {PLACEHOLDER}; write the address"


if __name__ == "__main__":
    main()
