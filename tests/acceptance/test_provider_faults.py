"""A provider that does wrong, before it answers and when it reports: no customer is reached twice."""

from datetime import timedelta

import pytest

from tests.support.fleet.processes import LEASE_SECONDS
from tests.support.fleet.running_fleet import RunningFleet
from tests.support.fleet.scripted_orders import AGREES, CANCELS, WAITS_FOR_PARTS, orders
from tests.support.waiting import wait_until

_THREE_WAYS = (AGREES, CANCELS, WAITS_FOR_PARTS)
_PLACED = "SELECT count(*) FROM contact_logs WHERE status = 'sent' AND task_id = ANY(%s)"
_SCHEDULED = "SELECT due_at FROM steps WHERE subject_id = %s AND state = 'scheduled' AND tries = 1"
_CLAIMED = "SELECT started_at FROM steps WHERE subject_id = %s AND node = 'step3_contact' AND tries = 1"


def test_what_a_provider_does_wrong_before_it_answers_reaches_no_customer_twice(fleet: RunningFleet) -> None:
    faults = [
        "accept_then_drop",
        {"kind": "slow", "seconds": 2},
        {"kind": "status", "status": 429, "times": 2, "retry_after": 1},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503, "times": 2},
    ]
    batch = [order for fault in faults for order in orders(6, scripts=_THREE_WAYS, fault=fault)]
    fleet.accept(batch)
    fleet.carry_to_the_end(batch)


def test_what_a_provider_does_wrong_when_it_reports_changes_no_orders_end(fleet: RunningFleet) -> None:
    faults = [
        {"kind": "duplicate_callback", "times": 3},
        "callback_before_response",
        [
            "callback_before_response",
            {"kind": "slow", "seconds": 1},
            {"kind": "duplicate_callback", "times": 3},
        ],
        {"kind": "late_callback", "seconds": 2},
    ]
    batch = [order for fault in faults for order in orders(6, scripts=_THREE_WAYS, fault=fault)]
    fleet.accept(batch)
    fleet.carry_to_the_end(batch)


@pytest.mark.parametrize("fault", ["no_callback", "bad_signature"])
def test_a_result_that_is_never_reported_is_asked_for_at_its_deadline(
    fleet: RunningFleet, fault: str
) -> None:
    batch = orders(6, scripts=_THREE_WAYS, fault=fault)
    fleet.accept(batch)
    ours = [order.task_id for order in batch]
    wait_until(lambda: fleet.value(_PLACED, ours) == len(ours), "all calls are placed")
    fleet.let_pass(timedelta(minutes=10))
    fleet.carry_to_the_end(batch)


def test_a_retry_comes_when_it_is_due_and_not_before(fleet: RunningFleet) -> None:
    (order,) = orders(1, scripts=(AGREES,), fault={"kind": "status", "status": 503, "times": 1})
    fleet.accept([order])
    wait_until(lambda: fleet.values(_SCHEDULED, order.task_id), "the retry is scheduled", pause=0.005)
    (due,) = fleet.values(_SCHEDULED, order.task_id)
    fleet.carry_to_the_end([order])
    (claimed,) = fleet.values(_CLAIMED, order.task_id)
    assert due <= claimed < due + timedelta(seconds=LEASE_SECONDS)
