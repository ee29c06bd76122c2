"""Whatever ends the supervisor, nothing that it started outlives it: every pair of ends, one during the other."""

import fcntl
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import psutil
import pytest

from fleet.supervisor.process import ProcessSpec
from fleet.supervisor.run_file import DataDirLock
from schemas.core.agents import TICK
from tests.support.fleet.small_fleet import noted, run
from tests.support.in_process_fleet import CIPHER_KEY
from tests.support.waiting import is_alive, wait_until

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells children of their parent's death"
)

_LAST_SECONDS: Final = 1.0
SMALL_FLEET: Final = ("-m", "tests.support.fleet.small_fleet")
WITHOUT_BROKER: Final = (
    "-c",
    "from tests.integration.fleet import test_ends_of_the_supervisor as test; test.run_workers_without_broker()",
)


class SmallFleet:
    """A supervisor with its processes, in a process of its own."""

    def __init__(self, folder: Path, *command: str) -> None:
        self.folder = folder
        self.seen: list[psutil.Process] = []
        self._process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
            # The tests may run under nohup.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509 - one call of the kernel
        )

    def wait_until_ready(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        supervisor = psutil.Process(self._process.pid)
        self.seen = [supervisor, *supervisor.children(recursive=True)]

    @property
    def watchdog(self) -> psutil.Process:
        """The running watchdog."""
        children = psutil.Process(self._process.pid).children()
        (found,) = [child for child in children if "-I" in child.cmdline()]
        return found

    def send(self, number: signal.Signals) -> None:
        os.kill(self._process.pid, number)

    def close_pipe(self) -> None:
        assert self._process.stdout is not None
        self._process.stdout.close()

    def end(self, how: str) -> None:
        ENDS[how](self)

    def alive(self) -> list[psutil.Process]:
        return [process for process in self.seen if is_alive(process)]

    def has_noted(self, line: str) -> bool:
        return noted(self.folder, line)()

    def wait_until_nothing_is_left(self) -> int:
        """The exit status of the supervisor."""
        wait_until(lambda: not self.alive(), "no process is left", explain=lambda: str(self.alive()))
        return self._process.wait()

    def remove(self) -> None:
        self._process.kill()
        self._process.wait()
        self.close_pipe()
        for process in self.alive():
            process.kill()


ENDS: Final[Mapping[str, Callable[[SmallFleet], None]]] = {
    "ctrl-c": lambda fleet: fleet.send(signal.SIGINT),
    "term": lambda fleet: fleet.send(signal.SIGTERM),
    "closed terminal": lambda fleet: fleet.send(signal.SIGHUP),
    "closed pipe": SmallFleet.close_pipe,
    "kill -9": lambda fleet: fleet.send(signal.SIGKILL),
}

Start = Callable[..., SmallFleet]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[SmallFleet] = []

    def begin(*command: str, stop_seconds: float = 180.0) -> SmallFleet:
        options = (str(tmp_path), str(_LAST_SECONDS), str(stop_seconds))
        fleet = SmallFleet(tmp_path, *(command or SMALL_FLEET), *options)
        started.append(fleet)
        fleet.wait_until_ready()
        return fleet

    yield begin
    for fleet in started:
        fleet.remove()


def run_workers_without_broker() -> None:
    """Run Celery workers whose broker is away: the body of a supervisor. They are ready once they try it again."""
    folder, last_seconds = Path(sys.argv[1]), float(sys.argv[2])
    environment = {
        **os.environ,
        "UNPEND_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/nothing",
        "UNPEND_BROKER_URL": "redis://127.0.0.1:1/0",
        "UNPEND_CIPHER_KEY": CIPHER_KEY,
        "UNPEND_CALLBACK_SECRET": "a secret of the tests",
        "UNPEND_CHANNEL": "instant",
    }

    def tries_again(log: Path) -> Callable[[], bool]:
        return lambda: "Trying again in" in log.read_text(encoding="utf-8")

    specs = [
        ProcessSpec(
            name=name,
            command=[sys.executable, "-m", "workers", name],
            environment=environment,
            stage=1,
            ready=tries_again(folder / f"{name}.log"),
            ready_timeout=180.0,
            # Not one that ends them: nothing but the watchdog does.
            stop_signal=signal.SIGURG,
            forked=True,
            log_file=folder / f"{name}.log",
        )
        for name in ("triage", TICK)
    ]
    run(folder, specs, last_seconds)


def assert_usable_again(folder: Path) -> None:
    """A next start gets the data folder, and its server the data."""
    with DataDirLock(folder), (folder / "data").open("w") as data:
        fcntl.flock(data, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize(("first", "second"), list(itertools.product(ENDS, ENDS)))
def test_two_ends_leave_nothing_and_the_servers_are_stopped_in_order(
    start: Start, first: str, second: str
) -> None:
    fleet = start()
    fleet.end(first)
    wait_until(lambda: fleet.has_noted("stopping slow"), "the first is being obeyed")
    fleet.end(second)
    (fleet.folder / "go").touch()
    status = fleet.wait_until_nothing_is_left()
    assert_usable_again(fleet.folder)
    if "kill -9" not in (first, second):
        assert status == 0
        assert fleet.has_noted("stopped server")


@pytest.mark.parametrize("end", ["term", "kill -9"])
def test_what_is_frozen_is_killed(start: Start, end: str) -> None:
    fleet = start(stop_seconds=0.5)
    frozen = [process for process in fleet.seen[1:] if process.pid != fleet.watchdog.pid]
    for process in frozen:
        process.suspend()
    fleet.end(end)
    fleet.wait_until_nothing_is_left()
    assert_usable_again(fleet.folder)


def test_workers_that_try_to_reach_an_absent_broker_end_with_their_pools(start: Start) -> None:
    fleet = start(*WITHOUT_BROKER)
    # The supervisor, the watchdog, the warm parent, both workers, and the pool of one.
    assert len(fleet.seen) == 6
    fleet.end("kill -9")
    fleet.wait_until_nothing_is_left()


def test_a_watchdog_that_was_killed_is_replaced(start: Start) -> None:
    fleet = start()
    first = fleet.watchdog
    first.kill()
    wait_until(lambda: not is_alive(first) and len(watchdogs(fleet)) == 1, "there is another watchdog")
    fleet.seen += watchdogs(fleet)
    fleet.end("kill -9")
    fleet.wait_until_nothing_is_left()


def watchdogs(fleet: SmallFleet) -> list[psutil.Process]:
    """The watchdogs that run now."""
    return [child for child in fleet.seen[0].children() if is_alive(child) and "-I" in child.cmdline()]
