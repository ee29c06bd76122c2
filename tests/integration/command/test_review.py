"""What `unpend review` shows, and what becomes of a decision."""

from datetime import datetime

import pytest

from statemachine.workflow.options.human import HumanRules
from statemachine.workflow.states import RunState
from storage.engine.definitions import Definitions
from storage.orders.order_view import OrderView
from storage.people.reviews import Reviews
from tests.support.command_line import CommandLine
from tests.support.engine.general_runs import begin, state_of
from tests.support.factories import answered, submission
from tests.support.probe import Probe
from tests.support.questions import ONE_QUESTION, asked_with

UNCLEAR = "嗯嗯那个什么来着"


def uncallable(fleet: CommandLine) -> str:
    """The task of an order that a person must look at before anything happens."""
    order = submission(metadata={"phone": None})
    fleet.house.accept(order)
    return order.body.task_id


def unclear(fleet: CommandLine) -> str:
    """The task of an order whose customer was not understood."""
    order = submission(answered(UNCLEAR))
    fleet.house.accept(order)
    fleet.house.run()
    return order.body.task_id


def review_of(fleet: CommandLine, task_id: str) -> str:
    with fleet.house.database.transaction() as work:
        return Reviews(work).list(task_id=task_id)[0].review_id


def test_open_reviews_are_listed_with_what_they_offer(fleet: CommandLine) -> None:
    task_id = uncallable(fleet)
    (found,) = fleet.read("review", "list")
    assert found["task_id"] == task_id
    assert found["decisions"] == ["retry", "classify", "recontact", "close"]
    assert "retry|classify|recontact|close" in fleet.run("review", "list").stdout


def test_open_reviews_are_listed_in_the_order_of_the_worklist_with_the_time_left(fleet: CommandLine) -> None:
    plain, overdue, flagged = (uncallable(fleet) for _ in range(3))
    probe = Probe(fleet.house.database)
    probe.write("UPDATE reviews SET deadline_at = NULL WHERE task_id = %s", plain)
    probe.write(
        "UPDATE reviews SET deadline_at = business_now() - interval '90.5 minutes' WHERE task_id = %s",
        overdue,
    )
    probe.write(
        "UPDATE reviews SET flagged = true, deadline_at = business_now() + interval '50.5 hours' WHERE task_id = %s",
        flagged,
    )
    assert [review["task_id"] for review in fleet.read("review", "list")] == [flagged, overdue, plain]
    shown = fleet.run("review", "list").stdout
    assert "2 d 2 h" in shown
    assert "overdue 1 h 30 min" in shown


def test_what_is_decided_is_listed_by_its_state(fleet: CommandLine) -> None:
    task_id = uncallable(fleet)
    fleet.run("review", "decide", task_id, "--decision", "close", "--reason", "x")
    assert fleet.read("review", "list") == []
    (found,) = fleet.read("review", "list", "--state", "decided")
    assert (found["task_id"], found["state"]) == (task_id, "decided")


def test_a_review_shows_what_the_customer_said(fleet: CommandLine) -> None:
    task_id = unclear(fleet)
    shown = fleet.run("review", "show", review_of(fleet, task_id)).stdout
    assert f"“{UNCLEAR}”" in shown
    assert "--intent 可上门" in shown


def test_who_looked_at_what_the_customer_said_is_on_record(fleet: CommandLine) -> None:
    task_id = unclear(fleet)
    review_id = review_of(fleet, task_id)
    assert fleet.read("review", "show", review_id, "--by", "王芳")["words"] == UNCLEAR
    with fleet.house.database.transaction() as work:
        lines = OrderView(work).audit_lines(task_id)
    (line,) = [line for line in lines if line["event_type"] == "personal_data_revealed"]
    assert (line["agent_id"], line["metadata"]["review_id"]) == ("operator", review_id)


def test_a_review_without_a_contact_shows_no_words_and_leaves_no_line(fleet: CommandLine) -> None:
    task_id = uncallable(fleet)
    assert fleet.read("review", "show", review_of(fleet, task_id))["words"] is None
    with fleet.house.database.transaction() as work:
        events = {line["event_type"] for line in OrderView(work).audit_lines(task_id)}
    assert "personal_data_revealed" not in events


