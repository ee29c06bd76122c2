"""A fleet for measurement, in its own process, with the bench's own components."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

import psutil

from fleet.command.machine.up import UpOptions, up
from fleet.embedded.home import server_home
from fleet.embedded.postgres import EmbeddedPostgres
from fleet.installation import FleetNotRunning, Installation
from fleet.plan import FleetPlan
from storage.core.database import Database
from workers.app import make_app
from workers.process import Process

_READY_SECONDS: Final = 180.0
_STOP_SECONDS: Final = 30.0
_LOOK: Final = 0.05
_HELD_STILL: Final = ("worker-", "tick", "beat")
_ITS_OWN: Final[Mapping[str, str]] = MappingProxyType({})


class MeasuredFleet:
    """A fleet in a folder of its own."""

    def __init__(self, folder: Path, channel: str, servers: Mapping[str, str] = _ITS_OWN) -> None:
        """Name the folder; the servers are its own unless the variables of others are given."""
        self._installation = Installation(folder)
        self._channel = channel
        self._servers = servers
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the fleet and wait until it is ready.

        Raises:
            FleetNotRunning: it did not come up; its words are in `bench.log` of the folder.
        """
        with (self._installation.data_dir / "bench.log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
                [sys.executable, "-m", "bench.fleet", str(self._installation.data_dir)],
                env=os.environ
                | {
                    "UNPEND_CONTACT_POLICY": "always_open",
                    "UNPEND_CHANNEL": self._channel,
                    "UNPEND_LOG_LEVEL": "WARNING",
                }
                | dict(self._servers),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self._installation.run_document()
            except FleetNotRunning:
                time.sleep(_LOOK)
            else:
                return
        raise FleetNotRunning(self._installation.data_dir)

    def stop(self) -> None:
        """Stop the fleet and wait until its processes have ended."""
        if "process" in self.__dict__:
            self.process.database.close()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_STOP_SECONDS)

    @cached_property
    def process(self) -> Process:
        """The bench's own components, connected to the fleet."""
        settings = self._installation.settings().model_copy(
            update={"channel": self._channel, "contact_policy": "always_open"}
        )
        process = Process(settings, make_app(settings), name="bench")
        process.warm()
        return process

    @property
    def data_dir(self) -> Path:
        """The folder it lies in."""
        return self._installation.data_dir

    @property
    def port(self) -> int:
        """The port of its API, on this machine."""
        port = urlsplit(str(self._installation.run_document()["api"])).port
        assert port is not None, "a fleet's API has a port of its own"
        return port

    @property
    def console(self) -> str:
        """The address of its console."""
        return str(self._installation.run_document()["console"])

    def owner_database(self) -> Database:
        """Its database as the owner of the tables, whom nothing is checked for."""
        port = urlsplit(self.process.settings.database_url.get_secret_value()).port
        assert port is not None, "the embedded server has a port"
        return Database(EmbeddedPostgres(self.data_dir).database_url(port), self.process.database.cipher)

    @property
    def key(self) -> str:
        """An API key with every permission."""
        return self._installation.secrets().keys["admin"]

    def parts(self) -> dict[str, psutil.Process]:
        """Every process of the fleet by name, and the bench itself."""
        listed = self._installation.run_document()["processes"]
        return {one["name"]: psutil.Process(one["pid"]) for one in listed} | {"bench": psutil.Process()}

    @contextmanager
    def agents_paused(self) -> Iterator[None]:
        """Pause the agents, the tick and beat (SIGSTOP) for a while."""
        still = [
            process
            for name, parent in self.parts().items()
            if name.startswith(_HELD_STILL)
            for process in (parent, *parent.children(recursive=True))
        ]
        for process in still:
            process.suspend()
        try:
            yield
        finally:
            for process in still:
                process.resume()


@contextmanager
def measured_fleet(channel: str, servers: Mapping[str, str] = _ITS_OWN) -> Iterator[MeasuredFleet]:
    """Start a fleet in a temporary folder; stop and delete it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="unpend-bench-"))
    fleet = MeasuredFleet(folder, channel, servers)
    try:
        fleet.start()
        yield fleet
    finally:
        fleet.stop()
        server_home(folder).remove()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    up(UpOptions(data_dir=Path(sys.argv[1]), samples=(), quiet=True), FleetPlan.warm_parent())
