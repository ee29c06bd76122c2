"""What `unpend run` begins, shows and does."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import CommandLine

WORKFLOW = {
    "workflow": "by_hand",
    "version": "1",
    "variables": {"total": {"type": "integer", "default": 0}},
    "steps": [
        {"id": "ask", "type": "human", "decisions": {"go": "wait", "stop": "end"}},
        {"id": "wait", "type": "wait", "events": [{"signal": "rung", "next": "last"}]},
        {"id": "last", "agent": {"capability": "alchemy"}},
    ],
}


@pytest.fixture
def begun(fleet: CommandLine, tmp_path: Path) -> str:
    file = tmp_path / "by_hand.json"
    file.write_text(json.dumps(WORKFLOW), encoding="utf-8")
    assert fleet.run("workflow", "add", str(file)).exit_code == 0
    assert fleet.run("workflow", "activate", "by_hand@1").exit_code == 0
    execution_id: str = fleet.read("run", "start", "by_hand@1", "--key", "k", "--parameters", '{"a": 1}')[
        "execution_id"
    ]
    return execution_id


def said(fleet: CommandLine, *arguments: str) -> str:
    result = fleet.run("run", *arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def steps(fleet: CommandLine, begun: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fleet.read("run", "show", begun)["steps"]
    return found


def test_an_execution_goes_its_way_by_command(fleet: CommandLine, begun: str) -> None:
    assert begun in said(fleet, "list", "--workflow", "by_hand")
    assert "step ask waits for: human" in said(fleet, "show", begun)
    assert said(fleet, "pause", begun) == f"execution {begun} is paused\n"
    assert "nothing was changed" in said(fleet, "pause", begun)
    assert "is running" in said(fleet, "resume", begun, "--reason", "好了", "--by", "王芳")
    assert "is running" in said(fleet, "set", begun, "total=3")
    (ask,) = steps(fleet, begun)
    said(fleet, "skip", begun, str(ask["step_id"]), "--output", '{"decision": "go"}')
    said(fleet, "signal", begun, "rung")
    said(fleet, "rerun", begun, "wait")
    said(fleet, "signal", begun, "rung", "--payload", '{"by": "hand"}')
    last = steps(fleet, begun)[-1]
    assert (last["step"], last["status"]) == ("last", "pending")
    said(fleet, "skip", begun, str(last["step_id"]))
    shown = fleet.read("run", "show", begun)
    assert (shown["status"], shown["variables"]) == ("completed", {"total": 3})
    log = [
        entry["data"] for entry in fleet.read("run", "log", begun) if entry["event_type"] == "intervention"
    ]
    assert [line["verb"] for line in log] == [
        "pause", "resume", "set", "skip", "signal", "rerun", "signal", "skip",
    ]  # fmt: skip
    assert (log[1]["reason"], log[1]["label"]) == ("好了", "王芳")
    assert "state_transition" in said(fleet, "log", begun)


@pytest.mark.parametrize("verb", ["cancel", "terminate"])
def test_an_execution_is_ended_with_the_reason(fleet: CommandLine, begun: str, verb: str) -> None:
    assert said(fleet, verb, begun, "--reason", "不再需要") == f"execution {begun} is cancelled\n"
    assert "because: 不再需要" in said(fleet, "show", begun)
    refused = fleet.run("run", "retry", begun)
    assert refused.exit_code == 1
    assert "cannot retry" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("show", "RUN404"), 1, "execution RUN404"),
        (("pause", "RUN404"), 1, "execution RUN404"),
        (("start", "nobody_sent_it"), 1, "no workflow nobody_sent_it"),
        (("start", "pending_task", "--parameters", "{"), 2, "no JSON"),
        (("set", "RUN404", "total"), 2, "NAME=JSON"),
    ],
)
def test_what_cannot_be_done_is_said(
    fleet: CommandLine, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = fleet.run("run", *arguments)
    assert result.exit_code == code
    assert message in result.stderr


def test_a_second_start_under_a_key_is_the_first(fleet: CommandLine, begun: str) -> None:
    again = said(fleet, "start", "by_hand@1", "--key", "k", "--parameters", '{"a": 1}')
    assert again == f"execution {begun} was begun before; it is running\n"
