"""A fleet under faults: its servers, which are ours, the proxy before PostgreSQL, and `unpend up` beside them."""

import contextlib
import os
import queue
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any, Final

import psutil
import yaml

from bench.chaos.faults.proxy import DatabaseProxy
from bench.chaos.provider import Provider
from fleet.command.machine.up import UpOptions, up
from fleet.embedded.postgres import EmbeddedPostgres
from fleet.embedded.process import server_process
from fleet.embedded.valkey import EmbeddedValkey
from fleet.installation import FleetNotRunning, Installation
from fleet.joining import environment_beside
from fleet.plan import FleetPlan
from fleet.supervisor.child import Child
from fleet.supervisor.ports import free_port
from fleet.supervisor.process import ProcessSpec, RunningProcess
from fleet.supervisor.supervisor import Supervisor
from runtime.cipher import Cipher
from runtime.settings import PROJECT, Settings
from storage.core.database import Database

POLICY: Final = "always_open"
_RESULT_SECONDS: Final = 20
"""How long the fleet waits for a call's result before it asks: a run of minutes has no ten of them."""
_FLEET: Final = 1
"""The stage of the fleet, after that of its servers."""
_READY_SECONDS: Final = 180.0
_STOP_SECONDS: Final = 60.0
_LOOK: Final = 0.1


