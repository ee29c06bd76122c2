"""An order's ways from `task.created` to its end, with the real classifier, policy and tables."""

from datetime import timedelta
from typing import Any

import pytest

from statemachine.orders.intents import Level2
from statemachine.orders.machine import IllegalTransition
from statemachine.orders.states import State
from statemachine.workflow.states import RunState
from storage.engine.clock import BusinessClock
from storage.orders.contacts.contacts import Contacts
from storage.orders.order_view import OrderView
from storage.people.rejects import Rejects
from storage.people.reviews import Reviews
from tasks.forms import Acceptance
from tasks.orders.people.deciding import Decision, decide
from tasks.people.answers import Decided
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered, payload, silent, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe

UNCLEAR = "喂？听不清，你说什么"


def rows(house: InProcessFleet, table: str, task_id: str) -> int:
    """How many rows a built-in table of the order system holds for an order."""
    result = Probe(house.database).value(f"SELECT count(*) FROM {table} WHERE task_id = %s", task_id)
    return int(result)


def open_review(house: InProcessFleet, task_id: str) -> str:
    """The id of an order's open review."""
    with house.database.transaction() as work:
        (review,) = Reviews(work).list(task_id=task_id)
    return review.review_id


def test_a_customer_who_agrees_gets_an_appointment(house: InProcessFleet) -> None:
    order = submission(answered(READY))
    house.accept(order)
    house.run()
    task_id = order.body.task_id
    assert house.events(task_id) == [
        "task.start",
        "user.responded",
        "triage.complete",
        "action.execute",
        "intent=继续",
    ]
    assert house.order(task_id).finish_reason == "visit_arranged"
    assert (rows(house, "appointments", task_id), rows(house, "engineer_notices", task_id)) == (1, 1)


def test_accepting_begins_the_first_contact_at_once(house: InProcessFleet) -> None:
    (received,) = house.accept(submission())
    assert received.result is Acceptance.ACCEPTED
    assert received.order is not None
    assert (received.order.status, received.order.contact_count) == (State.CONTACTING, 1)


def test_a_customer_who_waits_for_parts_is_contacted_again_at_the_agreed_time(house: InProcessFleet) -> None:
    order = submission(answered(PARTS_MISSING), answered(READY))
    house.accept(order)
    house.run()
    waiting = house.order(order.body.task_id)
    assert waiting.status is State.WAITING_FOLLOWUP
    assert waiting.next_contact_time is not None
    house.run_to_the_end()
    done = house.order(order.body.task_id)
    assert (done.status, done.round, done.finish_reason) == (State.CLOSED, 2, "visit_arranged")
    assert rows(house, "followups", order.body.task_id) == 1


def test_four_attempts_in_vain_end_the_order(house: InProcessFleet) -> None:
    order = submission(silent("no_answer"))
    house.accept(order)
    house.run_to_the_end()
    done = house.order(order.body.task_id)
    assert (done.status, done.finish_reason, done.contacts_total) == (State.CLOSED, "contact_failed", 4)
    with house.database.transaction() as work:
        contacts = Contacts(work).of_task(order.body.task_id)
    assert [contact.contact_method for contact in contacts] == ["phone", "phone", "sms", "im"]


def test_a_cancellation_waits_out_its_undo_window(house: InProcessFleet) -> None:
    order = submission(answered(CANCEL))
    house.accept(order)
    house.run()
    assert house.order(order.body.task_id).status is State.CLASSIFIED
    assert rows(house, "cancellations", order.body.task_id) == 0
    house.leap()
    house.run()
    assert house.order(order.body.task_id).finish_reason == "cancelled_by_customer"
    assert rows(house, "cancellations", order.body.task_id) == 1


def test_an_unclear_answer_goes_to_a_person_who_classifies_it(house: InProcessFleet) -> None:
    order = submission(answered(UNCLEAR))
    house.accept(order)
    house.run()
    review_id = open_review(house, order.body.task_id)
    decision = Decision(
        decision="classify", decided_by="operator", intent_level2=Level2.READY_TO_VISIT, reason="听录音"
    )
    assert decide(house.engine, house.context, review_id, decision)[0] is Decided.APPLIED
    assert decide(house.engine, house.context, review_id, decision)[0] is Decided.REPEATED
    house.run()
    assert house.order(order.body.task_id).finish_reason == "visit_arranged"


def test_a_person_may_close_an_order_with_a_reason_and_not_without(house: InProcessFleet) -> None:
    order = submission(answered(UNCLEAR))
    house.accept(order)
    house.run()
    review_id = open_review(house, order.body.task_id)
    with pytest.raises(IllegalTransition):
        decide(house.engine, house.context, review_id, Decision(decision="close", decided_by="operator"))
    assert open_review(house, order.body.task_id) == review_id
    decide(
        house.engine,
        house.context,
        review_id,
        Decision(decision="close", decided_by="operator", reason="重复"),
    )
    assert house.order(order.body.task_id).finish_reason == "closed_by_person"


def test_a_person_may_have_the_customer_contacted_again(house: InProcessFleet) -> None:
    order = submission(answered(UNCLEAR), answered(READY))
    house.accept(order)
    house.run()
    decide(
        house.engine,
        house.context,
        open_review(house, order.body.task_id),
        Decision(decision="recontact", decided_by="operator", reason="没听清"),
    )
    house.run_to_the_end()
    done = house.order(order.body.task_id)
    assert (done.finish_reason, done.contacts_total, done.round) == ("visit_arranged", 2, 1)


