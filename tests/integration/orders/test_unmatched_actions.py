"""What another order system did while its order ended: kept, a person alerted, and taken back when they ask for it."""

from collections.abc import Iterator
from typing import Any

import pytest

from engine.actions import Batch
from runtime.ids import Prefix, new_id
from statemachine.orders.states import State
from tasks.orders.people.intervention import cancel
from tasks.orders.people.taking_back import TakeBackResult, take_back_action
from tests.support.factories import READY, answered
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.order_system import OrderSystemServer, Reply
from tests.support.orders.signals import taken_in
from tests.support.probe import Probe

BUSY = Reply(status=503, performs=False)


@pytest.fixture
def desk() -> Iterator[OrderSystemServer]:
    with OrderSystemServer() as opened:
        yield opened


@pytest.fixture
def away(database_url: str, desk: OrderSystemServer) -> Iterator[InProcessFleet]:
    """A house whose orders live in another system."""
    house = InProcessFleet.build(database_url, order_system_url=desk.url, order_system_secret=desk.secret)
    yield house
    house.context.order_system.close()
    house.close()


def claim_action(house: InProcessFleet, *, before: int = 0) -> tuple[str, Batch]:
    """An order whose visit is to be booked now, and the batch in which a worker has claimed it."""
    task_id = taken_in(house, answered(READY))
    while True:
        message = house.wire.messages.popleft()
        if message.action == "action.execute_action":
            action = house.engine.registry.get(message.action)
            batch = house.engine.claim(action, message.keys, new_id(Prefix.LEASE))
            assert batch is not None
            return task_id, batch
        house.execute(message)


def work(house: InProcessFleet, batch: Batch) -> Any:
    return house.engine.work(house.engine.registry.get(batch.action), batch)


def actions(house: InProcessFleet, task_id: str) -> dict[str, str]:
    found = Probe(house.database).rows("SELECT action_type, status FROM actions WHERE task_id = %s", task_id)
    return {row.action_type: row.status for row in found}


def alerts(house: InProcessFleet, task_id: str) -> list[dict[str, Any]]:
    """What alerts of unmatched actions tell."""
    found = Probe(house.database).rows(
        "SELECT metadata FROM alerts WHERE task_id = %s AND alert_type = 'action_unmatched' ORDER BY alert_id",
        task_id,
    )
    return [row.metadata for row in found]


def test_a_visit_that_was_booked_while_the_cancel_landed_is_kept_and_a_person_is_alerted(
    away: InProcessFleet, desk: OrderSystemServer
) -> None:
    task_id, batch = claim_action(away)
    outcomes = work(away, batch)
    cancel(away.engine, task_id, by="operator", reason="the customer moved")
    away.engine.record(batch, outcomes)
    assert [kind for _, kind in desk.performed] == ["update_appointment", "notify_engineer"]
    assert actions(away, task_id) == {"update_appointment": "unmatched", "notify_engineer": "unmatched"}
    assert {alert["action_type"] for alert in alerts(away, task_id)} == {
        "update_appointment",
        "notify_engineer",
    }
    away.engine.record(batch, outcomes)
    assert len(alerts(away, task_id)) == 2, "recorded twice, told once"


def test_what_was_done_before_the_rest_failed_is_not_forgotten_by_a_cancel(
    away: InProcessFleet, desk: OrderSystemServer
) -> None:
    desk.lay_out("notify_engineer", BUSY)
    task_id, batch = claim_action(away)
    away.engine.record(batch, work(away, batch))
    assert actions(away, task_id) == {"update_appointment": "performed"}
    cancel(away.engine, task_id, by="operator", reason="the customer moved")
    assert actions(away, task_id) == {"update_appointment": "unmatched"}
    (alert,) = alerts(away, task_id)
    assert (alert["action_type"], alert["offer"]) == ("update_appointment", "take_back")


