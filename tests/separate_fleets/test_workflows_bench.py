"""The bench of general workflows: everything that it begins comes to its end, and every figure is printed."""

import json
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner

from fleet.command.app import application

TINY = (
    "--rounds=2", "--runs=10", "--handovers=1", "--elements=3", "--elements=30", "--waits=20", "--due=30",
    "--messages=2", "--steps=10", "--peer=ours-noop",
)  # fmt: skip


def measured(*arguments: str) -> str:
    result = CliRunner().invoke(application, ["bench", "workflows", *TINY, *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_steps_loops_waits_and_outside_agents_are_measured_round_by_round_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(psutil.Process().children(recursive=True))
    told: dict[str, Any] = json.loads(measured("--json"))
    assert [(figure["name"], figure["unit"]) for figure in told["figures"]] == [
        ("hand-over of 6 no-op steps, P50", "ms"),
        ("fan-out and join of 3", "s"),
        ("fan-out and join of 3: an element", "µs"),
        ("fan-out and join of 30", "s"),
        ("fan-out and join of 30: an element", "µs"),
        ("steps that 4 outside agents do, 10 a poll", "/s"),
        ("idle sweep of the tick beside 20 timers and 20 message waits", "ms"),
        ("its look at what is due next", "ms"),
        ("30 timers due at one moment, runs ended a second", "/s"),
        ("a message to who waits over HTTP, P95", "ms"),
        ("a message to who waits by the engine, P95", "ms"),
    ]
    for figure in told["figures"]:
        assert len(figure["values"]) == 2
        assert 0 < figure["low"] <= figure["median"] <= figure["high"]
    assert [(use["name"], use["units"]) for use in told["cpu"]] == [
        ("fan-out and join of 3", 6),
        ("fan-out and join of 30", 60),
        ("outside agents", 20),
        ("timers due at one moment", 60),
        ("messages", 8),
    ]
    assert all({"postgres", "bench"} <= set(use["seconds"]) for use in told["cpu"])
    assert list(told["peers"]["figures"]) == ["ours-noop"]
    assert set(psutil.Process().children(recursive=True)) <= before
    assert list(tmp_path.glob("unpend-*")) == []


def test_a_part_alone_is_printed_as_a_table() -> None:
    shown = measured("--only=loops")
    assert "fan-out and join of 30" in shown
    assert "CPU by part, fan-out and join of 3: 6 elements" in shown
    assert "hand-over" not in shown