def test_rounds_end_in_a_review_and_not_in_an_endless_loop(house: InProcessFleet) -> None:
    order = submission(answered(PARTS_MISSING))
    house.accept(order)
    house.run_to_the_end()
    assert house.order(order.body.task_id).round == house.context.policy.max_rounds
    with house.database.transaction() as work:
        (review,) = Reviews(work).list(task_id=order.body.task_id)
    assert review.reason == "rounds_exhausted"


@pytest.mark.parametrize("when", [{"followup_at": timedelta(days=200)}, {"followup_days": 30}, {}])
def test_a_person_who_postpones_after_the_last_round_opens_one_more(
    house: InProcessFleet, when: dict[str, Any]
) -> None:
    order = submission(answered(PARTS_MISSING))
    house.accept(order)
    house.run_to_the_end()
    task_id, last = order.body.task_id, house.context.policy.max_rounds
    with house.database.transaction() as work:
        now = BusinessClock(work).now().business_now
    if "followup_at" in when:
        when = {"followup_at": now + when["followup_at"]}
    decision = Decision(
        decision="classify", decided_by="王芳", intent_level2=Level2.CUSTOMER_UNAVAILABLE, **when
    )
    decide(house.engine, house.context, open_review(house, task_id), decision)
    house.run()
    waiting = house.order(task_id)
    assert waiting.status is State.WAITING_FOLLOWUP
    assert waiting.next_contact_time == when.get("followup_at", waiting.next_contact_time)
    house.run_to_the_end()
    done = house.order(task_id)
    assert (done.round, done.contacts_total) == (last + 1, last + 1)
    with house.database.transaction() as work:
        reviews = Reviews(work).list(state=None, task_id=task_id)
    assert [review.reason for review in reviews] == ["rounds_exhausted"] * 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"contact_count": 4}, "no_attempts_left"), ({"metadata": {"phone": None}}, "not_callable")],
)
def test_an_order_that_cannot_be_contacted_becomes_a_review_at_once(
    house: InProcessFleet, changes: dict[str, object], reason: str
) -> None:
    order = submission(**changes)
    house.accept(order)
    assert house.order(order.body.task_id).status is State.PENDING
    with house.database.transaction() as work:
        (review,) = Reviews(work).list(task_id=order.body.task_id)
    assert review.reason == reason


def test_the_same_order_sent_twice_is_worked_once(house: InProcessFleet) -> None:
    order = submission()
    assert house.accept(order, order)[1].result is Acceptance.EXISTING
    assert house.accept(order)[0].result is Acceptance.EXISTING
    house.run()
    assert house.order(order.body.task_id).contacts_total == 1


def test_the_same_task_id_with_another_body_is_refused_and_kept(house: InProcessFleet) -> None:
    body = payload()
    first = submission(**{k: v for k, v in body.items() if k != "metadata"})
    second = submission(**{k: v for k, v in body.items() if k != "metadata"} | {"priority": 9})
    house.accept(first)
    (refused,) = house.accept(second)
    assert refused.result is Acceptance.OTHER_BODY
    with house.database.transaction() as work:
        (kept,) = Rejects(work).recent()
    assert kept.task_id == body["task_id"]


def test_an_order_has_one_open_task(house: InProcessFleet) -> None:
    house.accept(submission(order_id="SO-same"))
    (refused,) = house.accept(submission(order_id="SO-same"))
    assert refused.result is Acceptance.SUBJECT_BUSY
    (problem,) = refused.problems
    assert "HT" in problem.message


def test_a_cancelled_order_closes_with_the_reason(house: InProcessFleet) -> None:
    order = submission()
    house.accept(order)
    run_id = house.order(order.body.task_id).run_id
    with house.engine.transaction() as transaction:
        transaction.end([run_id], RunState.CANCELLED, agent_id="operator", reason="客户已在别处报修")
    house.run()
    done = house.order(order.body.task_id)
    assert (done.status, done.finish_reason, done.contacts_total) == (State.CLOSED, "cancelled", 1)
    assert house.events(order.body.task_id) == ["task.start", "task.cancel"]


def test_every_state_change_has_its_line_in_the_audit_log(house: InProcessFleet) -> None:
    order = submission(silent(), answered(PARTS_MISSING), answered(READY))
    house.accept(order)
    house.run_to_the_end()
    with house.database.transaction() as work:
        kinds = [line["event_type"] for line in OrderView(work).audit_lines(order.body.task_id)]
    assert kinds == [
        "task_received",
        "task_validated",
        "contact_result",
        "contact_retry",
        "contact_result",
        "intent_classified",
        "action_executed",
        "followup_reached",
        "contact_result",
        "intent_classified",
        "action_executed",
        "action_executed",
        "task_completed",
    ]


def test_a_phone_number_is_stored_encrypted_and_shown_masked(house: InProcessFleet) -> None:
    order = submission(metadata={"phone": "13800138123"})
    house.accept(order)
    row = Probe(house.database).value("SELECT tasks::text FROM tasks")
    assert "13800138123" not in row
    assert "138****8123" in row
    assert house.order(order.body.task_id).phone == "+8613800138123"
