"""What a holder knows of its lease: renewed while it is held, and not trusted for longer than it can be sure."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event

from engine.leasing.lease import LeaseKeeper
from storage.core.database import Database
from tests.support.engine.general_runs import ScriptedActions, begin
from tests.support.in_process_fleet import InProcessFleet
from tests.support.waiting import wait_until

LENGTH = 12.0


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keeper(database: Database, clock: Clock) -> Iterator[LeaseKeeper]:
    made = LeaseKeeper(database, LENGTH, clock=clock)
    yield made
    made.close()


def test_a_holder_that_slept_for_longer_than_its_lease_does_not_trust_it(
    keeper: LeaseKeeper, clock: Clock
) -> None:
    lost = keeper.hold("LEASE1", claimed_at=clock.now)
    assert not lost()
    clock.now += LENGTH * 5 / 6
    assert not lost()
    clock.now += 0.1
    assert lost()


def test_a_renewed_lease_is_trusted_again(database: Database, clock: Clock) -> None:
    with database.transaction() as work:
        work.connection.exec_driver_sql(
            "INSERT INTO leases (lease_id, holder, queue, expires_at) "
            "VALUES ('LEASE1', 'test', 'audit', clock_timestamp() + interval '1 hour')"
        )
    keeper = LeaseKeeper(database, 0.03, clock=clock)
    lost = keeper.hold("LEASE1", claimed_at=clock.now)
    clock.now += 100
    wait_until(lambda: not lost(), "it is renewed")
    keeper.close()


def test_a_lease_is_not_looked_for_before_its_claim_is_committed(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    begin(house, "parallel_branches")
    message, keeper = house.wire.messages.popleft(), house.engine._keeper
    held: list[bool] = []
    event.listen(house.database._engine, "commit", lambda _: held.append("LEASE1" in keeper._held))
    action = house.engine.registry.get(message.action)
    assert house.engine.claim(action, message.keys, "LEASE1") is not None
    assert (held, "LEASE1" in keeper._held) == ([False], True)
