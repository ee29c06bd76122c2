import pytest
from tests.acceptance.fleet import RunningFleet
from tests.acceptance.script import orders
pytestmark = pytest.mark.xdist_group("fleet")

def test_orders_end(fleet: RunningFleet) -> None:
    batch = orders(50, pause=0.5)
    fleet.accept(batch)
    fleet.carry_to_the_end(batch)
