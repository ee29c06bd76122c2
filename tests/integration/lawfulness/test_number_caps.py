"""A number is contacted no more often than the caps allow, over all orders, whoever sends at the same time."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.engine.clock import BusinessClock
from tests.support.factories import READY, answered, silent
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.contact_constraints import (
    CAPS,
    accepted,
    bounded,
    contact_step,
    moments_of,
    most_within,
)

PHONE = "13800138000"
_numbers = count(1)


@pytest.fixture
def capped(database_url: str, tmp_path: Path) -> Iterator[InProcessFleet]:
    """Every hour is permitted, the caps hold."""
    house = InProcessFleet.build(database_url, config_folder=bounded(tmp_path, number_caps=CAPS))
    yield house
    house.close()


def fresh_number() -> str:
    return f"139{next(_numbers):08}"


def test_a_second_order_of_a_number_waits_its_minute_out(capped: InProcessFleet) -> None:
    first, second = accepted(capped, PHONE), accepted(capped, "+86 138 0013 8000")
    capped.run()
    states = sorted(capped.order(task_id).status for task_id in (first, second))
    assert states == ["closed", "contacting"]
    waiting = first if capped.order(first).status == "contacting" else second
    step = contact_step(capped, waiting)
    (at,) = moments_of(capped, PHONE)
    assert (step["state"], step["due_clock"]) == ("scheduled", "business")
    assert step["due_at"] == at + timedelta(seconds=60)
    assert step["error"]["why"][0]["code"] == "number_cap"
    capped.run_to_the_end()
    assert capped.order(waiting).status == "closed"


def test_orders_of_other_numbers_do_not_wait(capped: InProcessFleet) -> None:
    tasks = [accepted(capped, fresh_number()) for _ in range(10)]
    capped.run()
    assert {capped.order(task_id).status for task_id in tasks} == {"closed"}


def test_a_masked_number_is_nobodys(capped: InProcessFleet) -> None:
    tasks = [accepted(capped, "138****0000") for _ in range(3)]
    capped.run()
    assert {capped.order(task_id).status for task_id in tasks} == {"closed"}


def test_a_contact_that_came_to_nothing_does_not_count(capped: InProcessFleet) -> None:
    refused = accepted(capped, PHONE, answered(READY, result="no such result"))
    capped.run()
    assert moments_of(capped, PHONE) == []
    assert contact_step(capped, refused)["state"] == "failed"
    task_id = accepted(capped, PHONE)
    capped.run()
    assert capped.order(task_id).status == "closed"


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    arrivals=st.lists(
        st.tuples(
            st.lists(st.integers(0, 2), min_size=1, max_size=5),
            st.integers(0, 1800),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_no_span_holds_more_contacts_than_its_cap(
    capped: InProcessFleet, arrivals: list[tuple[list[int], int]]
) -> None:
    numbers = [fresh_number() for _ in range(3)]
    orders = 0
    for chosen, seconds in arrivals:
        for which in chosen:
            accepted(capped, numbers[which], silent(), silent("busy"), answered(READY))
            orders += 1
        capped.run()
        with capped.database.transaction() as work:
            BusinessClock(work).set(BusinessClock(work).now().business_now + timedelta(seconds=seconds))
        capped.run()
    capped.run_to_the_end(leaps=400)
    made = [moments_of(capped, number) for number in numbers]
    assert sum(map(len, made)) == orders * 3
    for moments in made:
        for cap in CAPS:
            assert most_within(moments, timedelta(seconds=cap["period_seconds"])) <= cap["limit"]


def test_processes_that_send_at_the_same_moment_keep_the_cap_together(
    database_url: str, tmp_path: Path
) -> None:
    config = bounded(tmp_path, number_caps=CAPS)
    houses = [InProcessFleet.build(database_url, config_folder=config) for _ in range(4)]
    numbers = [fresh_number() for _ in range(6)]
    for place, house in enumerate(houses):
        # Each in an order of its own: who waits for whom must not be able to form a circle.
        for number in numbers[place:] + numbers[:place]:
            accepted(house, number)
    start = threading.Barrier(len(houses))

    def send(house: InProcessFleet) -> None:
        start.wait()
        house.wire.deliver(house.execute)

    threads = [threading.Thread(target=send, args=(house,)) for house in houses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(180)
    assert [len(moments_of(houses[0], number)) for number in numbers] == [1] * len(numbers)
    for house in houses:
        house.close()
