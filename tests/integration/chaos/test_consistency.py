"""Every rule that rows must keep is broken by hand once, and found; orders that were carried on keep all of them."""

import pytest

from storage.orders.consistency.violations import Consistency, Violation, rules
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered, silent, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe

_CLOSED = "(SELECT task_id FROM tasks WHERE status = 'closed' ORDER BY task_id LIMIT 1)"
_OPEN = "(SELECT task_id FROM tasks WHERE status <> 'closed' ORDER BY task_id LIMIT 1)"
_RUN = "(SELECT run_id FROM tasks WHERE task_id = {})"

BROKEN: dict[str, tuple[str, ...]] = {
    "an open order has a next step": (
        f"UPDATE steps SET state = 'cancelled' WHERE run_id = {_RUN.format(_OPEN)} AND state = 'parked'",
    ),
    "a closed order has ended": (f"UPDATE runs SET state = 'running' WHERE run_id = {_RUN.format(_CLOSED)}",),
    "an order has one run": (
        (
            "INSERT INTO runs (run_id, workflow, version, subject_id, state, open_steps) "
            f"SELECT 'twice', workflow, version, subject_id, state, 0 FROM runs WHERE run_id = {_RUN.format(_CLOSED)}"
        ),
    ),
    "an order id has one open order": (
        "DROP INDEX uq_tasks_open_order",
        "UPDATE tasks SET order_id = 'SAME', status = 'pending', finished_at = NULL WHERE true",
    ),
    "transitions form one legal path": (
        f"DELETE FROM transitions WHERE version = 2 AND task_id = {_CLOSED}",
    ),
    "an order is where its transitions lead": (
        f"UPDATE tasks SET status = 'contacting', finished_at = NULL WHERE task_id = {_CLOSED}",
    ),
    "attempts are within their limit": (f"UPDATE tasks SET max_contacts = 0 WHERE task_id = {_CLOSED}",),
    "a closed order's contacts are concluded": (
        f"UPDATE contact_logs SET status = 'sending' WHERE task_id = {_CLOSED}",
    ),
    "a step is recorded once": (
        (
            "INSERT INTO steps (run_id, subject_id, node, kind, state, caused_by) "
            "SELECT run_id, subject_id, node, kind, state, caused_by FROM steps "
            f"WHERE run_id = {_RUN.format(_CLOSED)} AND caused_by IS NOT NULL LIMIT 1"
        ),
    ),
    "an action has its effect once": (f"DELETE FROM engineer_notices WHERE task_id = {_CLOSED}",),
    "an effect has its action": ("UPDATE cancellations SET action_id = 'ACTnone' WHERE true",),
    "the audit log is complete": (
        f"DELETE FROM audit_logs WHERE event_type = 'contact_result' AND task_id = {_CLOSED}",
    ),
    "a contact's lines are in order": (
        (
            "INSERT INTO audit_logs (log_id, task_id, event_type, agent_id, metadata) "
            "SELECT 'LOGlate', task_id, 'contact_initiated', agent_id, metadata FROM audit_logs "
            f"WHERE event_type = 'contact_result' AND task_id = {_CLOSED} LIMIT 1"
        ),
    ),
    "an alert is raised once": (
        (
            "INSERT INTO alerts (alert_id, alert_type, task_id, severity, message, escalated_to) "
            f"SELECT each, 'twice', {_CLOSED}, 'warning', 'x', 'operator' FROM unnest(ARRAY['A1', 'A2']) AS each"
        ),
    ),
    "no row is left behind": (
        (
            f"UPDATE steps SET state = 'published', published_at = now() WHERE run_id = {_RUN.format(_OPEN)} "
            "AND state = 'parked'"
        ),
    ),
    "no lease is left behind": (
        "INSERT INTO leases (lease_id, holder, queue, expires_at) VALUES ('L', 'x@y:1', 'contact', now())",
    ),
}


@pytest.fixture
def carried(house: InProcessFleet) -> InProcessFleet:
    """Orders of every end: agreed, agreed late, cancelled, never reached, and one that a person must answer."""
    house.accept(
        submission(answered(READY)),
        submission(silent("busy"), answered(PARTS_MISSING), answered(READY)),
        submission(answered(CANCEL)),
        submission(silent()),
        submission(answered("喂？听不清，你说什么")),
    )
    house.run_to_the_end()
    return house


def found(house: InProcessFleet) -> list[Violation]:
    with house.database.transaction() as work:
        return Consistency(work).violations()


def test_orders_that_were_carried_on_break_no_rule(carried: InProcessFleet) -> None:
    assert found(carried) == []


@pytest.mark.parametrize("rule", BROKEN)
def test_rows_that_break_a_rule_are_found(carried: InProcessFleet, rule: str) -> None:
    for statement in BROKEN[rule]:
        Probe(carried.database).write(statement)
    assert rule in {violation.rule for violation in found(carried)}


def test_every_rule_was_broken_once() -> None:
    assert set(BROKEN) == set(rules())


def test_an_order_that_never_came_in_and_one_that_is_kept_as_rejected_are_found(
    house: InProcessFleet,
) -> None:
    order = submission(answered(READY))
    house.accept(order)
    with house.database.transaction() as work:
        assert Consistency(work).missing([order.body.task_id, "HTnone"]) == ["HTnone"]
        assert Consistency(work).rejected([order.body.task_id]) == []
    other = submission(answered(READY), task_id="HTsame", order_id=order.body.order_id)
    house.accept(other)
    with house.database.transaction() as work:
        assert Consistency(work).rejected(["HTsame"]) == ["HTsame"]
