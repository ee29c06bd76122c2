"""The specification of a process given to the supervisor, and the state it reports."""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fleet.embedded.account import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """One process of the fleet.

    Attributes:
        name: As people know it: `postgres`, `worker-contact`.
        command: Program and arguments; no secrets, for everyone can read them.
        environment: The complete environment of the process.
        stage: Stages start in ascending and stop in descending order; those of one stage together.
        ready: A real probe, asked again and again until it says yes once; it must return within a few
            seconds.
        ready_timeout: Seconds from the start of the process until it must be ready.
        stop_signal: Sent to the process itself, not to its children. PostgreSQL wants SIGINT.
            The kernel sends it, too, when the supervisor dies without stopping anything (Linux only).
        stop_timeout: Seconds after the stop signal until the process is killed with all its descendants.
        keeps_data: Whether it is stopped in order, and not killed, also when somebody is in a hurry.
        account: The user to run it as; None: as ourselves.
        forked: Whether the warm parent forks it, where there is one; its command is `python -m MODULE …`.
        niceness: How far it stands back from the others where processors are scarce: a nice value, 0 to 19.
        log_file: Its output is appended here.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    stage: int
    ready: Callable[[], bool]
    ready_timeout: float = 20.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout: float = 8.0
    keeps_data: bool = False
    account: Account | None = None
    forked: bool = False
    niceness: int = 0
    log_file: Path


class ProcessState(StrEnum):
    """The state of a supervised process.

    RUNNING leaves by dying. RESTARTING (dead, waiting for its next start) leaves by being started. FAILING
    (died 8 times in a row within a minute, started every 10 s, dead or alive just now) leaves by living 30 s.
    """

    RUNNING = "running"
    RESTARTING = "restarting"
    FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningProcess:
    """A supervised process with its present state.

    Attributes:
        name: That of its specification.
        pid: None while it is dead.
        state: See ProcessState.
        restarts: How often it has been started again.
    """

    name: str
    pid: int | None
    state: ProcessState
    restarts: int


class FleetStartError(Exception):
    """A process did not come up; everything started before it has been stopped. The message is for people."""

    def __init__(self, process: str, reason: str, log_file: Path, last_lines: str) -> None:
        """Name the process, what happened to it, and the end of its log."""
        lines = f"Its last lines:\n{last_lines}" if last_lines else "It wrote nothing there."
        super().__init__(f"{process} {reason}. Its log is {log_file}. {lines}")
        self.process = process
        self.log_file = log_file