class ChaosFleet:
    """All processes of a run. `start`, `watch` and `stop` belong to the main thread, all else to any."""

    def __init__(self, folder: Path, *, time_scale: float) -> None:
        """Name the folder, which is empty; nothing is started yet."""
        self.folder = folder
        self.installation = Installation(folder / "fleet")
        self.postgres = EmbeddedPostgres(folder / "servers")
        self.valkey = EmbeddedValkey(folder / "servers")
        self._time_scale = time_scale
        self._postgres_port, self._valkey_port = free_port(), free_port()
        self.proxy = DatabaseProxy(port=free_port(), server=self._postgres_port)
        self._processes: tuple[RunningProcess, ...] = ()
        self._supervisor: Supervisor | None = None
        self._asked: queue.SimpleQueue[tuple[ProcessSpec, Event]] = queue.SimpleQueue()
        self._beside: list[Child] = []

    def start(self) -> None:
        """Start everything and return when it is ready."""
        self.installation.data_dir.mkdir(parents=True)
        for server in (self.postgres, self.valkey):
            server.prepare()
        # Processes are killed here and never the machine, so nothing needs to wait for the disk.
        (self.postgres.folder / "postgresql.auto.conf").write_text(
            "fsync = off\nfull_page_writes = off\n", encoding="utf-8"
        )
        self._write_configuration()
        self.proxy.start()
        supervisor = Supervisor(
            [
                server_process(
                    "postgres", self.postgres, self._postgres_port, self.folder / "logs" / "postgres.log"
                ),
                server_process("valkey", self.valkey, self._valkey_port, self.folder / "logs" / "valkey.log"),
                self._fleet(),
            ],
            on_change=self._note,
            before_stage={_FLEET: lambda: self.postgres.ensure_database(self._postgres_port)},
        )
        self._supervisor = supervisor
        supervisor.start()

    def watch(self, until: Callable[[], bool]) -> None:
        """Start again what dies, and start what is asked for beside, until this says that it is enough."""
        assert self._supervisor is not None, "what is watched was started"

        def look() -> bool:
            with contextlib.suppress(queue.Empty):
                while True:
                    spec, started = self._asked.get_nowait()
                    self._beside.append(Child(spec))
                    started.set()
            return until()

        self._supervisor.watch(look)

    def stop(self) -> None:
        """Stop everything in order; nothing is left of it but the folder."""
        for child in self._beside:
            child.clear()
        self._stop_fleet()
        if self._supervisor is not None:
            self._supervisor.stop()
        self.proxy.close()
        if "database" in self.__dict__:
            self.database.close()

    def remove(self) -> None:
        """Delete every file."""
        self.postgres.remove()
        self.valkey.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_beside(self, name: str, hours: int) -> int:
        """Start one more process of this name whose clock is off by so many hours; its process id."""
        of = next(each for each in (f"worker-{name}", name) if each in self.names())
        mark = self.folder / f"beside-{len(self._beside)}-{name}"
        environment = environment_beside(self.installation, of, self._fleet().environment)
        spec = ProcessSpec(
            name=f"{name}{hours:+}h",
            command=[sys.executable, "-m", "bench.chaos.faults.shifted_clock", str(hours), name],
            environment=environment | {"UNPEND_READY_FILE": str(mark)},
            stage=_FLEET,
            ready=mark.exists,
            log_file=self.folder / "logs" / f"{mark.name}.log",
        )
        started = Event()
        self._asked.put((spec, started))
        started.wait(_READY_SECONDS)
        return self._beside[-1].pid

    def names(self) -> list[str]:
        """The names of the fleet's processes, without the servers."""
        return [str(process["name"]) for process in self.document["processes"]]

    def pids(self, name: str) -> list[int]:
        """A process and all it has started, itself first; empty while it does not run."""
        listed = {process["name"]: process["pid"] for process in self.document["processes"]}
        listed |= {process.name: process.pid for process in self._processes}
        pid = listed.get(name)
        try:
            return (
                [] if pid is None else [pid, *(c.pid for c in psutil.Process(pid).children(recursive=True))]
            )
        except psutil.NoSuchProcess:
            return []

    @property
    def document(self) -> Mapping[str, Any]:
        """What the fleet says of itself."""
        return self.installation.run_document()

    @property
    def is_database_ready(self) -> bool:
        """Whether PostgreSQL answers."""
        return self.postgres.ready(self._postgres_port)

    @property
    def broker_url(self) -> str:
        """The address of the broker."""
        return self.valkey.url_of("fleet", self._valkey_port)

    @property
    def operator_url(self) -> str:
        """The address of the broker for who may do everything to it."""
        return self.valkey.operator_url(self._valkey_port)

    @cached_property
    def settings(self) -> Settings:
        """The settings of the fleet's processes."""
        return self.installation.settings()

    @cached_property
    def database(self) -> Database:
        """PostgreSQL without the proxy."""
        url = self.postgres.database_url(self._postgres_port)
        return Database(url, Cipher.of_settings(self.settings), application="unpend-chaos", pool_size=2)

    @property
    def provider(self) -> Provider:
        """The simulated customers' provider."""
        return Provider(str(self.document["channel"]), self.settings.channel_token.get_secret_value())

    @property
    def provider_ledger(self) -> Path:
        """The file in which the provider keeps what it received."""
        return self.installation.data_dir / "simulator.db"

    def _note(self, processes: tuple[RunningProcess, ...]) -> None:
        self._processes = processes

    def _write_configuration(self) -> None:
        folder = self.folder / "config"
        shutil.copytree(PROJECT / "config", folder)
        file = folder / "policies" / "contact.yaml"
        policies = yaml.safe_load(file.read_text(encoding="utf-8"))
        policies["policies"][POLICY]["call_result_deadline_seconds"] = _RESULT_SECONDS
        file.write_text(yaml.safe_dump(policies, allow_unicode=True), encoding="utf-8")

    def _fleet(self) -> ProcessSpec:
        database_url = self.postgres.database_url(self._postgres_port)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("UNPEND_")}
        return ProcessSpec(
            name="fleet",
            command=[
                sys.executable,
                "-m",
                "bench.chaos.fleet",
                str(self.installation.data_dir),
                str(self._time_scale),
            ],
            environment=inherited
            | {
                "UNPEND_DATABASE_URL": database_url.replace(
                    f":{self._postgres_port}/", f":{self.proxy.port}/"
                ),
                "UNPEND_BROKER_URL": self.broker_url,
                "UNPEND_CONFIG_FOLDER": str(self.folder / "config"),
                "UNPEND_CONTACT_POLICY": POLICY,
                "UNPEND_READY_SECONDS": str(_READY_SECONDS),
            },
            stage=_FLEET,
            ready=self._is_ready,
            ready_timeout=_READY_SECONDS,
            stop_signal=signal.SIGINT,
            log_file=self.folder / "logs" / "fleet.log",
        )

    def _is_ready(self) -> bool:
        try:
            return bool(self.document["ready"])
        except FleetNotRunning:
            return False

    def _stop_fleet(self) -> None:
        """Ask the fleet to stop, and wait for longer than the supervisor does: its servers go on meanwhile."""
        for pid in self.pids("fleet")[:1] if self._is_ready() else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + _STOP_SECONDS
            while self._is_ready() and time.monotonic() < deadline:
                time.sleep(_LOOK)


if __name__ == "__main__":
    up(
        UpOptions(data_dir=Path(sys.argv[1]), samples=(), quiet=True, time_scale=float(sys.argv[2])),
        FleetPlan.warm_parent(),
    )
