"""The local AWS as a process: started, reached and stopped by whoever needs it."""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import math
import os
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from local_aws.ending import INTERRUPTIONS

ACCOUNT = "000000000000"
REGION = "us-east-1"

# boto3 and trustme are imported where they are used: the commands of this package start, and can be interrupted
# without a traceback, before those are loaded.


class LocalAwsError(Exception):
    """The local AWS could not be started, or cannot do what it was asked beside AWS."""


class LocalAws:
    """An AWS on this machine, in one server process, from ``with`` until its end.

    It listens on 127.0.0.1 only, with TLS and a certificate of its own. Its account is ``000000000000``, its region
    ``us-east-1``. Nothing is kept: each start is an empty account.

    :param speed: how much faster than on AWS Firehose and CloudWatch work: 100 turns 300 s of buffering into 3 s.
    :param iam_delay: see ``set_delays``.
    :param stream_delay: see ``set_delays``.
    :param metric_delay: see ``set_delays``.
    :param port: where it listens. Default: a port that is free.
    :raises ValueError: when a number is negative, or the speed is 0.
    :raises LocalAwsError: from ``with``, when it does not start, for example because the port is taken.
    """

    def __init__(
        self,
        speed: float = 100,
        *,
        iam_delay: float = 0,
        stream_delay: float = 0,
        metric_delay: float = 0,
        port: int | None = None,
    ) -> None:
        delays = {"iam_delay": iam_delay, "stream_delay": stream_delay, "metric_delay": metric_delay}
        for name, value in {"speed": speed, **delays}.items():
            if not 0 <= value < math.inf or (name == "speed" and not value):
                raise ValueError(f"LocalAws: {name} {value!r} is not a number it can be; use for example 100 or 0.5")
        self.speed = speed
        self._delays = delays.values()
        self._wanted_port = port or 0

    def __enter__(self) -> LocalAws:
        with contextlib.ExitStack() as started:
            folder = tempfile.TemporaryDirectory(prefix="local-aws-", ignore_cleanup_errors=True)
            self.folder = Path(started.enter_context(folder))
            """A private folder that goes with the local AWS."""
            self.log = self.folder / "server.log"
            """What the server writes."""
            self._authority = self.folder / "authority.pem"
            self._clients: dict[tuple[str, ...], Any] = {}
            self._making_a_client = threading.Lock()  # a session is not for several threads, its clients are
            self._server = self._start_server(started)
            self._wait_until_ready()
            self._running = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._server.pid

    @property
    def settings(self) -> Mapping[str, str]:
        """The environment variables that lead AWS tools here, and nowhere else."""
        no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1"]))
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": str(self._authority),
            "NODE_EXTRA_CA_CERTS": str(self._authority),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            "CDK_HOME": str(self.folder / "cdk"),  # the CLI remembers there which account a key belongs to
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_DISABLE_VERSION_CHECK": "1",
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
        }

    @property
    def environment(self) -> dict[str, str]:
        """A complete environment for programs that use this AWS; none of your own AWS and CDK variables is in it."""
        return {name: value for name, value in os.environ.items() if not _is_for_aws(name)} | dict(self.settings)

    @property
    def exports(self) -> str:
        """The shell commands after which ``aws``, ``cdk`` and boto3 use this AWS."""
        inherited = {name for name in os.environ if _is_for_aws(name)} | {"AWS_PROFILE", "AWS_SESSION_TOKEN"}
        lines = [f"export {name}={shlex.quote(value)}" for name, value in self.settings.items()]
        return "\n".join([f"unset {' '.join(sorted(inherited - set(self.settings)))}", *lines])

    @property
    def refusals(self) -> list[str]:
        """What SES and Firehose were refused, or failed to do, so far: the lines of the server's log about it."""
        return [line for line in self.log.read_text().splitlines() if " ERROR [local_aws." in line]

    def require_running(self) -> None:
        """See that the server is there.

        :raises LocalAwsError: when it has ended by itself, with the end of its log.
        """
        if self._server.poll() is not None:
            raise LocalAwsError(f"the local AWS has ended; {self._end_of_log}")

    def set_delays(self, *, iam: float = 0, stream: float = 0, metric: float = 0) -> None:
        """Make some things as slow as on AWS, where the first two take about half a minute.

        :param iam: seconds for which services see a role and its policies as they were before a change.
        :param stream: seconds that a new delivery stream takes to become ACTIVE; CloudFormation waits for it, but with
            ``cdk deploy --express``.
        :param metric: seconds of AWS, so ``metric / speed`` of ours, from an event to where alarms see that it counts.
        """
        self._ask("PUT", "/_delays", {"iam": iam, "stream": stream, "metric": metric})

    def set_quota(self, **quota: float) -> None:
        """Change what each delivery stream takes in a second of AWS; Firehose turns away what is more.

        :param quota: ``bytes``, ``records`` or ``put_requests``; what is not given stays as it is.
        :raises LocalAwsError: when one is negative, or no quota of a stream.
        """
        self._ask("PUT", "/_quota", quota)

    def advance(self, seconds: float) -> None:
        """Move the time of Firehose, of metrics and of alarms on, in place of waiting for ``seconds / speed``.

        Events of mail that was sent are published first. What falls due meanwhile is done, each at its time: buffers
        are delivered, metrics arrive, alarms are evaluated.

        :param seconds: of AWS.
        :raises LocalAwsError: when they are negative, or no number.
        """
        self._ask("POST", "/_clock", {"advance": seconds}, patience=600)

    def open(self, message_id: str) -> None:
        """Let a recipient open a mail: SES publishes an Open event.

        :raises LocalAwsError: when SES would not notice: the mail has no HTML, or no event destination asked for Open.
        """
        self.react(message_id, "Open")

    def click(self, message_id: str, link: str) -> None:
        """Let a recipient click a link in a mail: SES publishes a Click event, with the tags of the link.

        :raises LocalAwsError: when SES would not notice, as with ``open``, or there is no such link.
        """
        self.react(message_id, "Click", link=link)

    def react(self, message_id: str, event_type: str, **details: str) -> None:
        """Let SES publish an event that does not follow from sending a mail.

        :param event_type: ``Open``, ``Click``, ``DeliveryDelay``, or ``Subscription``.
        :param details: of Open and Click ``ipAddress`` and ``userAgent``, of Click ``link``, of DeliveryDelay
            ``recipient``; all but the link may be left out.
        :raises LocalAwsError: when it cannot happen to this mail.
        """
        self._ask("POST", "/_ses/events", {"messageId": message_id, "eventType": event_type, **details})

    def client(self, service: str, access_key_id: str = "test", secret_access_key: str = "test") -> Any:
        """A boto3 client, with all permissions unless given a user's key; your AWS configuration does not reach it.

        The same one at each call, as it takes longer to make than what is asked of it.
        """
        import botocore.config

        key = (service, access_key_id, secret_access_key)
        with self._making_a_client:
            if key not in self._clients:
                self._clients[key] = self._boto.client(
                    service,
                    endpoint_url=self.url,
                    verify=str(self._authority),
                    region_name=REGION,
                    aws_access_key_id=access_key_id,
                    aws_secret_access_key=secret_access_key,
                    config=botocore.config.Config(proxies={}, use_fips_endpoint=False, use_dualstack_endpoint=False),
                )
            return self._clients[key]

    @functools.cached_property
    def _boto(self) -> Any:
        """A session that takes neither a profile from the environment nor settings from files."""
        import boto3
        import botocore.session

        unset = {name: (None, None, None, None) for name in ("profile", "config_file", "credentials_file")}
        return boto3.Session(botocore_session=botocore.session.Session(session_vars=unset))

    def _start_server(self, running: contextlib.ExitStack) -> subprocess.Popen[bytes]:
        certificate = _write_certificate(self._authority)
        # The server gets this socket instead of a port number: nobody else can take the port in between.
        with socket.socket() as listener, self.log.open("wb") as log:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of a server that has just ended
            try:
                listener.bind(("127.0.0.1", self._wanted_port))
            except (OSError, OverflowError) as failure:
                raise LocalAwsError(f"port {self._wanted_port} of 127.0.0.1 cannot be used: {failure}") from failure
            self._port = listener.getsockname()[1]
            self.url = f"https://127.0.0.1:{self._port}"
            """The endpoint of every service."""
            settings = map(str, (listener.fileno(), certificate, self.speed, *self._delays))
            server = process_group(
                [sys.executable, "-m", "local_aws.server", *settings],
                cwd=Path(__file__).parents[1],
                env=_server_environment(self._port, self.folder) | dict(self.settings),
                stdin=subprocess.PIPE,  # it ends with us, whatever ends us: see local_aws.server
                stdout=log,
                stderr=log,
                pass_fds=[listener.fileno()],
            )
            return running.enter_context(server)

    def _wait_until_ready(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while self._server.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException, LocalAwsError):
                self._ask("GET", "/_ministack/health")
                return
            time.sleep(0.05)
        raise LocalAwsError(f"the local AWS did not start; {self._end_of_log}")

    @property
    def _end_of_log(self) -> str:
        return "\n".join(["its log ends with:", *self.log.read_text().splitlines()[-20:]])

    def _ask(self, method: str, path: str, request: Mapping[str, Any] | None = None, patience: float = 5) -> None:
        """Ask the server for something that is no call of AWS."""
        trust = ssl.create_default_context(cafile=self._authority)
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, context=trust, timeout=patience)
        with contextlib.closing(connection):
            connection.request(method, path, json.dumps(request))
            response = connection.getresponse()
            answer = response.read()
        if response.status != 200:
            raise LocalAwsError(json.loads(answer).get("message", ""))


