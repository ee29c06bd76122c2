"""The supervisor, with tiny children: order, restart, and nothing left behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from fleet.supervisor import second_interrupt
from fleet.supervisor.process import FleetStartError, ProcessSpec, ProcessState, RunningProcess
from fleet.supervisor.supervisor import Supervisor
from tests.support.waiting import pid_is_alive, wait_until

# Says that it is up, then waits for a signal; writes its end to the same journal.
CHILD = """
import os, signal, sys, time
name, journal = sys.argv[1:3]
def note(event):
    with open(journal, "a") as file: file.write(f"{event} {name} {os.getpid()}\\n")
def stop(number, frame):
    note("stopped"); sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in name else stop)
if "parent" in name:
    grandchild = os.fork()
    if grandchild == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        name = "grandchild"
note("started")
# A signal that comes just before a long sleep would be handled after it.
while True: time.sleep(0.1)
"""


class Journal:
    """What the children wrote of themselves."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def events(self, event: str) -> list[tuple[str, int]]:
        """Return (name, pid) of this event in the order written."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        words = [line.split() for line in lines]
        return [(name, int(pid)) for found, name, pid in words if found == event]

    def started(self, name: str) -> list[int]:
        return [pid for found, pid in self.events("started") if found == name]


def ignore(processes: tuple[RunningProcess, ...]) -> None:
    """Take no notice of a change."""


Fleet = Callable[..., Supervisor]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    made: list[Supervisor] = []

    def make(specs: Sequence[ProcessSpec], **hooks: object) -> Supervisor:
        hooks.setdefault("on_change", ignore)
        supervisor = Supervisor(specs, **hooks)  # type: ignore[arg-type]
        made.append(supervisor)
        return supervisor

    yield make
    for supervisor in made:
        supervisor.stop()


def spec(name: str, journal: Journal, *, stage: int = 1, stop_timeout: float = 180.0) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        command=[sys.executable, "-S", "-c", CHILD, name, str(journal.path)],
        environment={"PATH": os.environ["PATH"]},
        stage=stage,
        ready=lambda: bool(journal.started(name)),
        ready_timeout=180.0,
        stop_timeout=stop_timeout,
        log_file=journal.path.with_name(f"{name}.log"),
    )


def failing(
    journal: Journal, code: str, *, name: str = "broken", ready_timeout: float = 180.0
) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        command=[sys.executable, "-S", "-c", code],
        environment={},
        stage=2,
        ready=lambda: False,
        ready_timeout=ready_timeout,
        stop_timeout=0.2,
        log_file=journal.path.with_name(f"{name}.log"),
    )


def pids(processes: tuple[RunningProcess, ...]) -> dict[str, int | None]:
    return {process.name: process.pid for process in processes}


def test_stages_start_in_order_and_stop_in_reverse(journal: Journal, fleet: Fleet) -> None:
    supervisor = fleet(
        [spec("api", journal, stage=2), spec("broker", journal), spec("flower", journal, stage=3)]
    )
    supervisor.start()
    supervisor.stop()
    assert [name for name, _ in journal.events("started")] == ["broker", "api", "flower"]
    assert [name for name, _ in journal.events("stopped")] == ["flower", "api", "broker"]


def test_a_start_that_is_no_longer_wanted_starts_no_further_stage(journal: Journal, fleet: Fleet) -> None:
    supervisor = fleet([spec("broker", journal), spec("api", journal, stage=2)])
    assert not supervisor.start(until=lambda: bool(journal.started("broker")))
    supervisor.stop()
    assert [name for name, _ in journal.events("started")] == ["broker"]
    assert [name for name, _ in journal.events("stopped")] == ["broker"]


def test_a_hook_runs_when_all_lower_stages_are_ready(journal: Journal, fleet: Fleet) -> None:
    seen: list[list[str]] = []

    def migrate() -> None:
        seen.append([name for name, _ in journal.events("started")])

    supervisor = fleet([spec("database", journal), spec("api", journal, stage=2)], before_stage={2: migrate})
    supervisor.start()
    assert seen == [["database"]]


def test_a_killed_child_comes_back_with_a_new_pid_and_the_change_is_told(
    journal: Journal, fleet: Fleet
) -> None:
    told: list[tuple[RunningProcess, ...]] = []
    supervisor = fleet([spec("worker", journal), spec("other", journal)], on_change=told.append)
    supervisor.start()
    first = pids(told[0])
    assert first["worker"] is not None
    os.kill(first["worker"], signal.SIGKILL)
    supervisor.watch(lambda: len(journal.started("worker")) == 2 and len(told) == 3)
    states = [processes[0].state for processes in told]
    assert states == [ProcessState.RUNNING, ProcessState.RESTARTING, ProcessState.RUNNING]
    assert pids(told[1])["worker"] is None
    assert pids(told[2])["worker"] == journal.started("worker")[1] != first["worker"]
    assert pids(told[2])["other"] == first["other"]
    assert told[2][0].restarts == 1


def test_what_a_killed_child_had_started_is_gone_before_its_successor(journal: Journal, fleet: Fleet) -> None:
    supervisor = fleet([spec("parent", journal)])
    supervisor.start()
    wait_until(lambda: len(journal.started("grandchild")) == 1)
    os.kill(journal.started("parent")[0], signal.SIGKILL)
    supervisor.watch(lambda: len(journal.started("parent")) == 2)
    wait_until(lambda: not pid_is_alive(journal.started("grandchild")[0]))


def test_a_child_that_is_to_stand_back_does_so_with_all_it_has_started_and_so_does_its_successor(
    journal: Journal, fleet: Fleet
) -> None:
    supervisor = fleet([replace(spec("parent", journal), niceness=7), spec("other", journal)])
    supervisor.start()
    for lives in (1, 2):
        supervisor.watch(partial(stand_back, journal, "parent", "grandchild", lives=lives, by=7))
        os.kill(journal.started("parent")[-1], signal.SIGKILL)
    assert niceness(journal.started("other")[0]) == (0, 0)


def stand_back(journal: Journal, *names: str, lives: int, by: int) -> bool:
    """Whether each of these has been started so often, and its last one stands back."""
    return all(
        len(journal.started(name)) == lives and niceness(journal.started(name)[-1]) == (by, by)
        for name in names
    )


def niceness(pid: int) -> tuple[int, int]:
    """A process's nice value, and that of its session where the kernel shares processors out between sessions."""
    own = os.getpriority(os.PRIO_PROCESS, pid)
    group = Path(f"/proc/{pid}/autogroup")
    return own, int(group.read_text(encoding="ascii").split()[-1]) if group.exists() else own


