"""A whole fleet in a folder of its own: the real command, the real processes, and the verbs of a test."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
import redis

from fleet.embedded.postgres import EmbeddedPostgres
from fleet.installation import Installation
from fleet.leap import Leaper
from runtime.settings import Settings
from schemas.intake import TaskCreated
from storage.database import Database
from storage.unavailable import StorageUnavailable
from tasks.intake import Door, Submission, accept
from tests.acceptance.history import faults_of, faults_of_contacts
from tests.acceptance.provider import Provider
from tests.acceptance.script import ScriptedOrder
from tests.acceptance.waiting import is_alive, wait_until
from workers.app import make_app
from workers.process import Process

LEASE_SECONDS = 3
"""Shorter than an installation's 12 s, so that a rescue is quick."""

_ENVIRONMENT = {"UNPEND_CONTACT_POLICY": "always_open", "UNPEND_LEASE_SECONDS": str(LEASE_SECONDS)}
_UP = "import sys; from fleet.command.app import main; sys.argv[0] = 'unpend'; main()"
_LEASED = "SELECT count(*) FROM steps WHERE queue = %s AND state = 'leased'"
_START_SECONDS = 60
_STOP_SECONDS = 15.0
"""Within which Ctrl-C stops everything (ARCHITECTURE.md)."""