def _is_for_aws(name: str) -> bool:
    return name.startswith(("AWS_", "CDK_"))


def _server_environment(port: int, folder: Path) -> dict[str, str]:
    """MiniStack takes dozens of settings from the environment (one sends real mail): it inherits next to nothing."""
    inherited = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH")
    return {name: os.environ[name] for name in inherited if name in os.environ} | {
        "AUTH": "true",  # IAM is enforced
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "IOT_MTLS_ENABLED": "0",  # both would listen on 0.0.0.0
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{folder}/no-docker",  # or it removes containers that it takes for its own
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(folder),
    }


def _write_certificate(authority: Path) -> Path:
    """Write a new certificate authority; the path of a certificate of it for 127.0.0.1, with its key."""
    import trustme

    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(authority)
    certificate = authority.with_name("certificate.pem")
    issuer.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    return certificate


@contextlib.contextmanager
def process_group(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A process that is over, with all that it started, at the end of this context; ``options`` are those of Popen."""
    process = None
    try:
        with _interruptions_held_back():  # one in the middle of Popen would leave a process that nobody knows
            process = subprocess.Popen(command, start_new_session=True, **options)
        yield process
    finally:
        if process and process.poll() is None:
            _end_group(process, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
            _end_group(process, signal.SIGKILL)
            process.wait()


def _end_group(process: subprocess.Popen[Any], ending: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left; macOS says the latter
        os.killpg(process.pid, ending)


@contextlib.contextmanager
def _interruptions_held_back() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is interrupted
        return
    held_back: list[int] = []
    handlers = [signal.signal(each, lambda number, _: held_back.append(number)) for each in INTERRUPTIONS]
    try:
        yield
    finally:
        for each, handler in zip(INTERRUPTIONS, handlers, strict=True):
            signal.signal(each, handler)
        for number in held_back:
            signal.raise_signal(number)
