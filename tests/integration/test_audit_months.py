"""A month of the audit log is dropped, and what stays is checked as before."""

from datetime import date, timedelta
from typing import Final

import pytest

from storage.access.seals import Seals
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.orders.tables import AUDIT_LOGS
from tasks.orders.upkeep.audit_file import checked
from tasks.orders.upkeep.history import keep_months
from tasks.orders.upkeep.retention import retain
from tasks.orders.upkeep.sealing import seal
from tests.support.audit_trail import LONG, change, check, export, note
from tests.support.factories import READY, answered, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.months import months_of, move_rows, this_month
from tests.support.probe import Probe
from tools.policies.retention import DataKind

TABLE: Final = "audit_logs"
KEPT: Final = {DataKind.AUDIT: timedelta(days=365)}
POSITIONS: Final = "SELECT position FROM audit_logs ORDER BY position"


@pytest.fixture
def trail(house: InProcessFleet) -> Database:
    """Two orders that came to their end: the lines of two past months and of this one, in seals of five rows.

    The months end within a seal, and a line of the first one came late, among those of the second.
    """
    for _ in range(2):
        house.accept(submission(answered(READY)))
    house.run_to_the_end(1)
    database = house.database
    positions = Probe(database).values(POSITIONS)
    third = len(positions) // 3
    first, second = past(database)
    late = positions[third + 2]
    move_rows(
        database, TABLE, second, where=f"position BETWEEN {positions[third]} AND {positions[2 * third]}"
    )
    move_rows(database, TABLE, first, where=f"position < {positions[third]} OR position = {late}")
    keep_months(database)
    note(database, "between")
    seal_in_parts(database)
    assert check(database).fault is None
    return database


def past(database: Database) -> tuple[date, date]:
    """The two months, of which the first one alone is due when lines are kept for a year."""
    return this_month(database, later=-14), this_month(database, later=-12)


def seal_in_parts(database: Database) -> None:
    newest = Probe(database).values(POSITIONS)[-1]
    rows = 1
    while rows:
        with database.transaction() as work:
            rows = Seals(work).seal(AUDIT_LOGS, up_to=newest, most=5)
    seal(database, seconds=LONG)


def drop(database: Database, kept: timedelta = KEPT[DataKind.AUDIT]) -> int:
    gone = retain(database, {DataKind.AUDIT: kept})[DataKind.AUDIT]
    seal(database, seconds=LONG)
    return gone


def test_after_a_month_was_dropped_the_rest_agrees_and_is_told_how_much_went(trail: Database) -> None:
    before, rows = check(trail), len(Probe(trail).values(POSITIONS))
    gone = drop(trail)
    found = check(trail, before.head)
    assert 1 < gone == rows - len(Probe(trail).values(POSITIONS))
    assert (found.fault, found.removed) == (None, gone)
    assert found.head is not None
    assert found.removed_up_to is not None
    assert 1 < found.removed_up_to < found.head.seal_id
    with trail.looks() as work:
        (line,) = SystemAudit(work).recent(what="history_dropped")
    assert line.detail["rows"] == gone


def test_an_export_is_checked_in_the_same_way(trail: Database) -> None:
    gone = drop(trail)
    found, unsealed = checked(export(trail), None)
    assert (found.fault, found.removed, unsealed) == (None, gone, 0)


def test_months_that_end_within_the_same_seal_are_dropped_one_after_the_other(trail: Database) -> None:
    gone = drop(trail)
    # Another month has passed.
    gone += drop(trail, timedelta(days=300))
    assert months_of(trail, TABLE)[0] == this_month(trail)
    found = check(trail)
    assert (found.fault, found.removed) == (None, gone)


LEFT: Final = "(SELECT min(position) FROM audit_logs)"
SPOILED: Final = {
    "a line that shares its seal with the month is changed": (
        f"UPDATE audit_logs SET agent_id = 'other' WHERE position = {LEFT}",
        "are gone",
    ),
    "a line that shares its seal with the month goes, too": (
        f"DELETE FROM audit_logs WHERE position = {LEFT}",
        "are gone",
    ),
    "a line of another seal goes, too": (
        "DELETE FROM audit_logs WHERE position = (SELECT max(position) FROM audit_logs)",
        "are gone",
    ),
    "a line of another seal is changed": (
        "UPDATE audit_logs SET agent_id = 'other' WHERE position = (SELECT max(position) FROM audit_logs)",
        "was changed",
    ),
    "the entry of the month goes": (
        "DELETE FROM system_audit WHERE what = 'history_dropped'",
        "are gone",
    ),
    "the entry of the month says that less was left": (
        "UPDATE system_audit SET detail = jsonb_set(detail, '{left}', '{}') WHERE what = 'history_dropped'",
        "was changed",
    ),
}


@pytest.mark.parametrize(("statement", "what"), SPOILED.values(), ids=SPOILED)
def test_what_is_done_to_the_rest_is_found(trail: Database, statement: str, what: str) -> None:
    drop(trail)
    change(trail, statement)
    fault = check(trail).fault
    assert fault is not None
    assert what in fault.what


def test_an_entry_that_somebody_writes_who_removes_nothing_neither_hides_nor_spoils_anything(
    trail: Database,
) -> None:
    gone = drop(trail)
    with trail.transaction() as work:
        SystemAudit(work).write(
            "me", "history_dropped", {"table": "audit_logs", "seals": [1, 99], "left": {}}
        )
        SystemAudit(work).write("me", "history_dropped", {"table": 1, "seals": "all", "left": None})
    found = check(trail)
    assert (found.fault, found.removed) == (None, gone)
    change(trail, f"UPDATE audit_logs SET agent_id = 'other' WHERE position = {LEFT}")
    assert check(trail).fault is not None


def test_lines_that_were_removed_without_their_month_are_missed(trail: Database) -> None:
    first, _ = past(trail)
    Probe(trail).write(f"DROP TABLE audit_logs_{first:%Y_%m}")
    fault = check(trail).fault
    assert fault is not None
    assert "are gone" in fault.what


def test_a_month_with_a_line_that_no_seal_covers_is_kept_until_it_is_sealed(trail: Database) -> None:
    first, _ = past(trail)
    change(
        trail,
        "INSERT INTO audit_logs (log_id, task_id, event_type, agent_id) SELECT left(log_id, 14) || repeat('f', 15), "
        "task_id, 'contact_result', 'audit_agent' FROM audit_logs ORDER BY log_id LIMIT 1",
    )
    assert retain(trail, KEPT) == {DataKind.AUDIT: 0}
    assert first in months_of(trail, TABLE)
    seal(trail, seconds=LONG)
    assert drop(trail)
    assert first not in months_of(trail, TABLE)
    assert check(trail).fault is None


def test_a_month_is_kept_where_what_shares_its_seals_was_changed(trail: Database) -> None:
    first, second = past(trail)
    change(
        trail,
        "UPDATE audit_logs SET agent_id = 'other' WHERE position = (SELECT min(position) FROM "
        f"audit_logs_{second:%Y_%m})",
    )
    assert drop(trail) == 0
    assert first in months_of(trail, TABLE)
