"""What `unpend task` shows and does."""

import pytest

from storage.orders.order_view import OrderView
from tests.support.command_line import CommandLine
from tests.support.factories import READY, answered, silent, submission


def accepted(fleet: CommandLine) -> str:
    order = submission()
    fleet.house.accept(order)
    return order.body.task_id


def test_a_task_shows_its_history_in_business_time(fleet: CommandLine) -> None:
    order = submission(silent(), answered())
    fleet.house.accept(order)
    fleet.house.run_to_the_end()
    shown = fleet.run("task", "show", order.body.task_id).stdout
    places = [
        shown.index(text)
        for text in (
            "pending → contacting",
            "phone: no answer",
            "no_response → contacting",
            "phone: answered",
        )
    ]
    assert places == sorted(places)
    assert "action_taken → closed" in shown
    assert "visit_arranged" in shown


def test_the_document_of_a_task_holds_everything(fleet: CommandLine) -> None:
    task_id = accepted(fleet)
    fleet.house.run_to_the_end()
    found = fleet.read("task", "show", task_id)
    assert found["order"]["status"] == "closed"
    assert [row["to_state"] for row in found["transitions"]][-1] == "closed"
    assert found["contacts"][0]["result"] == "answered"
    assert {step["state"] for step in found["steps"]} == {"done"}
    assert found["audit"]


def test_what_the_customer_said_is_shown_when_asked_for_and_who_looked_is_on_record(
    fleet: CommandLine,
) -> None:
    task_id = accepted(fleet)
    fleet.house.run_to_the_end()
    assert READY not in fleet.run("task", "show", task_id).stdout
    assert READY in fleet.run("task", "show", task_id, "--words", "--by", "王五").stdout
    looks = [line for line in fleet.read("task", "show", task_id)["audit"] if line["action"] == "show"]
    assert [(line["event_type"], line["agent_id"]) for line in looks] == [("personal_data_revealed", "admin")]


def test_nothing_is_put_on_record_of_an_order_that_there_is_not(fleet: CommandLine) -> None:
    assert fleet.run("task", "show", "HT-nobody", "--words").exit_code == 1


def test_an_open_review_is_shown_with_its_task(fleet: CommandLine) -> None:
    order = submission(metadata={"phone": None})
    fleet.house.accept(order)
    shown = fleet.run("task", "show", order.body.task_id).stdout
    assert "open review REV" in shown
    assert "no phone" in shown


def test_the_list_can_be_narrowed_to_a_state(fleet: CommandLine) -> None:
    task_id = accepted(fleet)
    fleet.house.run_to_the_end()
    waiting = accepted(fleet)
    assert [row["task_id"] for row in fleet.read("task", "list", "--state", "closed")] == [task_id]
    assert waiting in fleet.run("task", "list").stdout


def test_a_state_that_does_not_exist_is_answered_with_those_that_do(fleet: CommandLine) -> None:
    result = fleet.run("task", "list", "--state", "lost")
    assert result.exit_code == 2
    assert "waiting_followup" in result.stderr


def test_a_cancelled_task_is_closed_with_who_and_why(fleet: CommandLine) -> None:
    task_id = accepted(fleet)
    result = fleet.run("task", "cancel", task_id, "--reason", "客户来电取消", "--by", "王芳")
    assert result.exit_code == 0
    assert fleet.house.order(task_id).finish_reason == "cancelled"
    assert "操作人 operator：“客户来电取消”" in fleet.run("why", task_id).stdout


def test_a_task_is_cancelled_once(fleet: CommandLine) -> None:
    task_id = accepted(fleet)
    fleet.run("task", "cancel", task_id, "--reason", "x")
    again = fleet.run("task", "cancel", task_id, "--reason", "x")
    assert (again.exit_code, again.stdout) == (0, f"task {task_id} was cancelled before\n")


def test_a_task_that_has_ended_is_not_cancelled(fleet: CommandLine) -> None:
    task_id = accepted(fleet)
    fleet.house.run_to_the_end()
    result = fleet.run("task", "cancel", task_id, "--reason", "x")
    assert result.exit_code == 1
    assert "is closed already (visit_arranged)" in result.stderr


def test_a_held_task_begins_when_it_is_started(fleet: CommandLine) -> None:
    order = submission(hold=True)
    fleet.house.accept(order)
    task_id = order.body.task_id
    assert "contacting" in fleet.run("task", "start", task_id, "--by", "王芳").stdout
    (move,) = fleet.read("task", "show", task_id)["transitions"]
    assert (move["event"], move["agent_id"]) == ("task.start", "operator")


def test_a_paused_task_goes_on_when_it_is_resumed(fleet: CommandLine) -> None:
    task_id = accepted(fleet)
    assert fleet.run("task", "pause", task_id).exit_code == 0
    fleet.house.run_to_the_end()
    assert fleet.house.order(task_id).status == "contacting"
    assert fleet.run("task", "resume", task_id).exit_code == 0
    fleet.house.run_to_the_end()
    assert fleet.house.order(task_id).status == "closed"


def test_pausing_and_resuming_leave_audit_lines_with_who_did_it(fleet: CommandLine) -> None:
    task_id = accepted(fleet)
    fleet.run("task", "pause", task_id, "--by", "王芳")
    fleet.run("task", "resume", task_id, "--by", "李雷")
    with fleet.house.database.transaction() as work:
        lines = [(row["event_type"], row["agent_id"]) for row in OrderView(work).audit_lines(task_id)]
    assert lines[-2:] == [("task_paused", "operator"), ("task_resumed", "operator")]


@pytest.mark.parametrize(
    ("verb", "first", "answer"),
    [("pause", "pause", "was paused before"), ("resume", None, "was not paused")],
)
def test_what_is_so_already_is_said_and_nothing_is_written(
    fleet: CommandLine, verb: str, first: str | None, answer: str
) -> None:
    task_id = accepted(fleet)
    if first:
        fleet.run("task", first, task_id)
    with fleet.house.database.transaction() as work:
        before = len(OrderView(work).audit_lines(task_id))
    result = fleet.run("task", verb, task_id)
    with fleet.house.database.transaction() as work:
        assert len(OrderView(work).audit_lines(task_id)) == before
    assert (result.exit_code, result.stdout) == (0, f"task {task_id} {answer}\n")


@pytest.mark.parametrize("verb", [("cancel", "--reason", "x"), ("pause",), ("resume",), ("show",)])
def test_a_task_that_is_not_there_is_said_in_one_line(fleet: CommandLine, verb: tuple[str, ...]) -> None:
    result = fleet.run("task", verb[0], "HT0", *verb[1:])
    assert result.exit_code == 1
    assert result.stderr == "unpend: there is no task HT0; `unpend task list` shows the newest\n"


def test_a_name_that_history_cannot_hold_is_refused(fleet: CommandLine) -> None:
    result = fleet.run("task", "pause", accepted(fleet), "--by", "x" * 33)
    assert result.exit_code == 2
    assert "--by must have 1 to 32 characters" in result.stderr
