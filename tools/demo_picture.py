"""What ``make demo`` prints, as docs/pictures/demo.svg, from a real run: python -m tools.demo_picture"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.support.templates import ROOT

PICTURE = ROOT / "docs/pictures/demo.svg"


def main() -> None:
    """Run the demo, and draw what it printed."""
    run = subprocess.run([sys.executable, "-m", "local_aws.demo"], cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stdout + run.stderr)
    console = Console(record=True, width=100, file=io.StringIO(), highlight=False)
    console.print(Text("$ make demo", style="bold"))
    console.print(Text(shortened(run.stdout)))
    PICTURE.write_text(console.export_svg(title="make demo", theme=MONOKAI, unique_id="demo"))


def shortened(printed: str) -> str:
    """What was printed, with those fields of the event alone that tell something to who sees it first."""
    before, event, after = re.split(r"^(\{\n.*?^\})$", printed, flags=re.MULTILINE | re.DOTALL)
    whole = json.loads(event)
    mail = {name: whole["mail"][name] for name in ("timestamp", "destination")}
    mail["tags"] = {"campaign": whole["mail"]["tags"]["campaign"], "…": "…"}
    kept = json.dumps({"eventType": whole["eventType"], "mail": {**mail, "…": "…"}}, indent=2, ensure_ascii=False)
    kept = re.sub(r"\[\s+(.*?)\s+\]", r"[\1]", kept)
    return before + kept.replace('"…": "…"', "…") + after


if __name__ == "__main__":
    main()