def test_what_was_done_before_the_rest_failed_is_taken_note_of_once_all_is_done(
    away: InProcessFleet, desk: OrderSystemServer
) -> None:
    desk.lay_out("notify_engineer", BUSY)
    task_id, batch = claim_action(away)
    away.engine.record(batch, work(away, batch))
    Probe(away.database).write(
        "UPDATE steps SET due_at = due_at - interval '1 hour' WHERE state = 'scheduled'"
    )
    away.run()
    assert away.order(task_id).status is State.CLOSED
    assert actions(away, task_id) == {"update_appointment": "executed", "notify_engineer": "executed"}
    booked = Probe(away.database).value("SELECT count(*) FROM appointments JOIN actions USING (action_id)")
    assert (booked, alerts(away, task_id)) == (1, [])


def test_a_zombies_visit_is_taken_note_of_by_who_has_the_step_now(
    away: InProcessFleet, desk: OrderSystemServer
) -> None:
    task_id, batch = claim_action(away)
    outcomes = work(away, batch)
    Probe(away.database).write("UPDATE leases SET expires_at = clock_timestamp() - interval '1 second'")
    away.tick.sweep()
    away.engine.record(batch, outcomes)
    assert set(actions(away, task_id).values()) == {"performed"}
    away.run()
    assert set(actions(away, task_id).values()) == {"executed"}
    assert [kind for _, kind in desk.performed] == ["update_appointment", "notify_engineer"]
    assert alerts(away, task_id) == []


def unmatched(house: InProcessFleet, desk: OrderSystemServer) -> tuple[str, str, str]:
    """A visit that stands in the order system while its order was cancelled: task, action and the action's key."""
    desk.lay_out("notify_engineer", BUSY)
    task_id, batch = claim_action(house)
    house.engine.record(batch, work(house, batch))
    cancel(house.engine, task_id, by="operator", reason="the customer moved")
    row = Probe(house.database).row("SELECT action_id, key FROM actions WHERE task_id = %s", task_id)
    return task_id, row.action_id, row.key


def test_the_order_system_takes_an_action_back_once_whoever_asks_again(
    away: InProcessFleet, desk: OrderSystemServer
) -> None:
    task_id, action_id, key = unmatched(away, desk)
    results = [
        take_back_action(away.context, task_id, action_id, by="operator", reason="cancelled")[0]
        for _ in range(2)
    ]
    assert results == [TakeBackResult.DONE, TakeBackResult.REPEATED]
    (asked,) = desk.of("take_back")
    assert asked.data["parameters"] == {"action_type": "update_appointment", "key": key}
    assert actions(away, task_id) == {"update_appointment": "taken_back"}
    line = Probe(away.database).row(
        "SELECT agent_id, action FROM audit_logs WHERE event_type = 'action_taken_back'"
    )
    assert tuple(line) == ("operator", "update_appointment")


@pytest.mark.parametrize(
    ("reply", "result"),
    [
        (
            Reply(status=409, body={"error": {"message": "the engineer is on the way"}}),
            TakeBackResult.REFUSED,
        ),
        (BUSY, TakeBackResult.NOT_ANSWERED),
        (Reply(status=500), TakeBackResult.NOT_ANSWERED),
    ],
)
def test_an_action_that_is_not_taken_back_stays_as_it_is(
    away: InProcessFleet, desk: OrderSystemServer, reply: Reply, result: TakeBackResult
) -> None:
    task_id, action_id, _ = unmatched(away, desk)
    desk.lay_out("take_back", reply)
    assert take_back_action(away.context, task_id, action_id, by="operator", reason="cancelled")[0] is result
    assert actions(away, task_id) == {"update_appointment": "unmatched"}


def test_an_action_that_its_order_took_note_of_is_not_taken_back(
    away: InProcessFleet, desk: OrderSystemServer
) -> None:
    task_id, batch = claim_action(away)
    away.engine.record(batch, work(away, batch))
    action_id = Probe(away.database).values("SELECT action_id FROM actions WHERE task_id = %s", task_id)[0]
    taken_back = take_back_action(away.context, task_id, action_id, by="operator", reason="cancelled")
    assert taken_back[0] is TakeBackResult.NOT_UNMATCHED
    assert desk.of("take_back") == []
