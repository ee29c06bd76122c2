"""What `unpend workflow` shows and does."""

from pathlib import Path

import pytest
import yaml

from storage.access.system_audit import SystemAudit
from tests.support.command_line import CommandLine

WRITTEN = """\
workflow: nightly
version: "1"   # 夜间
title: 夜间报表
steps:
  - id: report
    agent: audit
    action: generate_report
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "nightly.yaml"
    path.write_text(WRITTEN, encoding="utf-8")
    return path


def test_a_definition_goes_its_way_by_command_and_history_says_who(fleet: CommandLine, file: Path) -> None:
    assert fleet.run("workflow", "check", str(file)).exit_code == 0
    assert (
        fleet.run("workflow", "add", str(file), "--by", "王芳").stdout == "nightly@1 is kept; it is draft\n"
    )
    assert "was there before" in fleet.run("workflow", "add", str(file)).stdout
    assert fleet.run("workflow", "activate", "nightly@1").stdout == "nightly@1 is active\n"
    assert fleet.run("workflow", "activate", "nightly@1").stdout == "nightly@1 was before active\n"
    listed = fleet.run("workflow", "list").stdout
    assert [line.split()[:4] for line in listed.splitlines() if "nightly" in line] == [
        ["nightly", "1", "*", "active"]
    ]
    shown = fleet.run("workflow", "show", "nightly@1").stdout
    assert yaml.safe_load(shown) == yaml.safe_load(WRITTEN)
    assert fleet.read("workflow", "show", "nightly")["current_version"] == "1"
    assert fleet.read("workflow", "retire", "nightly@1")["version"]["state"] == "retired"
    assert fleet.read("workflow", "show", "nightly")["current_version"] is None
    with fleet.house.database.transaction() as work:
        entries = [e for e in SystemAudit(work).recent() if e.what.startswith("workflow_")]
    assert [(e.what, e.actor, e.label) for e in reversed(entries)] == [
        ("workflow_added", "admin", "王芳"),
        ("workflow_activated", "admin", None),
        ("workflow_retired", "admin", None),
    ]


@pytest.mark.parametrize("verb", ["check", "add"])
def test_what_is_wrong_is_printed_with_file_line_and_column(
    fleet: CommandLine, file: Path, verb: str
) -> None:
    file.write_text(WRITTEN.replace("generate_report", "dance").replace("agent: audit", "agent: birds"))
    result = fleet.run("workflow", verb, str(file))
    assert result.exit_code == 1
    assert f"{file}:6:5: step 'report': there is no agent 'birds'" in result.stderr
    assert f"{file}:7:5: step 'report': no action 'birds.dance' is registered" in result.stderr
    file.write_text("workflow: [\n")
    result = fleet.run("workflow", verb, str(file))
    assert (result.exit_code, f"{file}:2:1: is not YAML" in result.stderr) == (1, True)


def test_a_json_file_is_taken_as_it_is(fleet: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "nightly.json"
    path.write_text('{"workflow": "nightly", "version": "1",\n"steps": [{"id": "a", "type": "gatway"}]}')
    result = fleet.run("workflow", "check", str(path), "--json")
    assert result.exit_code == 1
    assert '"pointer": "/steps/0/type"' in result.stdout
    assert f"{path}:2:23: steps.0.type: 'gatway'" in fleet.run("workflow", "check", str(path)).stderr


def test_a_file_is_json_by_its_ending_and_yaml_otherwise(fleet: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "nightly.json"
    path.write_text(WRITTEN, encoding="utf-8")
    assert "is not JSON" in fleet.run("workflow", "check", str(path)).stderr
    # A tab between fields, and half an emoji and half, are JSON and no YAML.
    steps = '"steps": [{"id": "a", "type": "pass"}]'
    text = f'{{"workflow": "nightly", "version": "1",\t"title": "\\ud83d\\ude00",\n{steps}}}'
    path.write_text(text, encoding="utf-8")
    assert fleet.run("workflow", "add", str(path)).exit_code == 0
    assert fleet.read("workflow", "show", "nightly@1")["definition"]["title"] == "😀"


def test_commands_that_cannot_be_done_end_as_others_do(fleet: CommandLine, file: Path) -> None:
    assert fleet.run("workflow", "activate", "nightly").exit_code == 2
    missing = fleet.run("workflow", "activate", "nightly@9")
    assert (missing.exit_code, "unpend workflow list" in missing.stderr) == (1, True)
    assert fleet.run("workflow", "show", "nobody").exit_code == 1
    assert fleet.run("workflow", "add", str(file.with_name("none.yaml"))).exit_code == 1
    assert fleet.run("workflow", "retire", "pending_task@1.0").exit_code == 1
