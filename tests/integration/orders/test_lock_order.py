"""Who needs the same rows locks them in one order: a run, its steps, then numbers; so there is no deadlock."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.transaction import Transaction
from runtime.ids import Prefix, new_id
from storage.engine.runs import Runs
from storage.engine.steps import Steps
from storage.orders.contacts.constraints import ContactConstraints
from tests.support.factories import submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.contact_constraints import CAPS, bounded
from tests.support.orders.scripted_channel import ScriptedChannel, called
from tests.support.probe import Probe
from tests.support.waiting import wait_until


@pytest.fixture
def provider() -> ScriptedChannel:
    return ScriptedChannel()


@pytest.fixture
def house(database_url: str, provider: ScriptedChannel, tmp_path: Path) -> Iterator[InProcessFleet]:
    built = InProcessFleet.build(
        database_url, gateway=provider, config_folder=bounded(tmp_path, number_caps=CAPS)
    )
    yield built
    built.close()


def meet(
    house: InProcessFleet,
    first: Callable[[Transaction], object],
    other: Callable[[], object],
    then: Callable[[Transaction], object],
) -> None:
    """Let `other` wait for what `first` locked; `then` must not wait for what `other` has locked meanwhile."""
    with ThreadPoolExecutor(1) as pool, house.engine.transaction() as transaction:
        first(transaction)
        begun = pool.submit(other)
        wait_until(lambda: waits(house) or begun.done(), "the other waits for what the first locked")
        assert not begun.done(), "they do not need the same rows: this test shows nothing"
        then(transaction)
    begun.result()


def waits(house: InProcessFleet) -> bool:
    return bool(Probe(house.database).value("SELECT count(*) FROM pg_locks WHERE NOT granted"))


def test_a_tick_that_ends_a_wait_and_a_pause_of_its_run(
    house: InProcessFleet, provider: ScriptedChannel
) -> None:
    task_id, _ = called(house, provider)
    run_id = house.order(task_id).run_id
    parked = Probe(house.database).values(
        "SELECT step_id FROM steps WHERE run_id = %s AND state = 'parked'", run_id
    )

    def tick() -> None:
        with house.engine.transaction() as transaction:
            transaction.end_waits(parked)

    meet(
        house,
        lambda transaction: Runs(transaction.work).lock([run_id]),
        tick,
        lambda transaction: Steps(transaction.work).hold([run_id], held=True),
    )


def test_a_worker_that_is_about_to_send_and_a_customer_who_asks_not_to_be_contacted(
    house: InProcessFleet, provider: ScriptedChannel
) -> None:
    order = submission()
    house.accept(order)
    (message,) = house.wire.messages
    action = house.engine.registry.get(message.action)
    batch = house.engine.claim(action, message.keys, new_id(Prefix.LEASE))
    assert batch is not None
    number = house.order(order.body.task_id).phone_index
    assert number is not None
    meet(
        house,
        lambda transaction: Steps(transaction.work).lock([step.step_id for step in batch.steps]),
        lambda: house.engine.work(action, batch),
        lambda transaction: ContactConstraints(transaction.work).hold_numbers([number]),
    )
    assert len(provider.reached) == 1
