"""Half a minute of `unpend chaos` with a fixed seed, and what it leaves when it is told to stop."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import is_alive, wait_until

_CHAOS = "import sys; from fleet.command.app import main; sys.argv[0] = 'unpend'; main()"


def started(folder: Path, *options: str) -> "subprocess.Popen[bytes]":
    """The command, in a folder for what it makes, with its words in `chaos.log`."""
    with (folder / "chaos.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-c", _CHAOS, "chaos", *options],
            env=os.environ | {"TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # PostgreSQL runs as another account where we are root, which must be able to enter.
    tmp_path.chmod(0o755)
    return tmp_path


def words(folder: Path) -> str:
    return (folder / "chaos.log").read_text(encoding="utf-8")


def test_half_a_minute_of_faults_loses_no_order_and_reaches_nobody_twice(folder: Path) -> None:
    running = started(folder, "--seed", "20261130", "--minutes", "0.5")
    assert running.wait(timeout=2400) == 0, words(folder)


def test_a_run_that_is_told_to_stop_leaves_no_process_and_no_folder(folder: Path) -> None:
    running = started(folder, "--seed", "1", "--minutes", "5")
    process = psutil.Process(running.pid)
    wait_until(lambda: "faults:" in words(folder), "faults are made", explain=lambda: words(folder))
    left = process.children(recursive=True)
    assert left
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=180) == 130, words(folder)
    wait_until(lambda: not any(map(is_alive, left)), "every process has ended")
    assert list(folder.glob("unpend-chaos-*")) == []
