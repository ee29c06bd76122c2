"""What `unpend alert` shows, and what becomes of an alert."""

from typing import Any

import pytest

from schemas.people.effects import AlertRaised
from storage.people.alerts import Alerts
from tests.support.command_line import CommandLine


def raised(fleet: CommandLine, **about: Any) -> str:
    """An alert; its id."""
    given: dict[str, Any] = {"alert_type": "low_confidence", "severity": "warning", "message": "意图不明确"}
    with fleet.house.database.transaction() as work:
        (alert_id,) = Alerts(work).raise_all([AlertRaised(**(given | about))])
    return alert_id


def listed(fleet: CommandLine, *options: str) -> list[str]:
    return [alert["alert_id"] for alert in fleet.read("alert", "list", *options)]


def test_alerts_are_listed_the_newest_first(fleet: CommandLine) -> None:
    first, second = raised(fleet), raised(fleet)
    assert listed(fleet) == [second, first]
    shown = fleet.run("alert", "list").stdout
    assert "意图不明确" in shown
    assert shown.index(second) < shown.index(first)


@pytest.mark.parametrize(
    "options",
    [
        ("--type", "call_failed"),
        ("--severity", "critical"),
        ("--task", "HT9"),
        ("--escalated-to", "duty_manager"),
        ("--limit", "1"),
    ],
)
def test_a_list_holds_what_was_asked_for(fleet: CommandLine, options: tuple[str, ...]) -> None:
    raised(fleet)
    other = raised(
        fleet, alert_type="call_failed", severity="critical", task_id="HT9", escalated_to="duty_manager"
    )
    assert listed(fleet, *options) == [other]


def test_when_there_is_nothing_to_look_at_it_says_so(fleet: CommandLine) -> None:
    assert "there are no such alerts" in fleet.run("alert", "list").stdout


def test_a_phone_number_in_an_alert_is_masked(fleet: CommandLine) -> None:
    raised(fleet, message="号码 13800138000 是空号")
    shown = fleet.run("alert", "list").stdout + fleet.run("alert", "list", "--json").stdout
    assert "13800138000" not in shown
    assert "138****8000" in shown


def test_an_acknowledged_alert_is_no_longer_among_those_nobody_has_seen(fleet: CommandLine) -> None:
    alert_id = raised(fleet)
    result = fleet.run("alert", "acknowledge", alert_id, "--by", "王芳", "--note", "看过")
    assert (result.exit_code, result.stdout) == (0, f"alert {alert_id} is acknowledged by operator\n")
    assert listed(fleet) == []
    (found,) = fleet.read("alert", "list", "--status", "acknowledged")
    assert (found["handled_by"], found["note"]) == ("operator", "看过")


def test_a_resolved_alert_stays_resolved(fleet: CommandLine) -> None:
    alert_id = raised(fleet)
    assert fleet.run("alert", "resolve", alert_id, "--by", "王芳").exit_code == 0
    again = fleet.run("alert", "resolve", alert_id, "--by", "李雷")
    assert (again.exit_code, again.stdout) == (0, f"alert {alert_id} was before resolved by operator\n")
    late = fleet.run("alert", "acknowledge", alert_id, "--by", "李雷")
    assert late.exit_code == 1
    assert "was resolved by operator, which is final" in late.stderr
    assert listed(fleet, "--status", "all") == [alert_id]


def test_an_unknown_alert_is_told_in_one_line(fleet: CommandLine) -> None:
    result = fleet.run("alert", "resolve", "ALT404")
    assert result.exit_code == 1
    assert "there is no alert ALT404" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("options", [("--note", ""), ("--note", "x" * 501), ("--by", " ")])
def test_options_that_cannot_be_kept_are_refused_and_the_alert_stays(
    fleet: CommandLine, options: tuple[str, ...]
) -> None:
    alert_id = raised(fleet)
    assert fleet.run("alert", "resolve", alert_id, *options).exit_code == 2
    assert listed(fleet) == [alert_id]
