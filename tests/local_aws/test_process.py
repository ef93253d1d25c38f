from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws, LocalAwsError

ROOT = Path(__file__).parents[2]
on_linux = pytest.mark.skipif(
    not Path("/proc/net/tcp").exists(), reason="reads sockets and environments in /proc, which Linux alone has"
)

INHERITED = {
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SESSION_TOKEN": "token",
    "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/Deploy",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token",
    "AWS_ENDPOINT_URL_STS": "https://sts.us-east-1.amazonaws.com",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_REGION": "eu-central-1",
    "AWS_CA_BUNDLE": "/nowhere/bundle.pem",
    "CDK_DEFAULT_ACCOUNT": "111122223333",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "SMTP_HOST": "mail.example.com",
    "PERSIST_STATE": "1",
    "USE_SSL": "1",
}

ASK_FOR_ACCOUNT = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"


@pytest.fixture
def inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of somebody who works with AWS, and who has another MiniStack."""
    for name, value in INHERITED.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("inherited")
def test_no_variable_of_aws_and_cdk_is_inherited(aws: LocalAws) -> None:
    assert {name: value for name, value in aws.environment.items() if name.startswith(("AWS_", "CDK_"))} == {
        name: value for name, value in aws.settings.items() if name.startswith(("AWS_", "CDK_"))
    }


@pytest.mark.usefixtures("inherited")
def test_the_environment_knows_no_credentials_but_fake_ones_and_no_endpoint_but_ours(aws: LocalAws) -> None:
    assert aws.environment["AWS_ACCESS_KEY_ID"] == aws.environment["AWS_SECRET_ACCESS_KEY"] == "test"
    assert aws.environment["AWS_CONFIG_FILE"] == aws.environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert aws.environment["AWS_ENDPOINT_URL"].startswith("https://127.0.0.1:")


@pytest.mark.usefixtures("inherited")
def test_a_program_in_the_environment_reaches_the_local_account(aws: LocalAws) -> None:
    ask = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    answer = subprocess.run(
        [sys.executable, "-c", ask], env=aws.environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "000000000000\n"


@pytest.mark.usefixtures("inherited")
def test_a_shell_after_the_exports_reaches_the_local_account(aws: LocalAws) -> None:
    shell = ["sh", "-c", f'{aws.exports}\n{sys.executable} -c "{ASK_FOR_ACCOUNT}"']
    answer = subprocess.run(shell, capture_output=True, text=True, check=True)
    assert answer.stdout == "000000000000\n"


@pytest.mark.usefixtures("inherited")
def test_the_server_inherits_no_setting_and_its_clients_none_either() -> None:
    with LocalAws() as local:
        assert local.client("sts").get_caller_identity()["Account"] == "000000000000"
        started_with = Path(f"/proc/{local.pid}/environ")
        if started_with.exists():
            assert not [name for name in ("SMTP_HOST", "PERSIST_STATE", "USE_SSL") if name in started_with.read_text()]


@on_linux
def test_nothing_but_one_port_of_the_loopback_interface_is_open(aws: LocalAws) -> None:
    assert _listening(aws.pid) == {("tcp", "0100007F", int(aws.url.rpartition(":")[2]))}


def test_an_unknown_key_is_refused(aws: LocalAws) -> None:
    stranger = aws.client("firehose", "AKIAIOSFODNN7EXAMPLE", "secret")
    with pytest.raises(ClientError, match="security token included in the request is invalid"):
        stranger.list_delivery_streams()


def test_several_threads_share_a_client(aws: LocalAws) -> None:
    together = threading.Barrier(8)

    def client_of(thread: int) -> object:
        together.wait()
        return aws.client("sns", "AKIAIOSFODNN7EXAMPLE", "of threads")

    with ThreadPoolExecutor(8) as threads:
        [_] = set(threads.map(client_of, range(8)))


def test_a_user_without_permission_puts_no_record(aws: LocalAws) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    nobody = aws.client("firehose", key["AccessKeyId"], key["SecretAccessKey"])
    with pytest.raises(ClientError, match=r"user/nobody is not authorized to perform: firehose:PutRecordBatch"):
        nobody.put_record_batch(DeliveryStreamName="any", Records=[{"Data": b"record"}])


def test_nothing_is_left_of_it_after_its_end() -> None:
    with LocalAws() as local:
        pid, folder = local.pid, local.folder
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_server_ends_with_the_process_that_started_it() -> None:
    program = """
import time
from local_aws import LocalAws
with LocalAws() as aws:
    print(aws.url, aws.folder, flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout
        url, folder = starter.stdout.readline().split()
        starter.kill()
    deadline = time.monotonic() + 20
    while ((answers := _answers(url)) or Path(folder).exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (answers, Path(folder).exists()) == (False, False)


def test_a_server_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hypercorn.py").write_text("raise SystemExit('no server today')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(LocalAwsError, match="did not start; its log ends with:\nno server today"), LocalAws():
        pass


def _answers(url: str) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0


def _listening(pid: int) -> set[tuple[str, str, int]]:
    """Protocol, address and port of each socket that a process has open to others, as /proc has them."""
    inodes = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed in the meantime
            inodes.add(os.readlink(file).strip("socket:[]"))
    found = set()
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{protocol}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            listening = state == "0A" if protocol.startswith("tcp") else True
            if listening and rest[5] in inodes:
                address, port = local.split(":")
                found.add((protocol, address, int(port, 16)))
    return found
