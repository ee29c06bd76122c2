"""The plan of faults and the orders of a run: drawn from the seed alone, with everything in them."""

import pytest

from bench.chaos.customers import CUSTOMERS, OrderEntry, draw_orders
from bench.chaos.faults.plan import KILLS, FaultKind, PlannedFault, draw_plan
from schemas.orders.intake import TaskCreated
from tools.channels.simulated.simulation import parse_entry

NAMES = ("api", "tick", "worker-contact", "worker-triage")
POOLS = ("worker-contact", "worker-triage")


def plan(seed: int = 7, *, seconds: float = 120.0, kills: int = 0) -> tuple[PlannedFault, ...]:
    return draw_plan(seed, seconds=seconds, kills=kills, processes=NAMES, pools=POOLS)


def test_the_same_seed_draws_the_same_plan_and_the_same_orders() -> None:
    assert plan() == plan()
    assert plan() != plan(8)
    assert draw_orders(7, number=50, seconds=60) == draw_orders(7, number=50, seconds=60)
    assert draw_orders(7, number=50, seconds=60) != draw_orders(8, number=50, seconds=60)


@pytest.mark.parametrize("kills", [0, 40])
def test_a_plan_kills_as_many_as_it_is_asked_to(kills: int) -> None:
    assert sum(fault.kind in KILLS for fault in plan(kills=kills)) >= kills


def test_a_plan_of_two_minutes_has_a_fault_of_every_kind() -> None:
    assert {fault.kind for fault in plan()} == set(FaultKind)


def test_faults_are_made_in_order_and_within_the_time() -> None:
    moments = [fault.at for fault in plan()]
    assert moments == sorted(moments)
    assert moments[0] > 0
    assert moments[-1] < 120


def test_orders_come_in_by_every_entry_point_from_every_customer() -> None:
    orders = draw_orders(1, number=300, seconds=60)
    assert {order.entry for order in orders} == set(OrderEntry)
    assert {order.customer.name for order in orders} == {customer.name for customer in CUSTOMERS}
    assert len({order.payload["order_id"] for order in orders}) == 300


def test_every_order_is_a_good_one_and_its_customer_can_be_simulated() -> None:
    for order in draw_orders(1, number=300, seconds=60):
        TaskCreated.model_validate(order.payload)
        for entry in order.payload["metadata"]["simulation"]:
            parse_entry(entry)
