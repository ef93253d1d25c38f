"""The site of the docs, in site/html: python -m tools.site (``make docs``), with what requirements-docs.txt pins."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import ses_events
from tests.support.templates import ROOT

SITE = ROOT / "site"
SOURCE = SITE / "source"
DOORS = ROOT / "docs/README.md"
MERMAID = "11.12.0"
SETTINGS = """
project = "ses_events"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "sphinxcontrib.mermaid"]
root_doc = "index"
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
html_theme = "furo"
html_title = "ses_events"
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["narrow.css"]
html_extra_path = ["llms.txt"]
mermaid_use_local = "mermaid.esm.min.mjs"
mermaid_fullscreen = False
mermaid_init_config = {"startOnLoad": False, "deterministicIds": True}  # else two drawn in a millisecond are one
mermaid_height = "auto"
suppress_warnings = ["myst.header"]  # a page may begin with the level that reads best
"""

NARROW = """
@media (max-width: 40rem) {
  pre.mermaid { overflow-x: auto }
  pre.mermaid > svg { min-width: 42rem }
}
"""
"""On a telephone a flow chart scrolls sideways, as its text would be too small to read."""


def main() -> int:
    """Build the site; the exit code of Sphinx, for which a link to nowhere is an error."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    for page in pages():
        copied = SOURCE / page.relative_to(ROOT)
        copied.parent.mkdir(parents=True, exist_ok=True)
        text = re.sub(
            r"\[(.+?)\]\((?:\.\./)?(?:ses_events|local_aws)/\S*?\)", r"\1", page.read_text()
        )  # code is not on the site
        copied.write_text(re.sub(r"\]\(\.\./README\.md", "](../index.md", text))
    for linked in sorted({*ROOT.glob("examples/*.py"), *ROOT.glob("docs/pictures/*"), ROOT / "LICENSE"}):
        copied = SOURCE / linked.relative_to(ROOT)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(linked, copied)
    (SOURCE / "README.md").rename(SOURCE / "index.md")
    (SOURCE / "api.md").write_text(api())
    (SOURCE / "index.md").open("a").write("\n" + "\n".join(contents()))
    (SOURCE / "llms.txt").write_text(llms())
    (SOURCE / "conf.py").write_text(SETTINGS)
    _fetch_mermaid(SOURCE / "_static")
    (SOURCE / "_static/narrow.css").write_text(NARROW)
    build = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "--jobs", "2"]
    return subprocess.run([*build, str(SOURCE), str(SITE / "html")], cwd=ROOT).returncode


def pages() -> list[Path]:
    """The pages in the order in which docs/README.md has them, after that one and the README."""
    linked = [(DOORS.parent / path).resolve() for _, path, _ in doors()]
    return [ROOT / "README.md", DOORS, *linked]


def doors() -> list[tuple[str, str, str]]:
    """The title, the path and the question of each page that docs/README.md leads to."""
    return re.findall(r"^\| \[(.+?)\]\((\S+?)\) \| (.+) \|$", DOORS.read_text(), re.MULTILINE)


def contents() -> Iterator[str]:
    """The navigation: a part for each heading of docs/README.md, and the reference."""
    for part in re.split(r"^## ", DOORS.read_text(), flags=re.MULTILINE)[1:]:
        heading = part.partition("\n")[0]
        listed = re.findall(r"^\| \[(.+?)\]\((\S+?)\)", part, re.MULTILINE)
        if not listed:
            continue
        yield from ("```{toctree}", ":hidden:", f":caption: {heading}", "")
        for title, path in listed:
            page = (DOORS.parent / path).resolve().relative_to(ROOT).with_suffix("")
            yield f"{title} <{page}>"
        yield from ([] if heading != "Use" else ["Reference <api>"])
        yield from ("```", "")
    yield from ("```{toctree}", ":hidden:", "", "All pages <docs/README>", "```", "")


def api() -> str:
    """A page with the docstring of each public name."""
    parts = ["# Reference", "", "What `from ses_events import …` gives.", ""]
    for name in ses_events.__all__:
        is_class = isinstance(getattr(ses_events, name), type)
        module = f"ses_events.{vars(ses_events)['_MODULES'][name]}"
        directive = "autoclass" if is_class else "autodata"
        options = ["   :members:", "   :no-index:"] if is_class else ["   :no-value:", "   :no-index:"]
        parts += [f"## {name}", "", "```{eval-rst}", f".. {directive}:: {module}.{name}", *options, "```", ""]
    return "\n".join(parts)


def llms() -> str:
    """What https://llmstxt.org asks for: the pages, each with the question that it answers."""
    first = re.split(r"\n\n", (ROOT / "README.md").read_text())[1].replace("\n", " ")
    listed = [
        f"- [{title}]({(DOORS.parent / path).resolve().relative_to(ROOT).with_suffix('.html')}): {question}"
        for title, path, question in doors()
    ]
    return "\n".join(["# ses_events", "", f"> {first}", "", "## Docs", "", *listed, "- [Reference](api.html)", ""])


def _fetch_mermaid(folder: Path) -> None:
    """Put the JavaScript that draws the pictures into the site, which then needs no other host."""
    package = SITE / f"mermaid-{MERMAID}.tgz"
    if not package.exists():
        subprocess.run(
            [Path(sys.prefix, "bin/npm"), "pack", "--silent", f"mermaid@{MERMAID}"],
            cwd=SITE,
            check=True,
            stdout=sys.stderr,
        )
    with tarfile.open(package) as archive:
        for member in archive.getmembers():
            name = member.name.removeprefix("package/dist/")
            if re.fullmatch(r"mermaid\.esm\.min\.mjs|chunks/mermaid\.esm\.min/[\w.-]+\.mjs", name):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(archive.extractfile(member).read())  # type: ignore[union-attr]


if __name__ == "__main__":
    sys.exit(main())