class RunningFleet:
    """The fleet of one data folder; may be stopped, killed and started again."""

    def __init__(self, folder: Path, **environment: str) -> None:
        """Name its folder and what further it is told; nothing is started yet."""
        self.folder = folder
        self._environment = {**os.environ, **_ENVIRONMENT, **environment}
        self._seen: dict[int, psutil.Process] = {}
        self._up: subprocess.Popen[bytes] | None = None

    def start(self) -> "RunningFleet":
        """Start everything and return when it is ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "up.log").open("ab") as log:
            self._up = subprocess.Popen(
                [sys.executable, "-c", _UP, "up", "--data-dir", str(self.folder), "--no-sample"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A Ctrl-C of the person who runs the tests is theirs, and not the fleet's.
                start_new_session=True,
            )
        wait_until(self._is_ready, "the fleet is ready", seconds=_START_SECONDS, explain=self._log)
        self.remember()
        return self

    def stop(self, number: signal.Signals = signal.SIGINT) -> float:
        """Stop everything in order; the seconds it took. Nothing is left of it."""
        self.remember()
        assert self._up is not None
        began = time.monotonic()
        self._up.send_signal(number)
        self._up.wait(2 * _STOP_SECONDS)
        taken = time.monotonic() - began
        self._leave()
        return taken

    def kill(self) -> list[psutil.Process]:
        """SIGKILL the supervisor; the processes that it leaves to their fate."""
        self.remember()
        assert self._up is not None
        self._up.kill()
        self._up.wait()
        self._leave()
        return [process for pid, process in self._seen.items() if pid != self._up.pid]

    def remove(self) -> None:
        """Stop what still runs, by force where it must be, and delete what lies outside the folder."""
        self.remember()
        if self._up is not None and self._up.poll() is None:
            self._up.send_signal(signal.SIGINT)
            try:
                self._up.wait(2 * _STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._up.kill()
        for process in self.alive():
            process.kill()
        wait_until(lambda: not self.alive(), "the last process has ended")
        self._leave()
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
        wait_until(lambda: self.restarts(name) > before, f"{name} is started again", explain=self._log)
        self.remember()

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._up is not None and self._up.poll() is None

    @contextmanager
    def beside(self, name: str, *command: str) -> Iterator[Path]:
        """One more process with the environment of the process `name`; its log."""
        mark, log = self.folder / f"{command[-1]}.further", self.folder / f"{command[-1]}.further.log"
        mark.unlink(missing_ok=True)
        environment = self.process(name).environ() | {"UNPEND_READY_FILE": str(mark)}
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
            wait_until(mark.exists, f"{command} is ready", explain=lambda: log.read_text()[-2000:])
            yield log
        finally:
            self._seen |= {child.pid: child for child in process.children(recursive=True)}
            os.killpg(further.pid, signal.SIGKILL)
            further.wait()

    def catch_at_work(self, agent: str) -> psutil.Process:
        """Freeze the pool child of this agent while it holds steps under a lease."""
        caught: list[psutil.Process] = []

        def holds_a_lease() -> bool:
            children = self.process(f"worker-{agent}").children()
            for child in children:
                child.suspend()
            if children and self.value(_LEASED, agent):
                caught[:] = children
                return True
            for child in children:
                child.resume()
            return False

        wait_until(holds_a_lease, f"{agent} is caught at work", pause=0.003, explain=self._log)
        return caught[0]

    @cached_property
    def settings(self) -> Settings:
        """The settings of the fleet's processes."""
        return Installation(self.folder).settings().model_copy(update={"contact_policy": "always_open"})

    @cached_property
    def parts(self) -> Process:
        """This test as one more process of the fleet: engine, wire and context."""
        return Process(self.settings, make_app(self.settings), name="test")

    @property
    def database(self) -> Database:
        """The fleet's PostgreSQL."""
        return self.parts.database

    @property
    def provider(self) -> Provider:
        """The simulated customer's provider."""
        return Provider(self.document["channel"], self.settings.channel_token.get_secret_value())

    @cached_property
    def broker(self) -> "redis.Redis":
        """The fleet's Valkey."""
        return redis.Redis.from_url(self.document["broker_url"], decode_responses=True)

    def accept(self, orders: Iterable[ScriptedOrder]) -> None:
        """Take orders in through the command's door."""
        given = [Submission(TaskCreated.model_validate(order.payload)) for order in orders]
        accept(self.parts.engine, self.parts.context, given, Door.COMMAND)

    def send(self, *payloads: str) -> None:
        """Put messages into the stream, as upstream does."""
        for payload in payloads:
            self.broker.xadd("task.created", {"payload": payload})

    def values(self, statement: str, *parameters: object) -> list[Any]:
        """The values that a query of one column answers."""
        with self.database.transaction() as work:
            return list(work._connection.exec_driver_sql(statement, parameters).scalars())

    def value(self, statement: str, *parameters: object) -> Any:
        """The one value that a query answers."""
        (found,) = self.values(statement, *parameters)
        return found

    def let_pass(self, time: timedelta) -> None:
        """Let so much time have passed for every call that waits for its result, on the database's clock."""
        with self.database.transaction() as work:
            for statement in (
                "UPDATE contact_logs SET created_at = created_at - %s WHERE status = 'sent'",
                "UPDATE steps SET due_at = due_at - %s WHERE state = 'parked' AND due_clock = 'database'",
            ):
                work._connection.exec_driver_sql(statement, (time,))

    def carry_to_the_end(self, orders: Sequence[ScriptedOrder], *, seconds: float = 60.0) -> None:
        """Leap over idle time until these orders are closed, and check everything there is to check.

        A PostgreSQL that is away is waited for.
        """
        ids = [order.task_id for order in orders]
        leaper = Leaper(self.database)

        def ended() -> bool:
            try:
                if self._closed(ids) == len(ids):
                    return True
                assert not self._in_review(ids), f"a person is asked. {self.standing(ids)}"
                leaper.look()
            except StorageUnavailable:
                return False
            return False

        wait_until(ended, "all orders are closed", seconds=seconds, explain=lambda: self.standing(ids))
        self.check(orders)

    def check(self, orders: Sequence[ScriptedOrder]) -> None:
        """Every order ended as its script says, and no customer was reached twice."""
        ledger = self.provider.ledger()
        with self.database.transaction() as work:
            assert faults_of(work, orders) == []
            assert faults_of_contacts(work, ledger) == []

    def standing(self, ids: Sequence[str]) -> str:
        """The open steps of these orders, for the message of a test that waits in vain."""
        with self.database.transaction() as work:
            rows = work._connection.exec_driver_sql(
                "SELECT subject_id, step_id, node, state, delivery, tries, crashes, due_clock, due_at, error "
                "FROM steps WHERE subject_id = ANY(%s) AND state NOT IN ('done', 'cancelled') ORDER BY step_id",
                (list(ids),),
            ).all()
        return "\n".join(str(tuple(row)) for row in rows) or "no step of them is open"

    def _closed(self, ids: Sequence[str]) -> int:
        return int(
            self.value("SELECT count(*) FROM tasks WHERE task_id = ANY(%s) AND status = 'closed'", list(ids))
        )

    def _in_review(self, ids: Sequence[str]) -> int:
        return int(
            self.value("SELECT count(*) FROM reviews WHERE task_id = ANY(%s) AND state = 'open'", list(ids))
        )

    def _is_ready(self) -> bool:
        assert self._up is not None
        assert self._up.poll() is None, f"the fleet did not start. {self._log()}"
        try:
            return bool(self.document["supervisor"] == self._up.pid)
        except (FileNotFoundError, ValueError):
            return False

    def _log(self) -> str:
        return (self.folder / "up.log").read_text(encoding="utf-8")[-2000:]

    def _leave(self) -> None:
        """Forget what belongs to the fleet's last life: it listens elsewhere in its next."""
        if "parts" in self.__dict__:
            self.parts.engine.close()
            self.parts.database.close()
            self.parts.app.close()
        if "broker" in self.__dict__:
            self.broker.close()
        for name in ("settings", "parts", "broker"):
            self.__dict__.pop(name, None)
