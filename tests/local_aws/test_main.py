"""``python -m local_aws``, for any app."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest

from local_aws import LocalAws, LocalAwsError

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "local_aws"]

SEND = """
import boto3
v1, v2 = boto3.client("ses"), boto3.client("sesv2")
v1.verify_domain_identity(Domain="example.com")
v2.create_configuration_set(ConfigurationSetName="mine")
v2.create_configuration_set_event_destination(
    ConfigurationSetName="mine",
    EventDestinationName="bus",
    EventDestination={
        "Enabled": True,
        "MatchingEventTypes": ["SEND", "BOUNCE"],
        "EventBridgeDestination": {"EventBusArn": "arn:aws:events:us-east-1:000000000000:event-bus/default"},
    },
)
v2.send_email(
    FromEmailAddress="ann@example.com",
    Destination={"ToAddresses": ["bounce@simulator.amazonses.com"]},
    Content={"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}},
    ConfigurationSetName="mine",
)
"""


def test_it_prints_exports_and_then_what_it_publishes_until_it_is_interrupted(tmp_path: Path) -> None:
    (tmp_path / "send.py").write_text(SEND)
    with subprocess.Popen(COMMAND, cwd=ROOT, stdout=subprocess.PIPE, text=True) as local:
        assert local.stdout
        exports, folder = _started(local.stdout)
        shell = f"{exports}\n{sys.executable} {tmp_path / 'send.py'}"
        subprocess.run(["sh", "-c", shell], check=True)
        lines = [local.stdout.readline() for _ in range(2)]
        local.send_signal(signal.SIGINT)
        rest, _ = local.communicate(timeout=30)
    form = r"[0-9:]{8} (Send|Bounce) of [0-9a-f-]{36}@email\.amazonses\.com published to bus of mine \(EventBridge\)\n"
    events = [re.fullmatch(form, line) for line in lines]
    assert [event and event[1] for event in events] == ["Send", "Bounce"], lines
    assert (local.returncode, rest, folder.exists()) == (0, "", False)


@pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="finds the server to stop in /proc, which Linux alone has"
)
def test_it_ends_when_its_server_does() -> None:
    with subprocess.Popen(COMMAND, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as local:
        assert local.stdout
        _, folder = _started(local.stdout)
        [server] = [int(pid) for pid in Path(f"/proc/{local.pid}/task/{local.pid}/children").read_text().split()]
        os.kill(server, signal.SIGKILL)
        _, errors = local.communicate(timeout=30)
    assert (local.returncode, folder.exists()) == (1, False)
    assert errors.startswith("the local AWS has ended; its log ends with:\n")


@pytest.mark.parametrize("interruption", [signal.SIGTERM, None])
def test_it_leaves_nothing_when_it_is_told_to_end_or_nobody_reads_it(interruption: signal.Signals | None) -> None:
    with subprocess.Popen(COMMAND, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as local:
        assert local.stdout and local.stderr
        exports, folder = _started(local.stdout)
        if interruption:
            local.send_signal(interruption)
        else:
            local.stdout.close()
        errors = local.stderr.read()
    assert (local.wait(timeout=30), errors, folder.exists()) == (0, "", False)
    [port] = re.findall(r"AWS_ENDPOINT_URL=https://127\.0\.0\.1:([0-9]+)", exports)
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", int(port))) != 0


@pytest.mark.parametrize("module", ["local_aws.__main__", "local_aws.demo"])
def test_help_loads_neither_cdk_nor_boto3(module: str) -> None:
    code = (
        f"import sys; sys.argv[1:] = ['--help']; from {module} import main\n"
        "try: main()\n"
        "finally: print(sorted({'aws_cdk', 'jsii', 'boto3', 'ministack', 'trustme'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stderr, run.stdout[:6]) == (0, "", "usage:")
    assert run.stdout.endswith("\n[]\n")


def test_a_port_that_is_taken_is_named(aws: LocalAws) -> None:
    port = aws.url.rpartition(":")[2]
    local = subprocess.run([*COMMAND, "--port", port], cwd=ROOT, capture_output=True, text=True)
    assert (local.returncode, local.stdout) == (1, "")
    assert local.stderr.startswith(f"port {port} of 127.0.0.1 cannot be used: ")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"speed": 0}, "LocalAws: speed 0 is not a number it can be; use for example 100 or 0.5"),
        ({"iam_delay": -1}, "LocalAws: iam_delay -1 is not a number it can be; use for example 100 or 0.5"),
        ({"stream_delay": float("nan")}, "LocalAws: stream_delay nan is not a number it can be"),
        ({"metric_delay": -60}, "LocalAws: metric_delay -60 is not a number it can be"),
    ],
)
def test_numbers_that_are_none_are_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        LocalAws(**settings)


def test_a_delay_that_is_none_is_refused_while_it_runs(aws: LocalAws) -> None:
    with pytest.raises(LocalAwsError, match="the IAM delay of -1 s is no time; it takes 0 s or more"):
        aws.set_delays(iam=-1)


def test_a_clock_does_not_go_back(aws: LocalAws) -> None:
    with pytest.raises(LocalAwsError, match="the clock cannot be moved on by -1 s"):
        aws.advance(-1)


@pytest.mark.parametrize("quota", [{"records": -1}, {"mails": 1}])
def test_a_quota_that_is_none_is_refused(aws: LocalAws, quota: dict[str, float]) -> None:
    with pytest.raises(LocalAwsError, match="is no quota of a delivery stream"):
        aws.set_quota(**quota)


def _started(printed: IO[str]) -> tuple[str, Path]:
    """The exports that the command prints once it runs, and its folder."""
    exports = ""
    for line in iter(printed.readline, ""):
        if line.startswith("# It runs until Ctrl-C. Its log: "):
            return exports, Path(line.rpartition(" ")[2]).parent
        exports += line
    pytest.fail(f"it ended after {exports!r}")
