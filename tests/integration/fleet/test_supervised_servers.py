"""The embedded servers below the supervisor, as `unpend up` runs them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fleet.embedded.home import server_home
from fleet.embedded.postgres import EmbeddedPostgres
from fleet.embedded.process import server_process
from fleet.embedded.valkey import EmbeddedValkey
from fleet.supervisor.ports import free_port
from fleet.supervisor.process import ProcessSpec, RunningProcess
from fleet.supervisor.run_file import RunFile
from fleet.supervisor.supervisor import Supervisor
from tests.support.waiting import pid_is_alive, wait_until


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "data"
    yield path
    server_home(path).remove()


def servers(data_dir: Path) -> list[ProcessSpec]:
    """Return both servers, prepared."""
    return [
        served("postgres", 0, EmbeddedPostgres(data_dir), data_dir),
        served("valkey", 1, EmbeddedValkey(data_dir), data_dir),
    ]


def served(name: str, stage: int, server: EmbeddedPostgres | EmbeddedValkey, data_dir: Path) -> ProcessSpec:
    server.prepare()
    return server_process(name, server, free_port(), data_dir / "logs" / f"{name}.log", stage=stage)


def ignore(processes: tuple[RunningProcess, ...]) -> None:
    """Take no notice of a change."""


def log(data_dir: Path, name: str) -> str:
    return (data_dir / "logs" / f"{name}.log").read_text(encoding="utf-8")


def run_until_killed(data_dir: Path) -> None:
    """Run both servers and tell their pids in run.json: the body of the supervisor that a test kills."""
    specs = servers(data_dir)

    def tell(processes: tuple[RunningProcess, ...]) -> None:
        RunFile(data_dir / "run.json").write({process.name: process.pid for process in processes})

    supervisor = Supervisor(specs, on_change=tell)
    supervisor.start()
    supervisor.watch(lambda: False)


def test_both_start_and_stop_cleanly(data_dir: Path) -> None:
    specs = servers(data_dir)
    supervisor = Supervisor(specs, on_change=ignore)
    supervisor.start()
    ready = [spec.ready() for spec in specs]
    supervisor.stop()
    assert ready == [True, True]
    assert "database system is shut down" in log(data_dir, "postgres")
    assert "bye bye" in log(data_dir, "valkey")


def test_a_killed_postgres_is_ready_again(data_dir: Path) -> None:
    specs = servers(data_dir)
    supervisor = Supervisor(specs, on_change=ignore)
    supervisor.start()
    try:
        pid = supervisor.processes[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        supervisor.watch(
            lambda: not pid_is_alive(pid) and supervisor.processes[0].restarts > 0 and specs[0].ready()
        )
    finally:
        supervisor.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_both_shut_down_cleanly_when_the_supervisor_is_killed(data_dir: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.integration.fleet.test_supervised_servers import run_until_killed\n"
        "run_until_killed(Path(sys.argv[1]))\n"
    )
    run_file = RunFile(data_dir / "run.json")
    with subprocess.Popen([sys.executable, "-c", script, str(data_dir)]) as supervisor:
        try:
            wait_until(lambda: run_file.read() is not None)
            children = psutil.Process(supervisor.pid).children(recursive=True)
        finally:
            supervisor.kill()
    pids = run_file.read()
    assert pids is not None
    assert set(pids.values()) <= {child.pid for child in children}
    wait_until(lambda: not any(pid_is_alive(child.pid) for child in children))
    assert "database system is shut down" in log(data_dir, "postgres")
    assert "bye bye" in log(data_dir, "valkey")
