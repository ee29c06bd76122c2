"""What upstream tells of an order wakes or ends what waits for it, once, and is never lost (SPEC.md §6)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.orders.signals import CancelledUpstream, PartArrived, PhoneChanged, PriorityChanged
from statemachine.orders.intents import Level2
from statemachine.orders.states import State
from storage.engine.clock import BusinessClock
from storage.orders.order_view import OrderView
from storage.people.reviews import Reviews
from tasks.orders.inbound.signals import ReceiptResult
from tasks.orders.people.deciding import Decision, decide
from tasks.orders.people.intervention import pause
from tasks.orders.people.worklist import worklist_page
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered, payload, silent
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import (
    HeldChannel,
    audit_of,
    everything_shown,
    order_run,
    receive_signal,
    reviews_of,
    taken_in,
    titles,
)
from tests.support.probe import Probe

UNCLEAR = "喂？听不清，你说什么"
MONDAY_TEN = datetime(2026, 3, 16, 2, 0, tzinfo=UTC)
"""A working Monday, 10:00 in Shanghai."""
NUMBER = "13912345678"


def show(house: InProcessFleet, moment: datetime) -> None:
    """Let the business clock show this moment."""
    with house.database.transaction() as work:
        BusinessClock(work).set(moment)


def test_a_part_that_arrived_brings_the_follow_up_forward(house: InProcessFleet) -> None:
    task_id = order_run(house, answered(PARTS_MISSING), answered(READY))
    agreed = house.order(task_id).next_contact_time
    receipt = receive_signal(house, task_id, PartArrived(part="压缩机"))
    earlier = house.order(task_id).next_contact_time
    assert (receipt.result, receipt.status) == (ReceiptResult.APPLIED, "waiting_followup")
    assert earlier is not None
    assert agreed is not None
    assert earlier < agreed - timedelta(days=1)
    house.run()
    order = house.order(task_id)
    assert (order.status, order.round, order.finish_reason) == (State.CLOSED, 2, "visit_arranged")
    assert audit_of(house, task_id) == [("part_arrived", "applied")]
    assert "配件已到, 提前联系客户" in titles(house, task_id)


def test_a_follow_up_is_brought_forward_to_a_permitted_time_only(database_url: str) -> None:
    house = InProcessFleet.build(database_url, contact_policy="standard")
    show(house, MONDAY_TEN)
    task_id = order_run(house, answered(PARTS_MISSING), answered(READY))
    receive_signal(house, task_id, PartArrived())
    order = house.order(task_id)
    assert order.next_contact_time is not None
    since = order.next_contact_time - MONDAY_TEN
    assert timedelta(hours=4) <= since < timedelta(hours=4, minutes=5)
    house.run()
    assert house.order(task_id).status is State.WAITING_FOLLOWUP
    show(house, order.next_contact_time)
    house.run()
    assert house.order(task_id).finish_reason == "visit_arranged"
    house.close()


def test_a_follow_up_is_never_put_off(database_url: str) -> None:
    house = InProcessFleet.build(database_url, contact_policy="standard")
    show(house, MONDAY_TEN)
    task_id = order_run(house, answered(UNCLEAR))
    with house.database.transaction() as work:
        (review,) = Reviews(work).list(task_id=task_id)
    evening = MONDAY_TEN + timedelta(hours=11)
    decision = Decision(
        decision="classify", decided_by="operator", intent_level2=Level2.PARTS_PENDING, followup_at=evening
    )
    decide(house.engine, house.context, review.review_id, decision)
    house.run()
    next_morning = house.order(task_id).next_contact_time
    assert next_morning == MONDAY_TEN + timedelta(hours=23)
    show(house, evening - timedelta(minutes=30))
    receipt = receive_signal(house, task_id, PartArrived())
    assert receipt.result is ReceiptResult.NOTED
    assert "the agreed time is no later" in receipt.effect
    assert house.order(task_id).next_contact_time == next_morning
    house.close()


@pytest.mark.parametrize(
    ("script", "state"),
    [(answered(UNCLEAR), "classified"), (answered(CANCEL), "classified"), (answered(READY), "closed")],
)
def test_a_part_that_arrived_is_only_noted_where_no_follow_up_waits(
    house: InProcessFleet, script: dict[str, object], state: str
) -> None:
    task_id = order_run(house, script)
    before = house.order(task_id)
    receipt = receive_signal(house, task_id, PartArrived())
    assert (receipt.result, receipt.status) == (ReceiptResult.NOTED, state)
    assert house.order(task_id) == before
    assert audit_of(house, task_id) == [("part_arrived", "noted")]


def test_a_priority_changes_the_place_in_line(house: InProcessFleet) -> None:
    house.wire.cut = True
    ids = [taken_in(house, priority=1) for _ in range(3)]
    receipt = receive_signal(house, ids[2], PriorityChanged(priority=10))
    assert receipt.result is ReceiptResult.APPLIED
    house.wire.cut = False
    house.tick.sweep()
    steps = {house.steps(task_id)[-1]["step_id"]: task_id for task_id in ids}
    order = [steps[key.step_id] for message in house.wire.messages for key in message.keys]
    assert order == [ids[2], ids[0], ids[1]]
    assert house.order(ids[2]).priority == 10
    assert audit_of(house, ids[2]) == [("priority_changed", "applied")]


def test_a_priority_holds_for_the_steps_that_follow(house: InProcessFleet) -> None:
    task_id = taken_in(house, answered(PARTS_MISSING), priority=3)
    receive_signal(house, task_id, PriorityChanged(priority=8))
    house.run()
    rows = Probe(house.database).values(
        "SELECT priority FROM steps WHERE state = 'scheduled' UNION SELECT priority FROM runs"
    )
    assert rows == [8]


def test_a_priority_changes_the_place_of_the_open_question(house: InProcessFleet) -> None:
    uncallable = {"phone": None}
    ids = [taken_in(house, priority=1, metadata=uncallable) for _ in range(2)]
    receive_signal(house, ids[1], PriorityChanged(priority=3))
    asked = worklist_page(house.database, house.context)
    assert [(row.task_id, row.priority) for row in asked.rows] == [(ids[1], 3), (ids[0], 1)]


def test_a_priority_leaves_the_place_of_an_answered_question(house: InProcessFleet) -> None:
    task_id = taken_in(house, priority=1, metadata={"phone": None})
    probe = Probe(house.database)
    probe.write("UPDATE reviews SET state = 'cancelled' WHERE task_id = %s", task_id)
    before = probe.value("SELECT rank_at FROM reviews")
    receive_signal(house, task_id, PriorityChanged(priority=9))
    assert probe.value("SELECT rank_at FROM reviews") == before


def test_the_priority_the_order_has_is_only_noted(house: InProcessFleet) -> None:
    task_id = taken_in(house, priority=4)
    assert receive_signal(house, task_id, PriorityChanged(priority=4)).result is ReceiptResult.NOTED


@pytest.mark.parametrize(
    "script",
    [answered(UNCLEAR), answered(CANCEL), answered(PARTS_MISSING), silent("no_answer")],
    ids=["in review", "in its undo window", "waiting for a follow-up", "contacted in vain"],
)
def test_an_order_cancelled_upstream_ends_whatever_it_waits_for(
    house: InProcessFleet, script: dict[str, object]
) -> None:
    task_id = taken_in(house, script)
    for _ in range(2):
        house.wire.deliver(house.execute)
    receipt = receive_signal(house, task_id, CancelledUpstream(reason="用户在App取消"))
    assert (receipt.result, receipt.status) == (ReceiptResult.APPLIED, "closed")
    before = house.events(task_id)
    house.run_to_the_end()
    assert house.events(task_id) == before
    assert before[-1] == "task.cancel"
    assert house.order(task_id).finish_reason == "cancelled"
    assert not [s for s in house.steps(task_id) if s["state"] not in ("done", "failed", "cancelled")]
    assert all(state != "open" for _, state in reviews_of(house, task_id))
    with house.database.transaction() as work:
        last = OrderView(work).transitions(task_id)[-1]
    assert last["agent_id"] == "operator"
    assert last["metadata"] == {"reason": "cancelled upstream: 用户在App取消"}
    assert audit_of(house, task_id) == [("order_cancelled", "applied")]


def test_a_paused_order_can_be_cancelled_upstream(house: InProcessFleet) -> None:
    task_id = taken_in(house)
    pause(house.engine, task_id, by="operator")
    assert receive_signal(house, task_id, CancelledUpstream()).result is ReceiptResult.APPLIED


def test_an_order_that_was_cancelled_is_not_cancelled_again(house: InProcessFleet) -> None:
    task_id = taken_in(house)
    receive_signal(house, task_id, CancelledUpstream())
    assert receive_signal(house, task_id, CancelledUpstream()).result is ReceiptResult.NOTED
    assert house.events(task_id).count("task.cancel") == 1


def test_a_closed_order_takes_no_change(house: InProcessFleet) -> None:
    task_id = order_run(house, answered(READY))
    before = everything_shown(house)
    for said in (PhoneChanged(phone=NUMBER), PriorityChanged(priority=9), CancelledUpstream()):
        assert receive_signal(house, task_id, said).result is ReceiptResult.REFUSED
    assert everything_shown(house) == before


def test_a_repeated_signal_is_answered_as_before_and_not_applied_again(house: InProcessFleet) -> None:
    task_id = order_run(house, answered(PARTS_MISSING), answered(PARTS_MISSING))
    first = receive_signal(house, task_id, PartArrived(part="A"), signal_id="wms-1")
    house.run()
    agreed = house.order(task_id).next_contact_time
    again = receive_signal(house, task_id, PartArrived(part="A"), signal_id="wms-1")
    assert (again.result, again.status, again.effect) == (ReceiptResult.REPEATED, first.status, first.effect)
    assert house.order(task_id).next_contact_time == agreed
    assert audit_of(house, task_id) == [("part_arrived", "applied")]


def test_another_signal_under_a_known_id_is_not_taken(house: InProcessFleet) -> None:
    task_id = order_run(house, answered(UNCLEAR))
    receive_signal(house, task_id, PriorityChanged(priority=9), signal_id="one")
    assert (
        receive_signal(house, task_id, PriorityChanged(priority=2), signal_id="one").result
        is ReceiptResult.OTHER_BODY
    )
    assert (
        receive_signal(house, task_id, CancelledUpstream(), signal_id="one").result
        is ReceiptResult.OTHER_BODY
    )
    assert house.order(task_id).priority == 9


def test_the_same_id_names_another_signal_of_another_order(house: InProcessFleet) -> None:
    ids = [order_run(house, answered(UNCLEAR)) for _ in range(2)]
    taken = [receive_signal(house, i, PriorityChanged(priority=9), signal_id="one").result for i in ids]
    assert taken == [ReceiptResult.APPLIED, ReceiptResult.APPLIED]


def test_nobody_knows_a_task_that_is_not_there_nor_an_order_by_its_run(house: InProcessFleet) -> None:
    task_id = order_run(house)
    assert receive_signal(house, "HT-nobody", PartArrived()).result is ReceiptResult.UNKNOWN
    assert receive_signal(house, house.order(task_id).run_id, PartArrived()).result is ReceiptResult.UNKNOWN


def test_an_order_that_is_cancelled_while_its_customer_is_called_stays_cancelled(database_url: str) -> None:
    told: list[ReceiptResult] = []

    class Meanwhile(HeldChannel):
        def send(self, request: Any) -> Any:
            told.append(receive_signal(house, request.task_id, CancelledUpstream()).result)
            return super().send(request)

    house = InProcessFleet.build(database_url, gateway=Meanwhile())
    body = payload()
    task_id = order_run(house, **body)
    assert told == [ReceiptResult.APPLIED]
    assert house.order(task_id).finish_reason == "cancelled"
    assert [s["state"] for s in house.steps(task_id)][-1] == "cancelled"
    house.close()
