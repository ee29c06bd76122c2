"""`unpend stop`, `do-not-call` and `policy`: contacts are stopped, barred and explained from the command line."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from runtime.settings import PROJECT
from tests.support.command_line import CommandLine
from tests.support.factories import answered, submission
from tests.support.orders.contact_constraints import bounded
from tests.support.probe import Probe

PHONE = "13800138000"


def waiting(fleet: CommandLine, **metadata: object) -> str:
    """An order whose customer said something at the first call that nobody understood."""
    order = submission(answered("喂？听不清，你说什么"), metadata={"phone": PHONE, **metadata})
    fleet.house.accept(order)
    fleet.house.run()
    return order.body.task_id


def test_a_stop_is_raised_listed_and_lifted(fleet: CommandLine) -> None:
    raised = fleet.run("stop", "--channel", "phone", "--region", "上海市", "--reason", "投诉", "--by", "王芳")
    assert raised.exit_code == 0, raised.stderr
    assert "stopped: contact by phone in 上海市" in raised.stdout
    (stop,) = fleet.read("stop", "list")
    assert (stop["reason"], stop["stopped_by"]) == ("投诉", "operator")
    assert "投诉" in fleet.run("stop", "list").stdout
    again = fleet.run("stop", "--channel", "phone", "--region", "上海市", "--reason", "投诉")
    assert f"was stopped before, by operator: {stop['stop_id']}" in again.stdout
    assert "is lifted" in fleet.run("stop", "lift", stop["stop_id"]).stdout
    assert "was lifted before" in fleet.run("stop", "lift", stop["stop_id"]).stdout
    assert fleet.run("stop", "list").stdout == "nothing is stopped\n"


def test_contacts_are_stopped_and_numbers_barred_while_the_api_is_down(fleet: CommandLine) -> None:
    fleet.take_api_away()
    assert fleet.run("stop", "--reason", "投诉", "--by", "王芳").exit_code == 0
    assert fleet.run("do-not-call", "add", PHONE, "--reason", "客户来电").exit_code == 0
    (stop,) = fleet.read("stop", "list")
    (entry,) = fleet.read("do-not-call", "list", "--phone", PHONE)
    assert (stop["stopped_by"], entry["masked"]) == ("operator", "138****8000")
    assert "is lifted" in fleet.run("stop", "lift", stop["stop_id"]).stdout


def test_a_stop_tells_how_many_open_orders_it_holds(fleet: CommandLine) -> None:
    waiting(fleet, region="上海市浦东新区")
    waiting(fleet)
    shanghai = fleet.run("stop", "--region", "上海", "--reason", "x")
    assert "it holds 1 of 2 open orders" in shanghai.stdout
    assert "1 open orders name no region and are not held" in shanghai.stderr
    mars = fleet.run("stop", "--region", "火星", "--reason", "x")
    assert "no open order is in 火星" in mars.stderr
    everywhere = fleet.run("stop", "--reason", "x")
    assert "it holds 2 of 2 open orders" in everywhere.stdout
    assert everywhere.stderr == ""


def test_a_stop_says_why_or_is_none(fleet: CommandLine) -> None:
    for arguments in (("stop",), ("stop", "--reason", " "), ("stop", "--reason", "x", "--region", "")):
        assert fleet.run(*arguments).exit_code == 2
    assert fleet.read("stop", "list") == []
    assert fleet.run("stop", "lift", "stop_none").exit_code == 1


def test_a_number_is_listed_found_and_lifted_and_never_shown(fleet: CommandLine) -> None:
    added = fleet.run("do-not-call", "add", "-", "--reason", "客户来电", "--by", "王芳", given=f"{PHONE}\n")
    assert added.exit_code == 0, added.stderr
    assert "138****8000 is not contacted any more" in added.stdout
    (entry,) = fleet.read("do-not-call", "list", "--phone", "+86 138 0013 8000")
    assert (entry["masked"], entry["added_by"]) == ("138****8000", "operator")
    assert fleet.read("do-not-call", "list", "--phone", "13900139000") == []
    shown = fleet.run("do-not-call", "list").stdout + added.stdout
    assert PHONE not in shown
    assert "is lifted" in fleet.run("do-not-call", "lift", entry["entry_id"]).stdout
    assert fleet.run("do-not-call", "list").stdout == "the list is empty\n"
    assert fleet.run("do-not-call", "lift", "dnc_none").exit_code == 1


def test_an_entry_may_end_and_be_of_a_channel(fleet: CommandLine) -> None:
    wish = ("--channel", "sms", "--until", "2150-05-01", "--reason", "x")
    assert ", by sms only, until 2150-04-30 16:00 UTC" in fleet.run("do-not-call", "add", PHONE, *wish).stdout
    for until in ("soon", "2020-05-01"):
        assert fleet.run("do-not-call", "add", PHONE, "--reason", "x", "--until", until).exit_code == 2
    assert len(fleet.read("do-not-call", "list")) == 1


def test_what_is_no_number_is_not_repeated(fleet: CommandLine) -> None:
    refused = fleet.run("do-not-call", "add", "1380013800", "--reason", "x")
    assert refused.exit_code == 2
    assert "1380013800" not in refused.output


def test_the_shipped_policy_files_can_be_used_without_a_fleet(fleet: CommandLine) -> None:
    checked = fleet.run("policy", "check")
    assert checked.exit_code == 0, checked.stderr
    assert "holidays are official until" in checked.stdout


def test_a_policy_file_that_cannot_be_used_is_named_with_its_field(
    fleet: CommandLine, tmp_path: Path
) -> None:
    config = tmp_path / "wrong"
    shutil.copytree(PROJECT / "config", config)
    contact = config / "policies" / "contact.yaml"
    contact.write_text(contact.read_text(encoding="utf-8").replace("gap_hours: 4", "gap_hours: soon"))
    (config / "policies" / "calendar.yaml").write_text("country: 中国\n")
    checked = fleet.run("policy", "check", "--config", str(config))
    assert checked.exit_code == 1
    assert "contact.yaml: 1 field(s) to correct" in checked.stderr
    assert "policies.standard.gap_hours" in checked.stderr
    assert "calendar.yaml" in checked.stderr


def test_the_check_looks_at_every_file_of_the_folder_that_the_environment_names(
    fleet: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "own"
    shutil.copytree(PROJECT / "config" / "policies", config / "policies")
    (config / "policies" / "approval.yaml").write_text("always: [fly]\n")
    monkeypatch.setenv("UNPEND_CONFIG_FOLDER", str(config))
    checked = fleet.run("policy", "check")
    assert checked.exit_code == 1
    assert "always.0" in checked.stderr
    assert len(checked.stdout.splitlines()) == 6
    monkeypatch.setenv("UNPEND_CONTACT_POLICY", "night")
    assert "holds no policy 'night'" in fleet.run("policy", "check").stderr


def test_an_order_is_explained_with_what_stands_against_it(fleet: CommandLine) -> None:
    task_id = waiting(fleet, region="上海市", timezone="Asia/Urumqi")
    fleet.run("stop", "--reason", "线路故障")
    fleet.run("do-not-call", "add", PHONE, "--reason", "客户来电", "--by", "王芳")
    fleet.run(
        "do-not-call", "add", PHONE, "--reason", "x", "--channel", "sms", "--until", "2150-05-01T08:00+08:00"
    )
    shown = fleet.run("policy", "explain", task_id).stdout
    assert "by the policy 'standard'" in shown
    assert "attempt 2 of 4, round 1 of 5, by phone" in shown
    assert "(Asia/Urumqi)" in shown
    assert "cap       1 of 1 in 60 s" in shown
    assert "do not call: by any channel, for ever; operator said so: 客户来电 (dnc" in shown
    assert "do not call: by sms, until Fri 2150-05-01 06:00:00; operator said so: x" in shown
    assert "STOPPED   线路故障" in shown
    assert "earliest  never: the number is on the do-not-call list" in shown
    assert PHONE not in shown


def test_an_order_that_one_channel_is_barred_of_is_explained_by_the_next(fleet: CommandLine) -> None:
    task_id = waiting(fleet)
    fleet.run("do-not-call", "add", PHONE, "--reason", "x", "--channel", "phone")
    shown = fleet.run("policy", "explain", task_id).stdout
    assert "attempt 2 of 4, round 1 of 5, by sms" in shown
    assert "never" not in shown


def test_an_order_that_only_waits_is_told_when_and_why(fleet: CommandLine) -> None:
    task_id = waiting(fleet)
    outlook = fleet.read("policy", "explain", task_id)
    assert outlook["reason"]
    assert outlook["earliest"] > outlook["last_contact"]
    assert (outlook["contacts_today"], outlook["max_per_day"]) == (1, 2)
    assert len(outlook["days"]) == 7
    assert outlook["do_not_call"] == []
    assert outlook["stops"] == []


def test_an_order_is_explained_by_the_files_that_the_fleet_was_started_with(
    fleet: CommandLine, tmp_path: Path
) -> None:
    task_id = waiting(fleet)
    config = bounded(tmp_path, "standard", max_per_day=7)
    with fleet.served(config_folder=config):
        assert fleet.read("policy", "explain", task_id)["max_per_day"] == 7
        (config / "policies" / "retention.yaml").write_text("days: {labels: -1}\n")
        refused = fleet.run("privacy", "retain", "--dry-run")
    assert refused.exit_code == 1
    assert "retention.yaml: " in refused.stderr


def test_an_unknown_task_is_told_so(fleet: CommandLine) -> None:
    assert "there is no task HT0" in fleet.run("policy", "explain", "HT0").stderr


def test_the_status_warns_of_stops_and_of_holidays_that_are_not_official_yet(fleet: CommandLine) -> None:
    assert fleet.read("status")["warnings"] == []
    waiting(fleet)
    fleet.run("stop", "--channel", "sms", "--reason", "话术有误", "--by", "王芳")
    Probe(fleet.house.database).write(
        "UPDATE steps SET due_at = '2150-01-01', due_clock = 'business' WHERE state = 'parked'"
    )
    stopped, horizon = fleet.read("status")["warnings"]
    assert stopped.startswith("contact by sms is stopped by operator: 话术有误")
    assert "plans reach 2150-01-01" in horizon
    assert "WARNING: plans reach 2150-01-01" in fleet.run("status").stdout


def test_planning_beyond_official_holidays_is_logged_once(fleet: CommandLine) -> None:
    context, task_id = fleet.house.context, waiting(fleet)
    order = fleet.house.order(task_id)
    with capture_logs() as lines:
        for _ in range(3):
            context.next_contact(order, datetime(2150, 1, 1, tzinfo=UTC), [])
    assert [line["log_level"] for line in lines] == ["warning"]
    assert "official holidays are known until" in lines[0]["event"]
