"""History by the month: months are made ahead, what no month covers is taken in, what is past is dropped whole."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from runtime.cipher import Cipher
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.migrations.roles import APPLICATION, READER, RETENTION
from storage.orders.upkeep.months import MONTHLY, HistoryMonths
from tasks.orders.upkeep.history import keep_months
from tasks.orders.upkeep.retention import counted, go_on, retain
from tasks.orders.upkeep.sealing import seal
from tests.support.factories import READY, answered, submission
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.months import months_of, move_rows, this_month
from tests.support.probe import Probe
from tests.support.servers import Servers
from tools.policies.retention import DataKind

TABLES: Final = sorted(MONTHLY)
KINDS: Final = {
    "events": DataKind.EVENTS,
    "audit_logs": DataKind.AUDIT,
    "transitions": DataKind.TRANSITIONS,
}
YEAR: Final = timedelta(days=365)
FAR_BEYOND: Final = 600.0
"""Seconds that only a failure takes."""


@pytest.fixture
def closed(house: InProcessFleet) -> InProcessFleet:
    """An order that came to its end, with rows in every table of history."""
    house.accept(submission(answered(READY)))
    house.run_to_the_end(1)
    return house


@pytest.fixture(params=[APPLICATION, READER])
def stranger(servers: Servers, database_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """The database as a role that neither makes nor drops months."""
    with Database(servers.url_as(request.param, database_url), Cipher(CIPHER_KEY), pool_size=1) as opened:
        yield opened


@pytest.fixture
def remover(servers: Servers, database_url: str) -> Iterator[Database]:
    """The database as the role that makes and drops months, and owns none."""
    with Database(servers.url_as(RETENTION, database_url), Cipher(CIPHER_KEY), pool_size=1) as opened:
        yield opened


def count(database: Database, table: str) -> int:
    found: int = Probe(database).value(f"SELECT count(*) FROM {table}")
    return found


@pytest.mark.parametrize("table", TABLES)
def test_a_migrated_database_has_this_month_and_the_next_two(database: Database, table: str) -> None:
    assert months_of(database, table) == [this_month(database, later=later) for later in (0, 1, 2)]


@pytest.mark.parametrize("table", TABLES)
def test_a_month_that_is_missing_is_made_by_the_next_round(database: Database, table: str) -> None:
    there = months_of(database, table)
    Probe(database).write(f"DROP TABLE {table}_{there[-1]:%Y_%m}")
    assert go_on(database, {}, seconds=FAR_BEYOND)
    assert months_of(database, table) == there


@pytest.mark.parametrize("table", TABLES)
def test_a_row_that_no_month_covers_is_taken_and_moved_once_its_month_is_made(
    closed: InProcessFleet, table: str
) -> None:
    database, ahead = closed.database, this_month(closed.database, later=5)
    moved = move_rows(database, table, ahead)
    rows = sorted(map(str, Probe(database).rows(f"SELECT * FROM {table}")))
    assert count(database, f"{table}_default") == moved > 1
    keep_months(database)
    assert count(database, f"{table}_default") == 0
    assert count(database, f"{table}_{ahead:%Y_%m}") == moved
    assert sorted(map(str, Probe(database).rows(f"SELECT * FROM {table}"))) == rows


def test_a_round_lets_the_planner_know_all_months_of_a_table_together(closed: InProcessFleet) -> None:
    inherited = "SELECT DISTINCT tablename FROM pg_stats WHERE inherited ORDER BY 1"
    assert Probe(closed.database).values(inherited) == []
    assert go_on(closed.database, {}, seconds=FAR_BEYOND)
    assert Probe(closed.database).values(inherited) == TABLES


def test_orders_come_to_their_end_where_no_month_was_made(house: InProcessFleet) -> None:
    for table in TABLES:
        for month in months_of(house.database, table):
            Probe(house.database).write(f"DROP TABLE {table}_{month:%Y_%m}")
    house.accept(submission(answered(READY)))
    house.run_to_the_end(1)
    assert Probe(house.database).value("SELECT status FROM tasks") == "closed"
    keep_months(house.database)
    for table in TABLES:
        assert count(house.database, f"{table}_default") == 0
        assert count(house.database, table) > 0


def test_an_id_that_tells_no_time_stays_where_it_is_and_is_told_of(
    closed: InProcessFleet, capsys: pytest.CaptureFixture[str]
) -> None:
    Probe(closed.database).write(
        "UPDATE transitions SET transition_id = 'of somebody else' WHERE version = 1"
    )
    keep_months(closed.database)
    assert count(closed.database, "transitions_default") == 1
    assert "rows of history fit into no month" in capsys.readouterr().out


@pytest.mark.parametrize("table", TABLES)
def test_a_month_is_dropped_once_all_of_it_was_kept_long_enough_and_the_next_one_stays(
    closed: InProcessFleet, table: str
) -> None:
    database, kind = closed.database, KINDS[table]
    first, second = (this_month(database, later=later) for later in (-14, -12))
    number = "event_id" if table == "events" else "position"
    oldest = Probe(database).value(f"SELECT min({number}) FROM {table}")
    move_rows(database, table, first, where=f"{number} = {oldest}")
    kept = move_rows(database, table, second, where=f"{number} > {oldest}")
    keep_months(database)
    seal(database, seconds=FAR_BEYOND)
    gone = count(database, f"{table}_{first:%Y_%m}")
    assert gone == 1
    # Of the second month a row may be kept for thirteen months yet.
    due = {kind: timedelta(days=31 * 12)}
    assert counted(database, due) == {kind: gone}
    assert retain(database, due) == {kind: gone}
    assert first not in months_of(database, table)
    assert second in months_of(database, table)
    assert count(database, table) == kept > 1
    with database.looks() as work:
        (dropped,) = SystemAudit(work).recent(what="history_dropped")
        (line,) = SystemAudit(work).recent(what="retention")
    assert dropped.detail["kind"] == kind
    assert (dropped.detail["month"], dropped.detail["rows"]) == (f"{first:%Y-%m}", gone)
    assert line.detail["rows"] == {kind: gone}


@pytest.mark.parametrize("table", TABLES)
def test_a_month_stays_while_an_open_order_has_rows_in_it(house: InProcessFleet, table: str) -> None:
    database, past = house.database, this_month(house.database, later=-14)
    order = submission(answered("我要投诉你们，太差劲了"))
    house.accept(order)
    house.run()
    move_rows(database, table, past)
    Probe(database).write("UPDATE tasks SET run_id = 'exec_0' || right(run_id, 26)")
    Probe(database).write("UPDATE runs SET run_id = 'exec_0' || right(run_id, 26)")
    Probe(database).write("UPDATE events SET execution_id = 'exec_0' || right(execution_id, 26)")
    keep_months(database)
    seal(database, seconds=FAR_BEYOND)
    assert go_on(database, {KINDS[table]: YEAR}, seconds=FAR_BEYOND)
    assert past in months_of(database, table)
    Probe(database).write("UPDATE runs SET state = 'cancelled', finished_at = clock_timestamp()")
    Probe(database).write("UPDATE tasks SET status = 'closed', finished_at = clock_timestamp()")
    assert go_on(database, {KINDS[table]: YEAR}, seconds=FAR_BEYOND)
    assert past not in months_of(database, table)


def test_a_kind_that_the_policy_does_not_name_is_kept_for_ever(closed: InProcessFleet) -> None:
    database, past = closed.database, this_month(closed.database, later=-120)
    for table in TABLES:
        move_rows(database, table, past)
    retain(database, {DataKind.EVENTS: YEAR})
    assert [past in months_of(database, table) for table in TABLES] == [True, False, True]


def test_a_month_whose_table_is_in_use_is_left_to_the_next_call(closed: InProcessFleet) -> None:
    database, past = closed.database, this_month(closed.database, later=-14)
    for table in ("events", "transitions"):
        move_rows(database, table, past)
    keep_months(database)
    kept = {DataKind.EVENTS: YEAR, DataKind.TRANSITIONS: YEAR}
    with database.transaction() as reader:
        reader.connection.exec_driver_sql("LOCK TABLE events IN ACCESS SHARE MODE")
        assert not go_on(database, kept, seconds=FAR_BEYOND)
        assert past in months_of(database, "events")
        assert past not in months_of(database, "transitions")
    assert go_on(database, kept, seconds=FAR_BEYOND)
    assert past not in months_of(database, "events")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT make_history_month('events', '2031-01-01')",
        "SELECT drop_history_month('events', '2026-01-01')",
        "SELECT analyze_history()",
        "CREATE TABLE events_2031_01 PARTITION OF events FOR VALUES FROM ('2031-01-01') TO ('2031-02-01')",
        "ALTER TABLE events DETACH PARTITION events_default",
        "DROP TABLE events_default",
        "TRUNCATE events",
        "SELECT * FROM audit_logs_default",
        "INSERT INTO audit_logs_default DEFAULT VALUES",
        "DELETE FROM transitions_default",
    ],
)
def test_who_is_not_retention_neither_makes_nor_drops_a_month_and_reaches_none_by_its_name(
    stranger: Database, statement: str
) -> None:
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        stranger.transaction() as work,
    ):
        work.connection.execute(text(statement))


def test_no_month_gives_a_role_more_than_its_table(remover: Database, database: Database) -> None:
    with remover.transaction() as work:
        for table in MONTHLY.values():
            HistoryMonths(work).make(table, this_month(database, later=7))
    given = Probe(database).values(
        "SELECT g.grantee || ' ' || g.privilege_type || ' ' || g.table_name "
        "FROM information_schema.role_table_grants g JOIN pg_class c ON c.relname = g.table_name "
        "WHERE c.relispartition AND g.grantee LIKE 'unpend\\_%%' ORDER BY 1"
    )
    assert given == [f"{RETENTION} SELECT {table}_default" for table in TABLES]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT drop_history_month('events', CAST(date_trunc('month', now() AT TIME ZONE 'UTC') AS date))",
        "SELECT drop_history_month('tasks', '2020-01-01')",
        "SELECT make_history_month('tasks', '2020-01-01')",
        "SELECT make_history_month('events', '2020-01-02')",
        "SELECT make_history_month(NULL, '2020-01-01')",
    ],
)
def test_retention_makes_and_drops_whole_months_of_history_that_are_past_and_nothing_else(
    remover: Database, statement: str
) -> None:
    with pytest.raises(DBAPIError, match=r"has no month|is not past"), remover.transaction() as work:
        work.connection.execute(text(statement))


def test_retention_needs_no_other_role_to_make_and_drop_months(
    remover: Database, closed: InProcessFleet
) -> None:
    past = this_month(closed.database, later=-14)
    move_rows(closed.database, "events", past)
    assert go_on(remover, {DataKind.EVENTS: YEAR}, seconds=FAR_BEYOND)
    assert count(closed.database, "events") == 0
