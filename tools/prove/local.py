"""The command against the AWS of this machine, and docs/evidence-local.md: python -m tools.prove.local"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from local_aws import LocalAws
from local_aws.cdk import Cdk
from local_aws.demo import DOMAIN
from local_aws.process import ACCOUNT

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/evidence-local.md"
NAME = "SesEventsProve"
SPEED = 300


def prepared(aws: LocalAws) -> list[str]:
    """The command, once an account is made ready for it."""
    Cdk(aws, ROOT).bootstrap()
    aws.client("sesv2").create_email_identity(EmailIdentity=DOMAIN)
    command = [sys.executable, "-m", "tools.prove", "--account", ACCOUNT, "--name", NAME]
    return [*command, "--endpoint-url", aws.url, "--speed", str(aws.speed)]


def normalised(page: str) -> str:
    """A page without what differs from run to run."""
    page = re.sub(r"https://127.0.0.1:\d+", "the AWS of this machine", page)
    page = re.sub(r"from \S+ on, by", "by", re.sub(r"(took|after) \d+ s\b", r"\1 … s", page))
    page = re.sub(r"^(\| `cdk .+?` \|) \d+ \|", r"\1 … |", page, flags=re.MULTILINE)
    return re.sub(r"(?<=-)[0-9A-F]{12,13}\b", "…", page)


def main() -> None:
    """Write the page."""
    with LocalAws(SPEED) as aws, tempfile.TemporaryDirectory() as folder:
        command = prepared(aws)
        aws.set_delays(iam=20 / SPEED, stream=60 / SPEED)  # what AWS is slow with, as much faster
        run = subprocess.run([*command, "--output", folder], cwd=ROOT, env=aws.environment)
        if run.returncode == 0:
            PAGE.write_text(normalised(Path(folder, "evidence.md").read_text()))
    sys.exit(run.returncode)


if __name__ == "__main__":
    main()
