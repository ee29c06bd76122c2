"""A step that leads a manual order to what was called for is shared as what it is, by whoever needs it."""

from collections.abc import Callable
from typing import Any

import pytest

from schemas.orders.contact import Channel
from schemas.orders.effects import OrderNoted
from statemachine.orders.states import Event, State
from storage.orders.contacts.contacts import Contacts
from storage.orders.dispatches import Dispatches
from storage.orders.order_view import OrderView
from tasks.orders.calls.call import Call
from tasks.orders.calls.calling import AlreadyDone, Begun, NotTaken, UnderWay
from tasks.orders.calls.calling import begin as begin_call
from tasks.orders.calls.contact import ACTION, ContactCall
from tasks.orders.calls.table import call_of_tool
from tasks.orders.calls.transition import call_for
from tests.support.factories import PARTS_MISSING, answered, silent
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import taken_in

EARLIER = "2026-03-16T10:00:00Z"


def contact(task_id: str, attempt: int | None = None) -> Call[ContactCall]:
    """A phone call to the customer."""
    return Call(
        task_id=task_id,
        action=ACTION,
        action_type="contact_user",
        agent_id="contact_agent",
        wanted=ContactCall(channel=Channel.PHONE, script="pending_task_v1", attempt=attempt),
    )


def begin(house: InProcessFleet, call: Call[Any]) -> Begun | None:
    """Begin this call over the house's engine."""
    return begin_call(house.engine, house.context, call)


def transition(house: InProcessFleet, task_id: str, event: Event) -> Call[Any]:
    """This event, as the orchestrator calls for it."""
    call = call_for(house.order(task_id), event, "orchestrator", {}, house.context.blind_index)
    assert isinstance(call, Call)
    return call


def done(house: InProcessFleet, call: Call[Any]) -> None:
    """Have a call's step done."""
    assert isinstance(begin(house, call), UnderWay)
    house.run()


def in_vain(house: InProcessFleet) -> str:
    """A manual order whose first attempt reached nobody."""
    task_id = taken_in(house, silent(), mode="manual")
    done(house, contact(task_id))
    return task_id


def due(house: InProcessFleet) -> str:
    """A manual order whose follow-up is due."""
    task_id = taken_in(house, answered(PARTS_MISSING), mode="manual")
    done(house, contact(task_id))
    for tool, given in (("classify_intent", {}), ("schedule_followup", {"followup_date": EARLIER})):
        done(house, call_of_tool(tool, task_id=task_id, agent_id="orchestrator", parameters=given))
    return task_id


Ways = pytest.mark.parametrize(
    ("arrived", "event", "attempt"),
    [(in_vain, Event.CONTACT_RETRY, 2), (due, Event.FOLLOWUP_TIME_REACHED, 1)],
)


@Ways
def test_who_calls_for_the_contact_and_who_calls_for_the_way_to_it_share_the_step(
    house: InProcessFleet, arrived: Callable[[InProcessFleet], str], event: Event, attempt: int
) -> None:
    task_id = arrived(house)
    way = transition(house, task_id, event)
    begun = [begin(house, call) for call in (contact(task_id, attempt), way)]
    assert all(isinstance(each, UnderWay) for each in begun)
    led, itself = (each for each in begun if isinstance(each, UnderWay))
    assert (led.step_id, led.dispatch_id) == (itself.step_id, itself.dispatch_id)
    assert itself.next_call is None
    assert led.next_call is not None


@Ways
def test_a_step_on_the_way_is_taken_with_nothing_of_the_call_that_it_leads_to(
    house: InProcessFleet, arrived: Callable[[InProcessFleet], str], event: Event, attempt: int
) -> None:
    task_id = arrived(house)
    led = begin(house, contact(task_id, attempt))
    assert isinstance(led, UnderWay)
    with house.database.transaction() as work:
        kept = Dispatches(work).find(led.dispatch_id)
        assert OrderView(work).step_result(led.step_id).input["call"] == {}
    assert kept is not None
    assert kept.given == {}
    assert kept.target_agent == "orchestrator"


@Ways
def test_a_call_that_was_led_on_is_for_that_attempt_and_no_later_one(
    house: InProcessFleet, arrived: Callable[[InProcessFleet], str], event: Event, attempt: int
) -> None:
    task_id = arrived(house)
    led = [begin(house, contact(task_id)) for _ in range(2)]
    house.run()
    first, second = (each.next_call for each in led if isinstance(each, UnderWay))
    assert first is not None
    assert second is not None
    assert house.events(task_id)[-1] == event
    done(house, first)
    again = begin(house, second)
    assert isinstance(again, AlreadyDone)
    with house.database.transaction() as work:
        assert [each.contact_no for each in Contacts(work).of_task(task_id)] == [1, attempt]


def test_a_paused_order_is_led_nowhere(house: InProcessFleet) -> None:
    task_id = in_vain(house)
    with house.engine.transaction() as transaction:
        transaction.pause([house.order(task_id).run_id])
    refused = begin(house, contact(task_id, 2))
    assert isinstance(refused, NotTaken)
    assert "paused" in refused.why
    assert house.order(task_id).status is State.NO_RESPONSE


def test_before_the_follow_up_is_due_its_rounds_contact_is_answered_and_nothing_led_on(
    house: InProcessFleet,
) -> None:
    task_id = due(house)
    with house.engine.transaction() as transaction:
        later = transaction.moments.business_now.replace(year=2099)
        noted = OrderNoted(task_id=task_id, changes={"next_contact_time": later})
        assert not transaction.registry.writers.apply(transaction.work, [(0, noted)])
    for attempt in (None, 1):
        assert isinstance(begin(house, contact(task_id, attempt)), AlreadyDone)
