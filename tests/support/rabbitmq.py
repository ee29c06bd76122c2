"""A RabbitMQ for tests: Debian's, run by this test on free ports of 127.0.0.1, in a folder of its own."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The script itself; the one on PATH changes to another account, whose folders are the machine's."""

ABSENT = "rabbitmq-server is not installed (Debian: apt-get install rabbitmq-server); .ci/run installs it"

_START_SECONDS = 180
_STOP_SECONDS = 180


def is_installed() -> bool:
    """Whether this machine has what is needed."""
    return PROGRAM.is_file() and shutil.which("epmd") is not None


@dataclass(slots=True)
class RabbitServer:
    """A running server; `stop` and `start` keep its data."""

    folder: Path
    port: int
    environment: dict[str, str]
    epmd: "subprocess.Popen[bytes]"
    server: "subprocess.Popen[bytes] | None" = None

    @classmethod
    def begin(cls, folder: Path) -> "RabbitServer":
        """Start the name server it needs, and then the server itself."""
        port, names, distribution = _quiet_ports(3)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "plugins").write_text("[].")
        kernel = "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1"
        settings = {
            "HOME": str(folder),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(names),
            "RABBITMQ_NODENAME": f"test{os.getpid()}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": kernel,
        }
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RABBITMQ_")} | settings
        epmd = subprocess.Popen(
            ["epmd", "-address", "127.0.0.1", "-port", str(names)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        begun = cls(folder, port, environment, epmd)
        _wait_for(names, epmd, "epmd")
        begun.start()
        return begun

    @property
    def url(self) -> str:
        """Where it is found."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        """Start the server and return when it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                [str(PROGRAM)],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _wait_for(self.port, self.server, (self.folder / "server.log").read_text()[-2000:])

    def stop(self) -> None:
        """Kill the server, as a machine that goes down would; what is durable stays."""
        if self.server is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()
        self.server = None
        # What was waited for is the script; the server itself takes a moment longer to be gone.
        deadline = time.monotonic() + _STOP_SECONDS
        while _listens(self.port):
            assert time.monotonic() < deadline, "a killed RabbitMQ still listens"
            time.sleep(0.05)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Connections stay, and nothing is answered."""
        assert self.server is not None
        os.killpg(self.server.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.server.pid, signal.SIGCONT)

    def end(self) -> None:
        """Stop everything that was started."""
        self.stop()
        self.epmd.kill()
        self.epmd.wait()


def _quiet_ports(count: int) -> list[int]:
    """Free ports below those that outgoing connections get: it takes seconds until the server has taken them."""
    found: list[int] = []
    for port in random.sample(range(20_000, 30_000), 200):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("this machine has no free ports")


def _wait_for(port: int, process: "subprocess.Popen[bytes]", what: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _listens(port):
        assert process.poll() is None, f"it ended while it was started: {what}"
        assert time.monotonic() < deadline, f"nothing listens on {port} in time: {what}"
        time.sleep(0.05)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as one:
            # Where nobody listens, a connection may be made to itself.
            return bool(one.getsockname() != one.getpeername())
    except OSError:
        return False
