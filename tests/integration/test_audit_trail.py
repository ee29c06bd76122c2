"""The audit trail: rows carry digests, seals make one chain, and whatever was done to either is found."""

import json
import subprocess
from datetime import timedelta
from threading import Thread
from typing import Final

import pytest

from storage.access.seals import Seals
from storage.access.system_audit import SystemAudit
from storage.access.tables import SYSTEM_AUDIT
from storage.core.database import Database
from tasks.orders.upkeep.audit_file import UnreadableExport, checked
from tasks.orders.upkeep.audit_trail import export as lines_of_export
from tasks.orders.upkeep.erasure import Customer, erase
from tasks.orders.upkeep.retention import retain
from tasks.orders.upkeep.sealing import seal, unsealed_rows
from tests.support.audit_trail import LONG, change, check, export, note, roll_back
from tests.support.factories import PARTS_MISSING, READY, answered, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.servers import Servers
from tools.policies.retention import DataKind


@pytest.fixture
def sealed(house: InProcessFleet) -> InProcessFleet:
    """A fleet whose orders came to their end, with the trail sealed in several seals."""
    for nth, words in enumerate((READY, PARTS_MISSING)):
        house.accept(submission(answered(words), metadata={"customer_id": f"CUST{nth}"}))
        house.run()
        note(house.database, f"a {nth}", f"b {nth}", f"c {nth}")
        seal(house.database, seconds=LONG)
    assert check(house.database).fault is None
    return house


def test_everything_that_was_committed_is_sealed_and_agrees(sealed: InProcessFleet) -> None:
    found = check(sealed.database)
    with sealed.database.looks() as work:
        rows = work.connection.exec_driver_sql(
            "SELECT (SELECT count(*) FROM audit_logs) + (SELECT count(*) FROM system_audit)"
        ).scalar_one()
    assert (found.rows, found.seals) == (rows, 4)
    assert found.head is not None
    assert found.head.seal_id == 4


def test_the_digest_that_postgresql_computes_is_the_one_that_is_checked(house: InProcessFleet) -> None:
    odd = ["\\", "'", "\\x41", "王芳\n", "-", "", "1:a", '"', "😀"]
    with house.database.transaction() as work:
        for what in odd:
            SystemAudit(work).write(what, what, {what: [what, 1.50, None], "n": 10**18})
    with house.database.looks() as work:
        stored = work.connection.exec_driver_sql(
            "SELECT digest FROM system_audit ORDER BY entry_id"
        ).scalars()
        assert [bytes(digest) for digest in stored] == [row.digest() for row in unsealed_rows(work)]


TAMPERED: Final = {
    "an action's words": ("UPDATE audit_logs SET action = 'other' WHERE position = 2", "was changed"),
    "who did it": ("UPDATE audit_logs SET key_id = 'somebody' WHERE position = 2", "was changed"),
    "when": (
        "UPDATE audit_logs SET created_at = created_at - interval '1 day' WHERE position = 2",
        "was changed",
    ),
    "the details": ("UPDATE system_audit SET detail = '{}' WHERE entry_id = 2", "was changed"),
    "the salt": ("UPDATE system_audit SET salt = '' WHERE entry_id = 2", "was changed"),
    "a row goes": ("DELETE FROM system_audit WHERE entry_id = 2", "1 of the 3 rows sealed here are gone"),
    "the last row goes": (
        "DELETE FROM system_audit WHERE entry_id = 3",
        "1 of the 3 rows sealed here are gone",
    ),
    "rows change places": (
        "UPDATE audit_logs SET task_id = (SELECT max(task_id) FROM audit_logs) WHERE position = 2",
        "was changed",
    ),
    "content goes as if erased": (
        (
            "UPDATE audit_logs SET metadata = '{}', salt = NULL, content_digest = sha256(salt || decode("
            "char_length(event_type) || ':' || event_type || coalesce(char_length(action) || ':' || action, '-') || "
            "CAST(metadata AS text), 'escape')) WHERE position = 2"
        ),
        "no line customer_erased names",
    ),
    "a seal's count": ("UPDATE audit_seals SET rows = rows - 1 WHERE seal_id = 2", "does not agree"),
    "a seal's time": ("UPDATE audit_seals SET sealed_at = now() WHERE seal_id = 2", "does not agree"),
    "a seal's range": (
        "UPDATE audit_seals SET last_position = last_position - 1 WHERE seal_id = 2",
        "does not agree",
    ),
    "a seal goes": ("DELETE FROM audit_seals WHERE seal_id = 2", "does not follow"),
    "the first seal goes": ("DELETE FROM audit_seals WHERE seal_id = 1", "does not follow"),
    "seals change places": (
        "UPDATE audit_seals SET seal_id = CASE seal_id WHEN 2 THEN 30 ELSE 2 END WHERE seal_id IN (2, 3)",
        "does not follow",
    ),
}


@pytest.mark.parametrize(("statement", "what"), TAMPERED.values(), ids=TAMPERED)
def test_whatever_the_owner_of_the_tables_changes_is_found(
    sealed: InProcessFleet, statement: str, what: str
) -> None:
    change(sealed.database, statement)
    fault = check(sealed.database).fault
    assert fault is not None
    assert what in fault.what


def test_a_row_dated_back_into_a_sealed_range_is_found_and_named(sealed: InProcessFleet) -> None:
    change(sealed.database, "DELETE FROM audit_logs WHERE position = 2")
    change(
        sealed.database,
        "INSERT INTO audit_logs (log_id, task_id, event_type, agent_id, position) OVERRIDING SYSTEM VALUE "
        "SELECT 'LOG_forged', min(task_id), 'contact_result', 'audit_agent', 2 FROM tasks",
    )
    fault = check(sealed.database).fault
    assert fault is not None
    assert (fault.table_name, fault.key, fault.what) == ("audit_logs", "LOG_forged", "it was changed")


