"""`python -m tests.support.fleet.forked_fleet FOLDER`: the real supervisor, and tiny processes that are forked."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from fleet.supervisor.process import ProcessSpec, RunningProcess
from fleet.supervisor.supervisor import Supervisor
from fleet.supervisor.warm_parent import WarmParent

NAMES = ("plain", "stubborn", "parent")


def noted(folder: Path, name: str) -> list[dict[str, Any]]:
    """What the processes of this name noted, one after another."""
    journal = folder / "journal"
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
    return [line for line in map(json.loads, lines) if line["name"] == name]


def forked(folder: Path, name: str, **environment: str) -> ProcessSpec:
    """A tiny process that may be forked."""
    return ProcessSpec(
        name=name,
        command=[sys.executable, "-m", "tests.support.fleet.noting", name, str(folder / "journal")],
        environment={"PATH": os.environ["PATH"], **environment},
        stage=1,
        ready=lambda: bool(noted(folder, name)),
        ready_timeout=180.0,
        stop_timeout=0.5,
        forked=True,
        log_file=folder / f"{name}.log",
    )


def warm_parent() -> WarmParent:
    """One that has imported little."""
    return WarmParent(["http.server"], {"PATH": os.environ["PATH"]})


def main(folder: Path) -> None:
    """Run until killed."""

    def write(processes: tuple[RunningProcess, ...]) -> None:
        (folder / "ready").write_text(json.dumps({process.name: process.pid for process in processes}))

    supervisor = Supervisor(
        [forked(folder, name) for name in NAMES], on_change=write, last_seconds=0.5, warm=warm_parent()
    )
    supervisor.start()
    supervisor.watch(lambda: False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
