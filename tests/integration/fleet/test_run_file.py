"""The files of the data folder that the supervisor keeps: run file, lock, logs."""

import os
from pathlib import Path

import pytest

from fleet.supervisor.log_file import ROTATE_ABOVE, open_log
from fleet.supervisor.run_file import DataDirInUseError, DataDirLock, RunFile


def test_a_long_log_is_rotated_at_the_start_and_a_short_one_continued(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    for size, rotated in ((100, False), (ROTATE_ABOVE + 1, True)):
        with log.open("wb") as file:
            file.truncate(size)
        os.close(open_log(log))
        assert (tmp_path / "worker.log.1").exists() is rotated
        assert log.stat().st_size == (0 if rotated else size)


def test_the_run_file_is_private_and_reads_back(tmp_path: Path) -> None:
    run_file = RunFile(tmp_path / "run.json")
    run_file.write({"ready": True, "processes": [{"name": "worker-contact", "pid": 7}]})
    assert run_file.path.stat().st_mode & 0o777 == 0o600
    assert run_file.read() == {"ready": True, "processes": [{"name": "worker-contact", "pid": 7}]}
    run_file.remove()
    run_file.remove()
    assert run_file.read() is None
    assert list(tmp_path.iterdir()) == []


def test_a_second_supervisor_of_a_data_folder_is_refused_and_told_the_first(tmp_path: Path) -> None:
    with DataDirLock(tmp_path), pytest.raises(DataDirInUseError, match=f"process {os.getpid()}"):
        DataDirLock(tmp_path).acquire()
    with DataDirLock(tmp_path):
        pass