def test_a_chain_that_was_made_anew_does_not_hold_the_head_that_was_kept(sealed: InProcessFleet) -> None:
    kept = check(sealed.database).head
    change(sealed.database, "UPDATE system_audit SET detail = '{}' WHERE entry_id = 2")
    change(sealed.database, "DELETE FROM audit_seals")
    seal(sealed.database, seconds=LONG)
    assert check(sealed.database).fault is None
    assert check(sealed.database, kept).fault is not None


def test_a_head_that_was_kept_still_holds_when_more_was_sealed(sealed: InProcessFleet) -> None:
    kept = check(sealed.database).head
    note(sealed.database, "more")
    seal(sealed.database, seconds=LONG)
    found = check(sealed.database, kept)
    assert found.fault is None
    assert found.head != kept


def test_what_an_open_transaction_may_still_add_is_not_sealed_before_it(database: Database) -> None:
    with database.transaction() as slow:
        SystemAudit(slow).write("a", "written first, committed last", {})
        note(database, "committed meanwhile")
        assert seal(database, seconds=0) == 0
    assert seal(database, seconds=LONG) == 2
    assert check(database).fault is None


def test_how_far_the_seals_are_behind_is_known(database: Database) -> None:
    def behind() -> float:
        with database.looks() as work:
            return Seals(work).oldest_unsealed_seconds(SYSTEM_AUDIT)

    assert behind() == 0
    note(database, "an hour ago", "now")
    change(database, "UPDATE system_audit SET at = at - interval '1 hour' WHERE entry_id = 1")
    assert behind() >= timedelta(hours=1).total_seconds()
    seal(database, seconds=LONG)
    assert behind() == 0


def test_a_rolled_back_row_leaves_a_gap_and_no_fault(database: Database) -> None:
    roll_back(database)
    note(database, "happened")
    seal(database, seconds=LONG)
    found = check(database)
    assert (found.fault, found.rows) == (None, 1)


def test_many_that_seal_at_once_make_one_chain(database: Database) -> None:
    sealers = [Thread(target=lambda: [seal(database, seconds=LONG) for _ in range(5)]) for _ in range(3)]
    for sealer in sealers:
        sealer.start()
    for nth in range(20):
        note(database, f"{nth}")
    for sealer in sealers:
        sealer.join()
    seal(database, seconds=LONG)
    found = check(database)
    assert (found.fault, found.rows) == (None, 20)


def test_an_erasure_and_a_round_of_retention_leave_the_seals_as_they_are(sealed: InProcessFleet) -> None:
    change(sealed.database, "UPDATE tasks SET status = 'closed', finished_at = coalesce(finished_at, now())")
    before = check(sealed.database).head
    erase(sealed.engine, sealed.context.blind_index, Customer(customer_id="CUST0"), by="operator")
    retain(sealed.database, dict.fromkeys(DataKind, timedelta(0)))
    seal(sealed.database, seconds=LONG)
    found = check(sealed.database, before)
    assert found.fault is None
    assert found.erased > 0
    with sealed.database.looks() as work:
        salted = work.connection.exec_driver_sql(
            "SELECT count(*) FROM audit_logs l JOIN tasks t USING (task_id) "
            "WHERE t.erased_at IS NOT NULL AND l.salt IS NOT NULL"
        )
        assert salted.scalar_one() == 0


def test_an_export_is_checked_without_the_database(sealed: InProcessFleet) -> None:
    lines = export(sealed.database)
    found, unsealed = checked(lines, check(sealed.database).head)
    assert (found.fault, unsealed) == (None, 0)


@pytest.mark.parametrize("place", range(1, 5))
def test_a_line_of_an_export_that_was_changed_is_found(sealed: InProcessFleet, place: int) -> None:
    lines = export(sealed.database)
    told = json.loads(lines[place])
    (kind,) = told
    told[kind]["rows" if kind == "seal" else "body"] = 77 if kind == "seal" else "{}"
    lines[place] = json.dumps(told)
    assert checked(lines, None)[0].fault is not None


@pytest.mark.parametrize("cut", [0, 3, -1])
def test_an_export_that_was_cut_off_is_refused(sealed: InProcessFleet, cut: int) -> None:
    with pytest.raises(UnreadableExport):
        checked(export(sealed.database)[:cut], None)


def test_an_export_of_a_part_is_a_chain_from_where_it_begins(sealed: InProcessFleet) -> None:
    with sealed.database.looks() as work:
        third = Seals(work).after(2, most=1)[0].sealed_at
    lines = lines_of_export(sealed.database, by="me", label=None, since=third, until=None)
    found, _ = checked(lines, None)
    assert (found.fault, found.seals) == (None, 3)


def test_a_trail_that_was_dumped_and_restored_has_the_same_head(
    servers: Servers, sealed: InProcessFleet
) -> None:
    kept = check(sealed.database).head
    url = sealed.settings.database_url.get_secret_value()
    restored = servers._create("restored")
    dump = _run(servers, "pg_dump", "--no-owner", "--no-privileges", url.replace("+psycopg", ""))
    _run(servers, "psql", "--quiet", "--set=ON_ERROR_STOP=1", restored.replace("+psycopg", ""), given=dump)
    with Database(restored, None) as database:
        note(database, "after the restore")
        seal(database, seconds=LONG)
        found = check(database, kept)
    servers.drop(restored)
    assert found.fault is None
    assert found.head != kept


def _run(servers: Servers, program: str, *arguments: str, given: bytes = b"") -> bytes:
    command = [str(servers.postgres._prepared() / program), *arguments]
    return subprocess.run(command, input=given, stdout=subprocess.PIPE, check=True, timeout=300).stdout
