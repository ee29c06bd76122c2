"""`unpend workflow import | export | draw`: BPMN files in and out, and pictures."""

import json
from pathlib import Path

import pytest

from tests.support.bpmn.short_files import OPEN, READY, REJECTED
from tests.support.command_line import CommandLine


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "visit.bpmn"


def test_a_file_is_taken_in_activated_given_out_and_drawn(fleet: CommandLine, file: Path) -> None:
    file.write_text(READY, encoding="utf-8")
    checked = fleet.run("workflow", "import", str(file), "--check")
    assert (checked.exit_code, checked.stdout.splitlines()[0]) == (
        0,
        "visit@1: 3 flow nodes, can be activated",
    )
    assert fleet.run("workflow", "show", "visit").exit_code == 1
    taken = fleet.run("workflow", "import", str(file))
    assert taken.stdout.splitlines()[0] == "visit@1: 3 flow nodes, can be activated; it is a draft"
    assert fleet.run("workflow", "activate", "visit@1").exit_code == 0
    out, picture = file.with_name("out.bpmn"), file.with_name("out.svg")
    assert fleet.run("workflow", "export", "visit@1", "-o", str(out)).exit_code == 0
    assert fleet.run("workflow", "draw", "visit@1", "-o", str(picture)).exit_code == 0
    assert "致电" in out.read_text(encoding="utf-8")
    assert picture.read_text(encoding="utf-8").startswith("<svg")


def test_what_is_open_is_said_with_file_and_line(fleet: CommandLine, file: Path) -> None:
    file.write_text(OPEN, encoding="utf-8")
    result = fleet.run("workflow", "import", str(file))
    assert result.exit_code == 0
    assert f"open: {file}:4: no work is bound to the task" in result.stdout
    assert fleet.read("workflow", "import", str(file), "--check")["outcome"] == "draft"


def test_a_file_that_is_rejected_ends_with_2_and_every_reason(fleet: CommandLine, file: Path) -> None:
    file.write_text(REJECTED, encoding="utf-8")
    result = fleet.run("workflow", "import", str(file))
    assert result.exit_code == 2
    assert f'{file}:4: <adHocSubProcess id="free">' in result.stdout
    assert f'{file}:5: <complexGateway id="odd">' in result.stdout
    told = json.loads(fleet.run("workflow", "import", str(file), "--json").stdout)
    assert (told["outcome"], len(told["problems"])) == ("rejected", 2)


def test_a_version_that_there_is_not_is_said(fleet: CommandLine) -> None:
    result = fleet.run("workflow", "draw", "nothing@1")
    assert result.exit_code == 1
    assert "there is no workflow nothing@1" in result.stderr
