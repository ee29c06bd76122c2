"""The bench of the console: every page is asked for over a filled database, and every figure is printed."""

from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from console.server.navigation import MENU
from fleet.command.app import application

TINY = ("--orders=100", "--requests=2", "--changes=1", "--sessions=1")


def test_pages_changes_and_memory_are_measured_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(psutil.Process().children(recursive=True))
    result = CliRunner().invoke(application, ["bench", "console", *TINY])
    assert result.exit_code == 0, result.output
    for entry in MENU:
        assert f"│ {entry.name} " in result.stdout
    assert "commit → told on the stream, 1 times" in result.stdout
    assert "with 1 who listen" in result.stdout
    assert set(psutil.Process().children(recursive=True)) <= before
    assert list(tmp_path.glob("unpend-*")) == []
