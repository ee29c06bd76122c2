"""`python -m tests.support.fleet.small_fleet FOLDER LAST_SECONDS STOP_SECONDS`: tiny processes, the real supervisor.

They are asked to stop, and stopped, in every way that the whole fleet is, at a hundredth of its cost. FOLDER/journal
has a line for each thing that one of them did; FOLDER/go lets the one end that stops slowly.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from fleet.command.machine.terminal import Terminal
from fleet.supervisor import second_interrupt
from fleet.supervisor.process import ProcessSpec, RunningProcess
from fleet.supervisor.run_file import DataDirLock, RunFile
from fleet.supervisor.stop_request import StopRequest
from fleet.supervisor.supervisor import Supervisor
from fleet.supervisor.warm_parent import WarmParent


def run(folder: Path, specs: list[ProcessSpec], last_seconds: float) -> None:
    """Run these processes until asked to stop, as `unpend up` does; say when they are ready."""
    # A test sends the second Ctrl-C as soon as it can.
    second_interrupt._SAME_KEY_PRESS_SECONDS = 0.0  # type: ignore[misc]
    terminal = Terminal()

    def write(processes: tuple[RunningProcess, ...]) -> None:
        RunFile(folder / "run.json").write({process.name: process.pid for process in processes})

    warm = WarmParent(["json"], {"PATH": os.environ["PATH"]})
    supervisor = Supervisor(specs, on_change=write, last_seconds=last_seconds, warm=warm)
    with StopRequest(further=terminal.has_lost_its_reader) as request, DataDirLock(folder):
        is_ready = supervisor.start(request.happened)
        try:
            if is_ready:
                terminal.write("ready\n")
                terminal.flush()
                supervisor.watch(request.happened)
        finally:
            terminal.write("stopping\n")
            terminal.flush()
            supervisor.stop()


def _spec(folder: Path, name: str, stage: int, stop_timeout: float) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        command=[sys.executable, "-m", "tests.support.fleet.small_process", name, str(folder)],
        environment={"PATH": os.environ["PATH"]},
        stage=stage,
        ready=noted(folder, f"started {name}"),
        ready_timeout=180.0,
        stop_timeout=stop_timeout,
        keeps_data=name == "server",
        forked=name != "server",
        log_file=folder / f"{name}.log",
    )


def noted(folder: Path, line: str) -> Callable[[], bool]:
    """Return whether this line is in the journal, as a condition."""
    journal = folder / "journal"
    return lambda: journal.exists() and line in journal.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    place, last, slow = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    run(
        place,
        [
            _spec(place, "server", 0, slow),
            _spec(place, "slow", 1, slow),
            _spec(place, "stubborn", 1, 0.2),
        ],
        last,
    )
