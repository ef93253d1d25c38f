from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, "-m", "local_aws.demo"]


def test_the_demo_shows_the_event_and_the_metrics_and_takes_everything_down() -> None:
    demo = subprocess.run(DEMO, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (demo.returncode, demo.stderr) == (0, "")
    steps = re.findall(r"^  (.+?)  +[0-9.]+ s$", demo.stdout, re.MULTILINE)
    assert [step.split(" 3 s here")[0] for step in steps] == [
        "start the local AWS",
        "cdk synth",
        "cdk bootstrap",
        "cdk deploy",
        "verify the identity example.com",
        "send a mail with the tag campaign=test, and one without",
        "wait for the events in S3:",
        "wait for the metrics in CloudWatch",
        "ask Athena for the rates by campaign",
        "cdk destroy",
        "stop",
        "total",
    ]
    assert re.search(r"^events/dt=[0-9-]{10}/.*\.json\.gz\n\{\n  \"eventType\": \"Send\",$", demo.stdout, re.MULTILINE)
    assert "AWS/SES Send campaign=test: Sum 1.0\nAWS/SES Send campaign=unknown: Sum 1.0\n" in demo.stdout
    day, campaign, sent = r"[0-9-]{10}", r"(test|unknown)", "1"
    assert len(re.findall(rf"^{day}  {campaign} +{sent} ", demo.stdout, re.MULTILINE)) == 2


@pytest.mark.parametrize(("interruption", "code"), [(signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_an_interrupted_demo_leaves_nothing_running(interruption: signal.Signals, code: int, tmp_path: Path) -> None:
    with _demo_at("cdk synth", tmp_path) as demo:
        demo.send_signal(interruption)
        output, errors = demo.communicate(timeout=30)
    assert (demo.returncode, errors) == (code, "")
    assert output.endswith("\nInterrupted; nothing is left running.\n")
    assert list(tmp_path.iterdir()) == []
    assert not [process for process in Path("/proc").glob("[0-9]*/environ") if str(tmp_path) in _text(process)]


def test_a_demo_that_nobody_reads_leaves_nothing_running(tmp_path: Path) -> None:
    with _demo_at("start the local AWS", tmp_path) as demo:
        assert demo.stdout and demo.stderr
        demo.stdout.close()
        errors = demo.stderr.read()
    assert (demo.returncode, errors) == (1, "\nThe demo cannot go on: Broken pipe; nothing is left running.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_failing_step_is_named_with_its_reason(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    demo = subprocess.run(DEMO, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert demo.returncode == 1
    assert demo.stdout.endswith("failed\n")
    cli = tmp_path / "node_modules" / ".bin" / "cdk"
    assert demo.stderr == f"\nThe step 'cdk synth' failed: {cli} is missing: run `npm ci` first\n"


def _demo_at(step: str, folder: Path) -> subprocess.Popen[str]:
    """A demo that has begun a step, with all its files in a folder."""
    demo = subprocess.Popen(
        DEMO,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # these tests may run under nohup, of which the demo, too, would keep that nobody hangs up
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    assert demo.stdout
    seen = ""
    while not seen.endswith(step):
        character = demo.stdout.read(1)
        if not character:
            pytest.fail(f"the demo ended before {step}: {seen}")
        seen += character
    return demo


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # the process has ended in the meantime
        return ""
