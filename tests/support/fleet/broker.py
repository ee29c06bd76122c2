"""A Valkey of a test's own, which may be killed and started again on the same port with what it had written."""

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psutil
import redis

from fleet.embedded.valkey import EmbeddedValkey
from fleet.supervisor.ports import free_port
from fleet.supervisor.process import ProcessSpec
from fleet.supervisor.supervisor import Supervisor


class Broker:
    """One server in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        """Prepare it; nothing is started yet."""
        valkey, port = EmbeddedValkey(folder), free_port()
        valkey.prepare()
        self.port = port
        self.url = valkey.url_of("fleet", port)
        self._valkey = valkey
        self._spec = ProcessSpec(
            name="valkey",
            command=valkey.command(port),
            environment=valkey.environment,
            stage=0,
            ready=lambda: valkey.ready(port),
            stop_signal=valkey.stop_signal,
            account=valkey.account,
            log_file=folder / "valkey.log",
        )
        self._supervisor = Supervisor([self._spec], on_change=lambda _: None)

    def __enter__(self) -> Self:
        self._supervisor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._supervisor.stop()
        self._valkey.remove()

    def operator(self) -> "redis.Redis":
        """A client for who may do everything."""
        return redis.Redis.from_url(self._valkey.operator_url(self.port), decode_responses=True)

    @property
    def password(self) -> str:
        """That of who may do everything."""
        return str(urlsplit(self._valkey.operator_url(self.port)).password)

    def kill(self) -> None:
        """Kill it; every connection to it is lost."""
        (running,) = self._supervisor.processes
        psutil.Process(running.pid).kill()
        self._supervisor.stop()

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self._supervisor = Supervisor([self._spec], on_change=lambda _: None)
        self._supervisor.start()
