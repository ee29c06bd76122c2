"""What `unpend down` stops, and what it says when there is nothing to stop."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from fleet.command.machine import down as stopping
from tests.support.command_line import CommandLine

OBEDIENT = "import signal, sys; print(flush=True); signal.sigwait({signal.SIGTERM})"
DEAF = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"


@pytest.fixture
def supervisors() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def start(supervisors: list[subprocess.Popen[bytes]], program: str) -> int:
    blocked = f"import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {{signal.SIGTERM}}); {program}"
    process = subprocess.Popen(
        [sys.executable, "-c", blocked if program is OBEDIENT else program], stdout=subprocess.PIPE
    )
    supervisors.append(process)
    assert process.stdout
    process.stdout.readline()
    return process.pid


def test_the_supervisor_is_told_to_stop_and_waited_for(
    fleet: CommandLine, supervisors: list[subprocess.Popen[bytes]]
) -> None:
    fleet.write_run_file(supervisor=start(supervisors, OBEDIENT))
    result = fleet.run("down")
    assert result.exit_code == 0, result.stderr
    assert "is stopped, after" in result.stdout
    assert supervisors[0].wait(timeout=180) == 0


def test_a_supervisor_that_does_not_stop_is_told_of(
    fleet: CommandLine, supervisors: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "_LONGEST", 0.3)
    pid = start(supervisors, DEAF)
    fleet.write_run_file(supervisor=pid)
    result = fleet.run("down")
    assert result.exit_code == 1
    assert f"process {pid} was told to stop and has not" in result.stderr


def test_without_a_fleet_it_ends_with_3(fleet: CommandLine) -> None:
    (fleet.data_dir / "run.json").unlink()
    result = fleet.run("down")
    assert result.exit_code == 3
    assert "no fleet is running in" in result.stderr


def test_a_supervisor_that_is_gone_ends_with_3(
    fleet: CommandLine, supervisors: list[subprocess.Popen[bytes]]
) -> None:
    pid = start(supervisors, OBEDIENT)
    fleet.write_run_file(supervisor=pid)
    os.kill(pid, signal.SIGTERM)
    supervisors[0].wait(timeout=180)
    assert fleet.run("down").exit_code == 3