def test_closing_ends_the_task_with_the_reason(fleet: CommandLine) -> None:
    task_id = uncallable(fleet)
    result = fleet.run(
        "review",
        "decide",
        review_of(fleet, task_id),
        "--decision",
        "close",
        "--reason",
        "无法联系",
        "--by",
        "王芳",
    )
    assert result.exit_code == 0
    assert fleet.house.order(task_id).finish_reason == "closed_by_person"
    assert "操作人 operator：“无法联系”" in fleet.run("why", task_id).stdout


MONDAYS = '{"cron": "0 10 * * 1", "until": {"signal": "part_arrived"}}'


@pytest.mark.parametrize(
    ("option", "value", "asked"),
    [("--followup-days", "9", "followup_days"), ("--followup-rule", MONDAYS, "followup_rule")],
)
def test_a_person_may_postpone_by_days_or_by_a_rule(
    fleet: CommandLine, option: str, value: str, asked: str
) -> None:
    task_id = unclear(fleet)
    wish = ("--decision", "classify", "--intent", "配件未到", option, value)
    result = fleet.run("review", "decide", task_id, *wish)
    assert result.exit_code == 0, result.stderr
    fleet.house.run()
    assert fleet.house.order(task_id).status == "waiting_followup"
    with fleet.house.database.transaction() as work:
        (review,) = Reviews(work).list(state=None, task_id=task_id)
    assert review.decision is not None
    assert review.decision[asked]


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (("classify", "--intent", "不再需要", "--followup-days", "3"), "an intent that postpones"),
        (("recontact", "--followup-rule", MONDAYS), "an intent that postpones"),
        (("classify", "--intent", "配件未到", "--visit-at", "2031-03-16T10:00"), "an intent that resumes"),
        (
            ("classify", "--intent", "配件未到", "--followup-days", "3", "--followup-rule", MONDAYS),
            "only one of",
        ),
        (
            ("classify", "--intent", "配件未到", "--followup-rule", "{}"),
            "--followup-rule cannot be used: cron",
        ),
        (("classify", "--intent", "配件未到", "--followup-rule", "mondays"), "cannot be used: Invalid JSON"),
    ],
)
def test_a_time_that_does_not_fit_is_refused_and_the_review_stays_open(
    fleet: CommandLine, wish: tuple[str, ...], told: str
) -> None:
    task_id = unclear(fleet)
    result = fleet.run("review", "decide", task_id, "--decision", *wish)
    assert result.exit_code == 2
    assert told in result.stderr
    assert [review["state"] for review in fleet.read("review", "list")] == ["open"]


def test_a_review_can_be_named_by_its_task(fleet: CommandLine) -> None:
    task_id = uncallable(fleet)
    assert fleet.run("review", "decide", task_id, "--decision", "close", "--reason", "x").exit_code == 0


def test_classifying_lets_the_task_go_on(fleet: CommandLine) -> None:
    task_id = unclear(fleet)
    result = fleet.run(
        "review",
        "decide",
        task_id,
        "--decision",
        "classify",
        "--intent",
        "可上门",
        "--visit-at",
        "2030-01-02T09:00",
    )
    assert result.exit_code == 0, result.stderr
    fleet.house.run_to_the_end()
    assert fleet.house.order(task_id).finish_reason == "visit_arranged"


def test_a_moment_without_an_offset_is_the_customers(fleet: CommandLine) -> None:
    task_id = unclear(fleet)
    fleet.run(
        "review", "decide", task_id, "--decision", "classify", "--intent", "客户不便",
        "--followup-at", "2030-01-02T10:00",
    )  # fmt: skip
    fleet.house.run()
    assert fleet.house.order(task_id).next_contact_time == datetime.fromisoformat("2030-01-02T10:00+08:00")


