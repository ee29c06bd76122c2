"""What `unpend events` and `unpend schedules` do and show."""

from tests.support.command_line import CommandLine
from tests.support.engine.triggered_runs import activate, given_to, triggered

REPORT = [{"id": "report", "agent": "audit", "action": "generate_report"}]


def test_an_event_is_sent_once_and_the_runs_it_began_are_shown(fleet: CommandLine) -> None:
    activate(fleet.house, triggered("first", "paid", steps=REPORT))
    sent = ("events", "send", "paid", "--payload", '{"order": "O1"}', "--id", "E1")
    taken = fleet.read(*sent)
    assert (len(taken["runs"]), taken["repeated"]) == (1, False)
    assert fleet.run(*sent).stdout == f"event paid was here before; it began {taken['runs'][0]}\n"
    assert given_to(fleet.house, "first") == [{"order": "O1"}]
    assert fleet.run("events", "send", "sent").stdout == "event sent has come; it began no run\n"


def test_a_payload_that_is_no_json_is_refused_before_anything_is_sent(fleet: CommandLine) -> None:
    refused = fleet.run("events", "send", "paid", "--payload", "{order")
    assert refused.exit_code == 2
    assert "--payload is no JSON" in refused.stderr


def test_schedules_are_listed_with_their_next_time(fleet: CommandLine) -> None:
    assert "no active workflow" in fleet.run("schedules", "list").stdout
    line = {"schedule": {"cron": "30 6 * * *", "timezone": "Asia/Shanghai"}}
    activate(fleet.house, triggered("nightly", line, steps=REPORT))
    shown = fleet.run("schedules", "list").stdout
    assert "nightly@1.0" in shown
    assert "30 6 * * *" in shown
    (found,) = fleet.read("schedules", "list")
    assert found["next_due"].endswith("T22:30:00.000Z")
