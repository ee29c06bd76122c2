"""A peer of the comparison: what it needs, and how it is started on fresh servers."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psutil

from fleet.supervisor.process import ProcessSpec
from fleet.supervisor.supervisor import Supervisor

STEPS: Final = 6
"""No-op steps of a workflow."""
WORKERS: Final = 2
"""Processes that carry them out."""
AT_ONCE: Final = 500
"""Workflows that one transaction enqueues, where the peer can."""

_DATABASE: Final = "PEERS_DATABASE_URL"
_BROKER: Final = "PEERS_BROKER_URL"
_READY: Final = "UNPEND_READY_FILE"
_READY_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.02
_LOOK_SHARE: Final = 0.01
"""What a look may come late, of the time so far: the looks of a slow peer cost it no more than a quick one's."""
_PATIENCE_SECONDS: Final = 900.0


class WorkflowsNotDone(Exception):
    """The workflows of a peer did not end in time; the message names it and its logs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a peer is given for one measurement: an empty database, an empty broker, an empty folder."""

    database_url: str
    """As libpq reads it."""
    broker_url: str
    folder: Path
    count: Callable[[str], int]
    """Asks the peer's own tables: a statement that counts."""

    @property
    def sqlalchemy_url(self) -> str:
        """The database as SQLAlchemy reads it."""
        return self.database_url.replace("postgresql://", "postgresql+psycopg://")

    @classmethod
    def environment(cls) -> tuple[str, str]:
        """The database and the broker of the worker process that this is."""
        return os.environ[_DATABASE], os.environ[_BROKER]

    @contextmanager
    def processes(
        self,
        commands: Mapping[str, tuple[str, ...]],
        environment: Mapping[str, str] | None = None,
    ) -> Iterator[Mapping[str, psutil.Process]]:
        """Start these modules, each with its arguments, until the block ends; each says itself that it is ready.

        Raises:
            FleetStartError: one of them did not come up.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("UNPEND_")}
        given = {_DATABASE: self.database_url, _BROKER: self.broker_url, **(environment or {})}
        supervisor = Supervisor(
            [self._process(name, command, inherited | given) for name, command in commands.items()],
            on_change=lambda _: None,
        )
        supervisor.start()
        try:
            yield {one.name: psutil.Process(one.pid) for one in supervisor.processes}
        finally:
            supervisor.stop()

    def _process(self, name: str, command: tuple[str, ...], environment: Mapping[str, str]) -> ProcessSpec:
        mark = self.folder / f"{name}.ready"
        return ProcessSpec(
            name=name,
            command=[sys.executable, "-m", *command],
            environment={**environment, _READY: str(mark)},
            stage=0,
            ready=mark.exists,
            ready_timeout=_READY_SECONDS,
            log_file=self.folder / f"{name}.log",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPeer:
    """A peer at work."""

    carry: Callable[[int], None]
    """Enqueues this many workflows and returns when all of them are done."""
    parts: Mapping[str, psutil.Process]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One engine of the comparison."""

    name: str
    packages: tuple[str, ...] = field(default=())
    """What must be installed."""
    is_durable_peer: bool = False
    """Whether it is another's, and what it has begun outlives its processes: what ours is to be compared with."""
    run: Callable[[Ground], AbstractContextManager[RunningPeer]]
    """Installs its tables and starts its workers."""

    @property
    def missing(self) -> str | None:
        """Why it cannot run here, or `None`."""
        absent = [package for package in self.packages if find_spec(package) is None]
        if not absent:
            return None
        return f"{', '.join(absent)} not installed (pip install -e '.[peers]')"


def mark_ready() -> None:
    """Say that this worker process has begun its work."""
    Path(os.environ[_READY]).touch()


def carrying(
    ground: Ground, enqueue: Callable[[int], None], done: Callable[[], int]
) -> Callable[[int], None]:
    """What enqueues workflows in batches and waits until as many more as before are done.

    Args:
        ground: where the logs are.
        enqueue: enqueues this many.
        done: the number that are done since the database is there.
    """

    def carry(count: int) -> None:
        aim, began = done() + count, time.monotonic()
        for start in range(0, count, AT_ONCE):
            enqueue(min(AT_ONCE, count - start))
        while (now := done()) < aim:
            elapsed = time.monotonic() - began
            if elapsed > _PATIENCE_SECONDS:
                raise WorkflowsNotDone(
                    f"{aim - now} of {count} workflows are not done; logs in {ground.folder}"
                )
            time.sleep(max(_LOOK_SECONDS, _LOOK_SHARE * elapsed))

    return carry
