"""The processes of a whole fleet, started by the real command in a folder of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Self

import psutil

from fleet.embedded.postgres import EmbeddedPostgres
from fleet.installation import Installation
from fleet.joining import environment_beside
from tests.support.waiting import is_alive, wait_until

LEASE_SECONDS = 3
"""Shorter than an installation's 12 s, so that a rescue is quick."""

_ENVIRONMENT = {
    "UNPEND_CONTACT_POLICY": "always_open",
    "UNPEND_LEASE_SECONDS": str(LEASE_SECONDS),
    # On a busy machine a process takes its time to start, and a worker may be silent for longer than its lease
    # without having died: no order may come to a person for that.
    "UNPEND_READY_SECONDS": "180",
    "UNPEND_LEAST_WAIT_SECONDS": "120",
    "UNPEND_MOST_CRASHES": "100",
}
_UP = "import sys; from fleet.command.app import main; sys.argv[0] = 'unpend'; main()"
_START_SECONDS = 180
STOP_SECONDS = 60.0
"""Within which Ctrl-C stops everything: 20 s on a machine that does nothing else."""


class FleetProcesses:
    """The processes of one data folder's fleet; may be stopped, killed and started again."""

    def __init__(self, folder: Path, **environment: str) -> None:
        """Name its folder and what further it is told; nothing is started yet."""
        self.folder = folder
        self._environment = {**os.environ, **_ENVIRONMENT, **environment}
        self._seen: dict[int, psutil.Process] = {}
        self._up: subprocess.Popen[bytes] | None = None
        self._log_begin = 0
        self._further = count(1)

    def start(self) -> Self:
        """Start everything and return when it is ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._spare_the_disk()
        with (self.folder / "up.log").open("ab") as log:
            self._log_begin = log.tell()
            self._up = subprocess.Popen(
                [sys.executable, "-c", _UP, "up", "--data-dir", str(self.folder), "--no-sample"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A Ctrl-C of the person who runs the tests is theirs, and not the fleet's.
                start_new_session=True,
            )
        wait_until(self._is_ready, "the fleet is ready", seconds=_START_SECONDS, explain=self.log)
        self.remember()
        return self

    def _spare_the_disk(self) -> None:
        """Let PostgreSQL write without waiting for the disk: processes are killed here, and never the machine."""
        postgres = EmbeddedPostgres(self.folder)
        if postgres.folder.exists() or "UNPEND_DATABASE_URL" in self._environment:
            return
        postgres.prepare()
        further = postgres.folder / "postgresql.auto.conf"
        further.write_text("fsync = off\nfull_page_writes = off\n", encoding="utf-8")

    def stop(self, *numbers: signal.Signals) -> float:
        """Stop everything in order, by one signal or by several; the seconds it took. Nothing is left of it."""
        self.remember()
        assert self._up is not None
        began = time.monotonic()
        for number in numbers or (signal.SIGINT,):
            self._up.send_signal(number)
            wait_until(lambda: "unpend: stopping" in self._new_log(), "the stop has begun", explain=self.log)
        assert self._up.wait(STOP_SECONDS) == 0
        taken = time.monotonic() - began
        self.leave()
        return taken

    def kill(self) -> list[psutil.Process]:
        """SIGKILL the supervisor; the processes that it leaves to their fate."""
        self.remember()
        assert self._up is not None
        self._up.kill()
        self._up.wait()
        self.leave()
        return [process for pid, process in self._seen.items() if pid != self._up.pid]

    def remove(self) -> None:
        """Stop what still runs, by force where it must be, and delete what lies outside the folder."""
        self.remember()
        if self._up is not None and self._up.poll() is None:
            self._up.send_signal(signal.SIGINT)
            try:
                self._up.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._up.kill()
        for process in self.alive():
            process.kill()
        wait_until(lambda: not self.alive(), "the last process has ended")
        self.leave()
        EmbeddedPostgres(self.folder).remove()

    def remember(self) -> None:
        """Take note of every process there is now, so that none can be left unseen."""
        if self._up is None:
            return
        try:
            supervisor = psutil.Process(self._up.pid)
            for process in (supervisor, *supervisor.children(recursive=True)):
                self._seen.setdefault(process.pid, process)
        except psutil.NoSuchProcess:
            return

    def alive(self) -> list[psutil.Process]:
        """The processes of this fleet, of all its lives, that still run."""
        return [process for process in self._seen.values() if is_alive(process)]

    @property
    def document(self) -> dict[str, Any]:
        """What the fleet says of itself."""
        found: dict[str, Any] = json.loads((self.folder / "run.json").read_text(encoding="utf-8"))
        return found

    def process(self, name: str) -> psutil.Process:
        """The running process of this name."""
        running: list[psutil.Process] = []

        def found() -> bool:
            pid = next(p["pid"] for p in self.document["processes"] if p["name"] == name)
            running[:] = [psutil.Process(pid)] if pid is not None and psutil.pid_exists(pid) else []
            return bool(running)

        wait_until(found, f"{name} runs")
        return running[0]

    def restarts(self, name: str) -> int:
        """How often the supervisor has started this process again."""
        return int(next(p["restarts"] for p in self.document["processes"] if p["name"] == name))

    def kill_process(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End a process and wait until the supervisor has started its successor."""
        self.remember()
        before = self.restarts(name)
        self.process(name).send_signal(number)
        wait_until(lambda: self.restarts(name) > before, f"{name} is started again", explain=self.log)
        self.remember()

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._up is not None and self._up.poll() is None

    @contextmanager
    def beside(
        self, name: str, *command: str, ready: Callable[[], object] | None = None, **changes: str
    ) -> Iterator[Path]:
        """One more process with the environment of the process `name`, but for these changes; its log.

        It is ready when it has left its mark, or when `ready` says so.
        """
        nth = next(self._further)
        mark, log = self.folder / f"{command[-1]}.{nth}", self.folder / f"{command[-1]}.{nth}.log"
        mark.unlink(missing_ok=True)
        environment = environment_beside(Installation(self.folder), name, self._environment) | changes
        environment["UNPEND_READY_FILE"] = str(mark)
        with log.open("wb") as output:
            further = subprocess.Popen(
                [sys.executable, *command],
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        process = psutil.Process(further.pid)
        self._seen[further.pid] = process
        try:
            wait_until(ready or mark.exists, f"{command} is ready", explain=lambda: log.read_text()[-2000:])
            yield log
        finally:
            self._seen |= {child.pid: child for child in process.children(recursive=True)}
            os.killpg(further.pid, signal.SIGKILL)
            further.wait()

    def leave(self) -> None:
        """Close what is open to the fleet, which has ended."""

    def log(self) -> str:
        """The last lines the command wrote."""
        return (self.folder / "up.log").read_text(encoding="utf-8")[-2000:]

    def _new_log(self) -> str:
        """What the command wrote since it was last started."""
        return (self.folder / "up.log").read_bytes()[self._log_begin :].decode()

    def _is_ready(self) -> bool:
        assert self._up is not None
        assert self._up.poll() is None, f"the fleet did not start. {self.log()}"
        try:
            return bool(self.document["supervisor"] == self._up.pid)
        except (FileNotFoundError, ValueError):
            return False
