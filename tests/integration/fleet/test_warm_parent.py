"""Processes that a warm parent forks are the supervisor's own, in all that it promises of them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from fleet.plan import FleetPlan
from fleet.process_secrets import SECRETS
from fleet.supervisor.process import RunningProcess
from fleet.supervisor.supervisor import Supervisor
from fleet.supervisor.warm_parent import WarmParent
from runtime.settings import PROJECT
from tests.support.fleet.forked_fleet import NAMES, forked, noted, warm_parent
from tests.support.waiting import is_alive, pid_is_alive, wait_until

Fleet = Callable[..., Supervisor]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    made: list[Supervisor] = []

    def start(*names: str, warm: WarmParent, **environment: str) -> Supervisor:
        """Start these; the first is given this environment too."""

        def ignore(processes: tuple[RunningProcess, ...]) -> None:
            """Take no notice of a change."""

        first, *others = (partial(forked, tmp_path, name) for name in names)
        specs = [first(**environment), *(other() for other in others)]
        made.append(Supervisor(specs, on_change=ignore, warm=warm))
        made[-1].start()
        return made[-1]

    yield start
    for supervisor in made:
        supervisor.stop()


def is_forked(pid: int | None, warm: psutil.Process) -> bool:
    """Whether this process shows the environment of the warm parent, as none does that was started by itself."""
    return bool(psutil.Process(pid).environ() == warm.environ())


def running(warm: WarmParent) -> psutil.Process:
    assert warm.pid is not None
    return psutil.Process(warm.pid)


def test_a_forked_process_is_the_supervisors_own_child_and_leads_a_session(
    fleet: Fleet, tmp_path: Path
) -> None:
    warm = warm_parent()
    fleet("plain", warm=warm)
    (line,) = noted(tmp_path, "plain")
    process = psutil.Process(line["pid"])
    assert is_forked(process.pid, running(warm))
    assert process.ppid() == os.getpid()
    assert line["session"] == process.pid
    assert not line["ignored"]
    assert process.cwd() == str(Path.cwd())
    assert process.num_threads() == 1
    assert process.cmdline()[1:4] == ["-m", "tests.support.fleet.noting", "plain"]
    assert process.name() == "plain"
    wait_until(
        lambda: "told on standard" in (tmp_path / "plain.log").read_text(), "its log has what it wrote"
    )


def test_a_forked_process_obeys_signals_that_the_supervisor_was_started_to_ignore(
    fleet: Fleet, tmp_path: Path
) -> None:
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        warm = warm_parent()
        fleet("plain", warm=warm)
        (line,) = noted(tmp_path, "plain")
    finally:
        signal.signal(signal.SIGINT, former)
    assert is_forked(line["pid"], running(warm))
    assert not line["ignored"]


def test_what_a_forked_process_is_given_is_in_no_other_that_is_forked_nor_in_their_parent(
    fleet: Fleet, tmp_path: Path
) -> None:
    warm = warm_parent()
    fleet("plain", "other", warm=warm, SECRET="hidden-from-all-others")
    shown = {name: noted(tmp_path, name)[0] for name in ("plain", "other")}
    path = {"PATH": os.environ["PATH"]}
    assert shown["plain"]["environment"] == path | {"SECRET": "hidden-from-all-others"}
    assert shown["other"]["environment"] == running(warm).environ() == path
    assert holds(shown["plain"]["pid"], b"hidden-from-all-others")
    assert not holds(shown["other"]["pid"], b"hidden-from-all-others")
    assert not holds(running(warm).pid, b"hidden-from-all-others")
    assert open_sockets(running(warm)) == 1


def holds(pid: int, text: bytes) -> bool:
    """Whether a process has this text anywhere in the memory that it can write."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            place, rights, *_ = line.split()
            begin, end = (int(edge, 16) for edge in place.split("-"))
            if rights.startswith("rw") and text in os.pread(memory.fileno(), end - begin, begin):
                return True
    return False


def open_sockets(process: psutil.Process) -> int:
    """The sockets that it holds; one is its way to the supervisor, twice there while standard input is that."""
    folder = Path(f"/proc/{process.pid}/fd")
    opened = {str(link.readlink()) for link in folder.iterdir()}
    return sum(name.startswith("socket") for name in opened)


def test_a_forked_process_that_was_killed_comes_back_forked_without_what_it_had_started(
    fleet: Fleet, tmp_path: Path
) -> None:
    warm = warm_parent()
    supervisor = fleet("parent", warm=warm)
    wait_until(lambda: noted(tmp_path, "child"), "its child is there")
    first, child = noted(tmp_path, "parent")[0]["pid"], noted(tmp_path, "child")[0]["pid"]
    os.kill(first, signal.SIGKILL)
    supervisor.watch(lambda: len(noted(tmp_path, "parent")) == 2)
    assert not pid_is_alive(child)
    (process,) = supervisor.processes
    assert process.restarts == 1
    assert process.pid == noted(tmp_path, "parent")[1]["pid"] != first
    assert is_forked(process.pid, running(warm))
    supervisor.watch(lambda: not psutil.pid_exists(child))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_without_its_warm_parent_a_fleet_goes_on_and_starts_what_dies(
    fleet: Fleet, tmp_path: Path, number: signal.Signals
) -> None:
    warm = warm_parent()
    supervisor = fleet("plain", "other", warm=warm)
    gone = running(warm)
    first, other = (noted(tmp_path, name)[0]["pid"] for name in ("plain", "other"))
    gone.send_signal(number)
    os.kill(first, signal.SIGKILL)
    supervisor.watch(lambda: len(noted(tmp_path, "plain")) == 2)
    assert pid_is_alive(other)
    supervisor.watch(lambda: warm.pid not in (None, gone.pid) and not is_alive(gone))


def test_nothing_forked_survives_a_killed_supervisor(tmp_path: Path) -> None:
    supervisor = subprocess.Popen([sys.executable, "-m", "tests.support.fleet.forked_fleet", str(tmp_path)])
    try:
        wait_until((tmp_path / "ready").exists, "the fleet is ready")
        wait_until(lambda: noted(tmp_path, "child"), "the last process is there")
        seen = psutil.Process(supervisor.pid).children(recursive=True)
        assert {noted(tmp_path, name)[0]["pid"] for name in (*NAMES, "child")} <= {each.pid for each in seen}
    finally:
        supervisor.kill()
        supervisor.wait()
    wait_until(lambda: not any(is_alive(process) for process in seen), "nothing is left")


def test_the_warm_parent_of_a_fleet_has_no_secret_no_thread_and_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, "hidden")
    monkeypatch.chdir(PROJECT)
    warm = FleetPlan.warm_parent()
    warm.tend()
    try:
        wait_until(lambda: not warm.is_starting(), "everything is imported")
        process = running(warm)
        assert is_alive(process)
        assert "hidden" not in process.environ().values()
        assert not [name for name in process.environ() if name.startswith("UNPEND_")]
        assert process.num_threads() == 1
        assert process.net_connections() == []
        assert open_sockets(process) == 1
    finally:
        warm.stop()
    assert not is_alive(process)
