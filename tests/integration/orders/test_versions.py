"""A version of an order is recorded once, without an index that says so."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from schemas.orders.effects import Move
from statemachine.orders.machine import IllegalTransition
from statemachine.orders.states import Event
from storage.orders.orders import Orders
from tests.support.factories import submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.waiting import wait_until

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
VERSIONS = "SELECT version FROM transitions ORDER BY version"


@pytest.fixture
def task_id(house: InProcessFleet) -> str:
    """An order whose customer is being called."""
    order = submission()
    house.accept(order)
    return order.body.task_id


def move(house: InProcessFleet, task_id: str, event: Event) -> dict[str, IllegalTransition]:
    with house.database.transaction() as work:
        return Orders(work).move([moved(task_id, event)])


def moved(task_id: str, event: Event) -> Move:
    return Move(task_id=task_id, event=event, agent_id="test", permitted=True, changes={})


def test_of_two_who_write_the_same_version_at_once_one_is_refused(
    house: InProcessFleet, task_id: str
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with house.database.transaction() as first:
            assert Orders(first).move([moved(task_id, Event.USER_NO_ANSWER)]) == {}
            other = pool.submit(move, house, task_id, Event.USER_NO_ANSWER)
            wait_until(
                lambda: Probe(house.database).value(WAITING) or other.done(), "the other waits for the order"
            )
            assert not other.done()
        assert isinstance(other.result()[task_id], IllegalTransition)
    assert Probe(house.database).values(VERSIONS) == [1, 2]


def test_two_who_move_an_order_at_once_write_two_versions_one_after_the_other(
    house: InProcessFleet, task_id: str
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with house.database.transaction() as first:
            assert Orders(first).move([moved(task_id, Event.USER_NO_ANSWER)]) == {}
            other = pool.submit(move, house, task_id, Event.CANCEL)
            wait_until(
                lambda: Probe(house.database).value(WAITING) or other.done(), "the other waits for the order"
            )
        assert other.result() == {}
    assert Probe(house.database).values(VERSIONS) == [1, 2, 3]


def test_a_version_that_the_order_did_not_take_is_not_recorded(house: InProcessFleet, task_id: str) -> None:
    probe = Probe(house.database)
    probe.write("CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    probe.write("CREATE TRIGGER kept BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION keep()")
    with pytest.raises(RuntimeError, match="while they were held"):
        move(house, task_id, Event.USER_NO_ANSWER)
    assert probe.values(VERSIONS) == [1]