def test_the_same_decision_again_changes_nothing(fleet: CommandLine) -> None:
    review_id = review_of(fleet, uncallable(fleet))
    fleet.run("review", "decide", review_id, "--decision", "close", "--reason", "x")
    again = fleet.run("review", "decide", review_id, "--decision", "close", "--reason", "x")
    assert again.exit_code == 0
    assert "was decided so before" in again.stdout


def test_another_decision_afterwards_is_refused(fleet: CommandLine) -> None:
    review_id = review_of(fleet, uncallable(fleet))
    fleet.run("review", "decide", review_id, "--decision", "close", "--reason", "x")
    again = fleet.run("review", "decide", review_id, "--decision", "retry")
    assert again.exit_code == 1
    assert "was decided otherwise (close, by operator)" in again.stderr


def test_a_decision_that_is_not_offered_is_answered_with_those_that_are(fleet: CommandLine) -> None:
    task_id = unclear(fleet)
    result = fleet.run("review", "decide", task_id, "--decision", "retry")
    assert result.exit_code == 2
    assert "does not offer 'retry'; it offers classify, recontact, close" in result.stderr


def test_a_decision_that_the_state_does_not_allow_is_explained_and_the_review_stays(
    fleet: CommandLine,
) -> None:
    task_id = uncallable(fleet)
    result = fleet.run("review", "decide", task_id, "--decision", "recontact")
    assert result.exit_code == 1
    assert "an order that is 'pending' cannot take 'review.recontact'" in result.stderr
    assert "from 'pending' it can be: close" in result.stderr
    assert review_of(fleet, task_id)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--decision", "close"], "closing needs --reason"),
        (["--decision", "classify"], "classify needs --intent; there are 可上门, "),
        (["--decision", "classify", "--intent", "需人工"], "leads to no action; there are 可上门, "),
        (["--decision", "close", "--reason", "x", "--intent", "可上门"], "belongs to --decision classify"),
        (
            ["--decision", "classify", "--intent", "可上门", "--visit-at", "tomorrow"],
            "--visit-at is not a moment",
        ),
    ],
)
def test_options_that_do_not_fit_are_told_in_one_line(
    fleet: CommandLine, options: list[str], told: str
) -> None:
    result = fleet.run("review", "decide", uncallable(fleet), *options)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_task_without_an_open_review_is_told_apart_from_an_unknown_one(fleet: CommandLine) -> None:
    order = submission()
    fleet.house.accept(order)
    result = fleet.run("review", "show", order.body.task_id)
    assert f"task {order.body.task_id} has no open review" in result.stderr
    assert "there is no review REV0" in fleet.run("review", "show", "REV0").stderr


def test_a_question_of_general_work_is_answered_with_its_form(fleet: CommandLine) -> None:
    with fleet.house.database.transaction() as work:
        Definitions(work).register("one_question", "1.0", ONE_QUESTION)
    (run_id,) = begin(fleet.house, "one_question")
    form = {"type": "object", "properties": {"amount": {"type": "integer"}}, "required": ["amount"]}
    review = asked_with(fleet.house, run_id, HumanRules(form=form))
    decide = ("review", "decide", review.review_id, "--decision", "yes")
    lacking, broken = fleet.run(*decide), fleet.run(*decide, "--form", "{")
    assert (lacking.exit_code, broken.exit_code) == (1, 2)
    assert "form.amount" in lacking.stderr
    assert "--form is not JSON" in broken.stderr
    assert "is decided: yes" in fleet.run(*decide, "--form", '{"amount": 3}').stdout
    assert state_of(fleet.house, run_id) is RunState.COMPLETED


def test_a_review_is_shown_in_the_language_that_is_named(
    fleet: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    review_id = review_of(fleet, uncallable(fleet))
    chinese, english = "没有可用的联系方式", "there is no way to contact the customer"
    assert chinese in fleet.run("review", "show", review_id).stdout
    assert english in fleet.run("review", "show", review_id, "--lang", "en").stdout
    assert english in fleet.run("review", "list", "--lang", "en").stdout
    monkeypatch.setenv("UNPEND_LANGUAGE", "en")
    assert english in fleet.run("review", "show", review_id).stdout
    assert chinese in fleet.run("review", "show", review_id, "--lang", "zh").stdout
