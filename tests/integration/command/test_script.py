"""`unpend script`: scripts listed, checked, shown in words, and for an order without sending anything."""

from pathlib import Path

import yaml

from runtime.settings import PROJECT
from storage.orders.contacts.contacts import Contacts
from tests.support.command_line import CommandLine
from tests.support.factories import answered, silent, submission

PHONE = "13800138000"


def test_scripts_are_listed_with_their_versions(fleet: CommandLine) -> None:
    (script,) = fleet.read("script", "list")
    assert (script["script_id"], script["version"]) == ("pending_task_v1", 1)
    assert "pending_task_v1" in fleet.run("script", "list").stdout


def test_a_wrong_script_is_named_with_its_file_and_field(fleet: CommandLine, tmp_path: Path) -> None:
    assert "can be used" in fleet.run("script", "check").stdout
    folder = tmp_path / "config" / "scripts"
    folder.mkdir(parents=True)
    document = yaml.safe_load((PROJECT / "config/scripts/pending_task_v1.yaml").read_text(encoding="utf-8"))
    document["channels"]["phone"]["opening"] = "您好。"
    (folder / "wrong.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    result = fleet.run("script", "check", "--config", str(tmp_path / "config"))
    assert result.exit_code == 1
    assert "wrong.yaml" in result.stderr
    assert "channels.phone.opening" in result.stderr


def test_a_preview_shows_the_words_with_the_gaps_filled(fleet: CommandLine) -> None:
    shown = fleet.run(
        "script", "preview", "pending_task_v1", "--channel", "sms", "--variables", "product=空调"
    )
    assert "您的空调服务单" in shown.stdout
    assert "1 part" in shown.stdout
    assert "智能语音助手" not in shown.stdout


def test_a_preview_for_an_order_fills_the_gaps_from_it(fleet: CommandLine) -> None:
    order = submission(answered(), metadata={"product": "燃气灶", "phone": PHONE})
    fleet.house.accept(order)
    shown = fleet.run("script", "preview", "pending_task_v1", "--order", order.body.task_id)
    assert "您的燃气灶服务单" in shown.stdout


def test_what_cannot_be_previewed_is_said_in_a_line(fleet: CommandLine) -> None:
    unknown = fleet.run("script", "preview", "nothing")
    assert (unknown.exit_code, "there are pending_task_v1" in unknown.stderr) == (1, True)
    variable = fleet.run("script", "preview", "pending_task_v1", "--variables", "brand=x")
    assert (variable.exit_code, "order_type, product" in variable.stderr) == (2, True)
    order = fleet.run("script", "preview", "pending_task_v1", "--order", "HT404")
    assert (order.exit_code, "there is no task HT404" in order.stderr) == (1, True)


def test_a_dry_run_shows_the_next_contact_with_the_number_masked_and_sends_nothing(
    fleet: CommandLine,
) -> None:
    order = submission(silent(), metadata={"product": "燃气灶", "phone": PHONE})
    fleet.house.accept(order)
    shown = fleet.run("script", "dry-run", order.body.task_id)
    assert shown.exit_code == 0, shown.stderr
    assert "phone to 138****8000" in shown.stdout
    assert "pending_task_v1:1" in shown.stdout
    assert "您的燃气灶服务单" in shown.stdout
    assert PHONE not in shown.stdout
    with fleet.house.database.transaction() as work:
        assert Contacts(work).of_task(order.body.task_id) == []


def test_a_dry_run_says_which_script_is_missing(fleet: CommandLine) -> None:
    order = submission(silent(), metadata={"script_id": "nothing"})
    fleet.house.accept(order)
    found = fleet.read("script", "dry-run", order.body.task_id)
    assert (found["text"], found["script"]) == (None, None)
    assert "nothing" in found["problem"]


def test_a_dry_run_of_a_closed_order_says_that_nobody_is_contacted(fleet: CommandLine) -> None:
    order = submission(answered())
    fleet.house.accept(order)
    fleet.house.run()
    assert "never: the order is closed" in fleet.run("script", "dry-run", order.body.task_id).stdout
    assert fleet.run("script", "dry-run", "HT404").exit_code == 1
