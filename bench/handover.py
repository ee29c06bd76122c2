"""The hand-over at light load: from one step's end to the start of the step it led to."""

from bench.fleet import MeasuredFleet
from bench.throughput import workflows
from storage.orders.fleet_view import FleetView


def handovers(fleet: MeasuredFleet, *, orders: int) -> list[float]:
    """Return the seconds between steps of orders sent one at a time; the first few warm up the fleet."""
    warm_up = max(orders // 10, 3)
    for _ in range(warm_up):
        workflows(fleet, 1)
    with fleet.process.database.transaction() as work:
        mark = FleetView(work).last_step_id()
    for _ in range(orders):
        workflows(fleet, 1)
    with fleet.process.database.transaction() as work:
        return FleetView(work).handovers_since(mark)
