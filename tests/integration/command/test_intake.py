"""What `unpend intake` shows of what was rejected, and what becomes of it."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from fleet.command.app import application
from storage.people.rejects import Rejects
from tests.support.command_line import CommandLine
from tests.support.factories import payload

PHONE = "13800138000"


def rejected(fleet: CommandLine, **changes: Any) -> tuple[dict[str, Any], str]:
    """A valid order, and the id under which it was rejected for its priority."""
    order = payload(metadata={"phone": PHONE}) | changes
    fleet.run("submit", "-", given=json.dumps(order | {"priority": 11}) + "\n")
    with fleet.house.database.transaction() as work:
        return order, Rejects(work).recent(1)[0].reject_id


def test_what_was_rejected_is_listed_with_what_is_wrong(fleet: CommandLine) -> None:
    order, reject_id = rejected(fleet)
    (found,) = fleet.read("intake", "rejected")
    assert (found["reject_id"], found["source"]) == (reject_id, "command")
    assert "payload" not in found
    listed = fleet.run("intake", "rejected").stdout
    assert order["task_id"] in listed
    assert "priority: input should be less than or equal to 10" in listed


def test_of_many_faults_the_first_are_listed(fleet: CommandLine) -> None:
    rejected(fleet, a=1, b=2, c=3, d=4)
    assert "; and 2 more" in fleet.run("intake", "rejected").stdout


def test_what_was_dealt_with_is_listed_on_request(fleet: CommandLine) -> None:
    _, reject_id = rejected(fleet)
    fleet.run("intake", "dismiss", reject_id, "--reason", "重复")
    assert fleet.read("intake", "rejected") == []
    assert "waits for anybody" in fleet.run("intake", "rejected").stdout
    assert [found["state"] for found in fleet.read("intake", "rejected", "--all")] == ["dismissed"]
    assert fleet.read("intake", "rejected", "--all", "--source", "queue") == []


def test_one_is_shown_with_what_came_and_no_number(fleet: CommandLine) -> None:
    order, reject_id = rejected(fleet)
    result = fleet.run("intake", "show", reject_id)
    assert "wrong     priority: input should be less than or equal to 10" in result.stdout
    assert order["order_id"] in result.stdout
    assert "138****8000" in result.stdout
    assert PHONE not in result.stdout


def test_what_is_shown_can_be_edited_and_sent_in(fleet: CommandLine) -> None:
    order, reject_id = rejected(fleet)
    came = json.loads(fleet.read("intake", "show", reject_id)["payload"])
    file = fleet.data_dir / "corrected.json"
    file.write_text(json.dumps(came | {"priority": 9}, ensure_ascii=False), encoding="utf-8")
    result = fleet.run("intake", "correct", reject_id, str(file), "--by", "王芳")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{reject_id} is in as task {order['task_id']}\n"
    entered = fleet.house.order(order["task_id"])
    assert entered.priority == 9
    assert str(entered.phone).endswith(PHONE)
    assert f"replayed as {order['task_id']} by admin" in fleet.run("intake", "show", reject_id).stdout


def test_what_it_is_called_is_shown_as_it_is(fleet: CommandLine) -> None:
    order, reject_id = rejected(fleet, task_id="HW17956655830", order_id="SO17956655830")
    for shown in (fleet.run("intake", "rejected"), fleet.run("intake", "show", reject_id)):
        assert "HW17956655830" in shown.stdout
    assert "  order     SO17956655830\n" in fleet.run("intake", "show", reject_id).stdout
    result = fleet.run("intake", "correct", reject_id, "-", given=json.dumps(order))
    assert result.stdout == f"{reject_id} is in as task HW17956655830\n"


def test_how_often_it_came_is_shown(fleet: CommandLine) -> None:
    order, reject_id = rejected(fleet)
    rejected(fleet, **order)
    (found,) = fleet.read("intake", "rejected")
    assert (found["reject_id"], found["times"]) == (reject_id, 2)
    assert "came      2 times" in fleet.run("intake", "show", reject_id).stdout


def test_a_correction_is_read_from_standard_input(fleet: CommandLine) -> None:
    order, reject_id = rejected(fleet)
    result = fleet.run("intake", "correct", reject_id, "-", given=json.dumps(order))
    assert result.exit_code == 0, result.stderr


def test_a_correction_that_is_still_wrong_says_why_and_it_stays_open(fleet: CommandLine) -> None:
    order, reject_id = rejected(fleet)
    result = fleet.run("intake", "correct", reject_id, "-", given=json.dumps(order | {"order_type": "?"}))
    assert result.exit_code == 1
    assert f"{reject_id} stays open: order_type: " in result.stderr
    assert result.stderr.count("\n") == 1
    assert len(fleet.read("intake", "rejected")) == 1


def test_an_order_goes_in_as_it_came_once_its_other_task_is_closed(fleet: CommandLine) -> None:
    first = payload()
    second = payload(order_id=first["order_id"])
    fleet.run("submit", "-", given=f"{json.dumps(first)}\n{json.dumps(second)}\n")
    (found,) = fleet.read("intake", "rejected")
    refused = fleet.run("intake", "replay", found["reject_id"])
    assert refused.exit_code == 1
    assert f"already has an open task, {first['task_id']}" in refused.stderr
    fleet.house.run_to_the_end()
    assert fleet.run("intake", "replay", found["reject_id"]).exit_code == 0
    assert fleet.house.order(second["task_id"]).status == "contacting"


def test_what_is_in_already_is_said_to_be(fleet: CommandLine) -> None:
    order, reject_id = rejected(fleet)
    fleet.run("submit", "-", given=json.dumps(order) + "\n")
    result = fleet.run("intake", "correct", reject_id, "-", given=json.dumps(order))
    assert "was in already, just like this" in result.stdout


def test_what_was_dealt_with_is_not_dealt_with_again(fleet: CommandLine) -> None:
    _, reject_id = rejected(fleet)
    assert fleet.run("intake", "dismiss", reject_id, "--reason", "重复", "--by", "李雷").exit_code == 0
    result = fleet.run("intake", "replay", reject_id)
    assert result.exit_code == 1
    assert "was dismissed before, by admin; nothing was changed" in result.stderr


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{oops", "is not JSON"),
        ("[]", "holds no JSON object"),
        ("7", "holds no JSON object"),
        (b"\xff\xfe", "write it in UTF-8"),
        ("[" * 100_000, "is no JSON that could be an order"),
    ],
)
def test_a_correction_that_is_no_json_ends_with_2_and_one_line(
    fleet: CommandLine, given: str | bytes, told: str
) -> None:
    _, reject_id = rejected(fleet)
    result = fleet.run("intake", "correct", reject_id, "-", given=given)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_file_that_is_not_there_ends_with_2(fleet: CommandLine) -> None:
    _, reject_id = rejected(fleet)
    result = fleet.run("intake", "correct", reject_id, str(fleet.data_dir / "absent.json"))
    assert result.exit_code == 2
    assert "absent.json cannot be read" in result.stderr


@pytest.mark.parametrize("reason", ["  ", "x" * 501])
def test_a_dismissal_needs_a_reason_of_reasonable_length(fleet: CommandLine, reason: str) -> None:
    _, reject_id = rejected(fleet)
    assert fleet.run("intake", "dismiss", reject_id, "--reason", reason).exit_code == 2


@pytest.mark.parametrize("command", [["show"], ["replay"], ["dismiss", "--reason", "x"]])
def test_an_unknown_id_is_told(fleet: CommandLine, command: list[str]) -> None:
    result = fleet.run("intake", command[0], "REJ0", *command[1:])
    assert result.exit_code == 1
    assert "there is no REJ0; `unpend intake rejected --all`" in result.stderr


def test_a_list_needs_no_folder_but_the_address_and_a_key(
    fleet: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rejected(fleet)
    document = json.loads((fleet.data_dir / "run.json").read_text())
    (fleet.data_dir / "run.json").unlink()
    monkeypatch.chdir(fleet.data_dir)
    environment = {"UNPEND_API_URL": document["api"], "UNPEND_API_KEY": document["keys"]["admin"]}
    result = CliRunner(env=environment).invoke(application, ["intake", "rejected", "--json"])
    assert len(json.loads(result.stdout)) == 1


def test_where_only_the_servers_are_known_one_learns_how_to_name_the_api(
    fleet: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fleet.data_dir / "run.json").unlink()
    monkeypatch.chdir(fleet.data_dir)
    environment = {"UNPEND_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/unpend"}
    result = CliRunner(env=environment).invoke(application, ["intake", "rejected"])
    assert result.exit_code == 3
    assert "UNPEND_API_URL" in result.stderr


def test_a_key_that_the_api_does_not_take_ends_with_3_and_one_line(fleet: CommandLine) -> None:
    fleet.write_run_file(keys={"admin": "unpend_of_yesterday"})
    result = fleet.run("intake", "rejected")
    assert result.exit_code == 3
    assert "does not take the key of this command" in result.stderr
    assert result.stderr.count("\n") == 1


def test_without_the_api_a_list_ends_with_3_and_one_line(fleet: CommandLine) -> None:
    fleet.take_api_away()
    result = fleet.run("intake", "rejected")
    assert result.exit_code == 3
    assert "does not answer" in result.stderr
    assert result.stderr.count("\n") == 1