def test_watching_ends_when_the_event_is_set(journal: Journal, fleet: Fleet) -> None:
    supervisor = fleet([spec("worker", journal)])
    supervisor.start()
    until = threading.Event()
    timer = threading.Timer(0.1, until.set)
    timer.start()
    supervisor.watch(until.is_set)
    timer.join()
    assert until.is_set()


def test_a_child_that_ignores_its_stop_signal_is_killed_after_its_timeout(
    journal: Journal, fleet: Fleet
) -> None:
    supervisor = fleet([spec("stubborn", journal, stop_timeout=0.3), spec("polite", journal)])
    supervisor.start()
    supervisor.stop()
    assert not pid_is_alive(journal.started("stubborn")[0])
    assert [name for name, _ in journal.events("stopped")] == ["polite"]


def test_what_a_stopped_child_leaves_in_its_group_is_killed(journal: Journal, fleet: Fleet) -> None:
    supervisor = fleet([spec("parent", journal)])
    supervisor.start()
    wait_until(lambda: len(journal.started("grandchild")) == 1)
    supervisor.stop()
    wait_until(lambda: not pid_is_alive(journal.started("grandchild")[0]))


def test_a_second_interrupt_during_the_stop_kills_at_once_all_but_what_keeps_data(
    journal: Journal, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_interrupt, "_SAME_KEY_PRESS_SECONDS", 0.0)
    supervisor = fleet(
        [
            replace(spec("server", journal), keeps_data=True),
            spec("stubborn", journal, stage=2, stop_timeout=600.0),
        ]
    )
    supervisor.start()
    # Whatever runs the tests in the background lets them ignore Ctrl-C.
    before = signal.getsignal(signal.SIGINT)

    def interrupt() -> None:
        wait_until(lambda: signal.getsignal(signal.SIGINT) is not before)
        os.kill(os.getpid(), signal.SIGINT)

    second = threading.Thread(target=interrupt)
    second.start()
    supervisor.stop()
    second.join()
    assert not pid_is_alive(journal.started("stubborn")[0])
    assert [name for name, _ in journal.events("stopped")] == ["server"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_child_that_ends_during_the_start_is_named_with_its_last_lines(
    journal: Journal, fleet: Fleet
) -> None:
    broken = failing(journal, "print('no such queue'); raise SystemExit(3)")
    supervisor = fleet([spec("database", journal), broken])
    with pytest.raises(
        FleetStartError, match=r"(?s)^broken ended with exit status 3 .*no such queue"
    ) as caught:
        supervisor.start()
    assert caught.value.process == "broken"
    assert not pid_is_alive(journal.started("database")[0])


def test_a_child_that_is_not_ready_in_time_is_named(journal: Journal, fleet: Fleet) -> None:
    slow = failing(journal, "import time; time.sleep(60)", name="slow", ready_timeout=0.2)
    with pytest.raises(FleetStartError, match=r"^slow was not ready after 0\.2 s"):
        fleet([slow]).start()


def test_a_command_that_does_not_exist_is_named(journal: Journal, fleet: Fleet) -> None:
    absent = ProcessSpec(
        name="absent",
        command=["/nowhere/absent"],
        environment={},
        stage=1,
        ready=lambda: True,
        log_file=journal.path.with_name("absent.log"),
    )
    with pytest.raises(FleetStartError, match=r"^absent could not be started"):
        fleet([absent]).start()


def test_a_hook_that_fails_stops_what_was_started(journal: Journal, fleet: Fleet) -> None:
    def migrate() -> None:
        raise ValueError("no migration")

    supervisor = fleet([spec("database", journal), spec("api", journal, stage=2)], before_stage={2: migrate})
    with pytest.raises(ValueError, match="no migration"):
        supervisor.start()
    assert not pid_is_alive(journal.started("database")[0])
    assert journal.started("api") == []


def test_two_processes_of_one_name_are_refused(journal: Journal) -> None:
    with pytest.raises(ValueError, match="name of its own"):
        Supervisor([spec("worker", journal), spec("worker", journal)], on_change=ignore)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_nothing_survives_a_killed_supervisor(journal: Journal) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from fleet.supervisor.supervisor import Supervisor\n"
        "from tests.integration.fleet.test_supervisor import Journal, spec\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "specs = [spec('one', journal), spec('two', journal, stage=2)]\n"
        "supervisor = Supervisor(specs, on_change=lambda processes: None)\n"
        "supervisor.start()\n"
        "supervisor.watch(lambda: False)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(journal.path)]) as process:
        wait_until(lambda: len(journal.events("started")) == 2)
        process.kill()
    wait_until(lambda: not any(pid_is_alive(pid) for _, pid in journal.events("started")))
    assert sorted(name for name, _ in journal.events("stopped")) == ["one", "two"]


def test_a_child_sees_only_the_environment_it_was_given(journal: Journal, fleet: Fleet) -> None:
    show = failing(journal, "import os; print(sorted(os.environ)); raise SystemExit(1)")
    with pytest.raises(FleetStartError, match=r"(?s)broken.*\[('LC_CTYPE')?\]"):
        fleet([show]).start()
