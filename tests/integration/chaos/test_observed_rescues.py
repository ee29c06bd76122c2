"""Rescues are written down as they happen, with the holder from whom a step was taken; nothing else is."""

from engine.limits import Limits
from runtime.ids import Prefix, new_id
from storage.orders.consistency.rescues import ObservedRescue, RescueLog
from tests.support.factories import submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe


def observed(house: InProcessFleet) -> list[ObservedRescue]:
    with house.database.transaction() as work:
        return RescueLog(work).all()


def claimed(house: InProcessFleet) -> tuple[str, str]:
    """An order whose contact a worker has claimed, under a lease of this id."""
    with house.database.transaction() as work:
        RescueLog(work).install()
    order = submission()
    house.accept(order)
    message = house.wire.messages.popleft()
    lease_id = new_id(Prefix.LEASE)
    batch = house.engine.claim(house.engine.registry.get(message.action), message.keys, lease_id)
    assert batch is not None
    house.engine._keeper.let_go(lease_id)
    return order.body.task_id, lease_id


def test_a_step_that_is_rescued_is_written_down_with_its_holder(house: InProcessFleet) -> None:
    task_id, _ = claimed(house)
    Probe(house.database).write("UPDATE leases SET expires_at = now() - interval '1 second' WHERE true")
    house.tick.sweep()
    (rescue,) = observed(house)
    assert (rescue.subject_id, rescue.queue, rescue.holder) == (task_id, "contact", "test")
    assert rescue.expires_at is not None
    assert rescue.expires_at < rescue.rescued_at


def test_a_step_that_its_own_worker_gives_back_is_no_rescue(house: InProcessFleet) -> None:
    _, lease_id = claimed(house)
    with house.database.transaction() as work:
        from storage.engine.queues import Queues

        work.connection.exec_driver_sql('UPDATE steps SET error = \'{"code": "crashed"}\'')
        assert Queues(work).release_crashed(lease_id, '{"code": "crashed"}', Limits().most_crashes) == 1
    assert observed(house) == [], "not even where it ends in the same exception again"
