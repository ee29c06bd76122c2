"""What each role of the database may do, and that the work is done under them."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from prometheus_client.core import Metric
from sqlalchemy import LargeBinary, make_url, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.types import Text
from typer.testing import CliRunner

from fleet.command.app import application
from runtime.blind_index import BlindIndex, derived_key
from runtime.cipher import Cipher
from storage.core.database import Database
from storage.migrations.roles import (
    APPLICATION,
    HISTORY,
    READER,
    RETENTION,
    ROLES,
    limits,
)
from storage.migrations.tables import metadata
from tasks.orders.upkeep.audit_trail import check_database
from tasks.orders.upkeep.counting import count
from tasks.orders.upkeep.erasure import Customer, erase
from tasks.orders.upkeep.key_change import renew_all, renew_marks
from tasks.orders.upkeep.retention import retain
from tasks.orders.upkeep.sealing import seal
from tests.support.agents import QUEUES
from tests.support.factories import PARTS_MISSING, READY, answered, submission
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.servers import Servers
from tools.policies.retention import DataKind
from workers.metrics.exporter import FleetCollector


def opened(servers: Servers, role: str, database_url: str) -> Database:
    return Database(servers.url_as(role, database_url), Cipher(CIPHER_KEY), pool_size=1)


def refused(database: Database, statement: str) -> bool:
    """Whether PostgreSQL refuses a statement for want of the right."""
    try:
        with database.transaction() as work:
            work.connection.execute(text(statement))
    except ProgrammingError as error:
        return "permission denied" in str(error.orig)
    return False


@pytest.mark.parametrize("table", sorted(HISTORY))
@pytest.mark.parametrize("verb", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_the_application_adds_to_history_and_changes_none_of_it(
    servers: Servers, database_url: str, table: str, verb: str
) -> None:
    column = next(column.name for column in metadata.tables[table].columns if column.identity is None)
    with opened(servers, APPLICATION, database_url) as database:
        assert refused(database, verb.format(table, column))


def test_the_application_changes_the_state_of_a_definition_and_never_its_body(
    servers: Servers, database_url: str
) -> None:
    with opened(servers, APPLICATION, database_url) as database:
        assert not refused(database, "UPDATE definitions SET state = state, activated_at = activated_at")
        for column in ("workflow", "version", "body", "digest", "registered_at"):
            assert refused(database, f"UPDATE definitions SET {column} = {column}")


@pytest.mark.parametrize("column", ["entry_id", "at", "content_digest"])
def test_the_application_gives_no_place_time_or_digest_of_an_audit_row(
    servers: Servers, database_url: str, column: str
) -> None:
    with opened(servers, APPLICATION, database_url) as database:
        given = f"INSERT INTO system_audit (actor, what, {column}) OVERRIDING SYSTEM VALUE VALUES ('a', 'b', NULL)"
        assert refused(database, given)


@pytest.mark.parametrize("role", ROLES)
def test_the_time_limits_are_the_roles_own(servers: Servers, database_url: str, role: str) -> None:
    url = servers.url_as(role, database_url).replace("+psycopg", "")
    with psycopg.connect(url) as plain:
        assert plain.execute("SHOW statement_timeout").fetchone() == ("30s",)
        assert plain.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("30s",)


def test_nobody_but_the_owner_changes_a_seal(servers: Servers, database_url: str) -> None:
    for role in ROLES:
        with opened(servers, role, database_url) as database:
            assert refused(database, "UPDATE audit_seals SET rows = 0")
            assert refused(database, "DELETE FROM audit_seals")


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary | Text)
    ]
    + [
        ("tasks", "metadata"),
        ("audit_logs", "metadata"),
        ("steps", "input"),
        ("contact_logs", "recording_url"),
    ]
    + [("users", "login"), ("api_keys", "key_id"), ("do_not_call", "masked")],
)
def test_the_reader_sees_no_words_numbers_people_or_keys(
    servers: Servers, database_url: str, table: str, column: str
) -> None:
    with opened(servers, READER, database_url) as database:
        assert refused(database, f'SELECT "{column}" FROM {table}')


def test_the_reader_writes_nothing(servers: Servers, database_url: str) -> None:
    with opened(servers, READER, database_url) as database:
        for table in metadata.sorted_tables:
            assert refused(database, f"DELETE FROM {table.name}")
            assert refused(database, f"INSERT INTO {table.name} DEFAULT VALUES")


def test_the_exporter_reads_every_figure_as_the_reader(servers: Servers, database_url: str) -> None:
    with opened(servers, READER, database_url) as database:
        read: list[Metric] = list(FleetCollector(database, QUEUES).collect())
    (up,) = [metric for metric in read if metric.name == "ops_exporter_up"]
    assert up.samples[0].value == 1
    assert len(read) > 1


def test_orders_end_under_the_application_and_are_erased_under_retention_with_the_seals_intact(
    servers: Servers, database_url: str
) -> None:
    house = InProcessFleet.build(database_url, database=opened(servers, APPLICATION, database_url))
    for words in (READY, PARTS_MISSING):
        house.accept(submission(answered(words), metadata={"customer_id": "CUST1"}))
    house.run_to_the_end(3)
    with opened(servers, RETENTION, database_url) as remover:
        seal(remover, seconds=60.0)
        count(remover, seconds=60.0)
        erased = erase(
            house.engine,
            house.context.blind_index,
            Customer(customer_id="CUST1"),
            by="operator",
            cancel_open=True,
            database=remover,
        )
        assert sum(erased.counts.values())
        retain(remover, dict.fromkeys(DataKind, timedelta(0)))
        renew_all(remover)
        index = BlindIndex(Cipher.new_key(), [derived_key(CIPHER_KEY)])
        assert renew_marks(remover, index, house.context.policy).left == {}
        seal(remover, seconds=60.0)
    check, _ = check_database(house.database)
    assert check.fault is None
    assert check.erased > 0
    house.close()


@pytest.fixture
def owner_without_roles(servers: Servers) -> Iterator[str]:
    """An empty database whose owner may make no roles, on a server that lacks one."""
    run = servers.administration.execute
    url = servers._create("without_roles")
    run("CREATE ROLE somebody LOGIN PASSWORD 'pw'")
    run("ALTER DATABASE without_roles OWNER TO somebody")
    run(f"ALTER ROLE {READER} RENAME TO elsewhere")
    yield make_url(url).set(username="somebody", password="pw").render_as_string(hide_password=False)
    run(f"ALTER ROLE elsewhere RENAME TO {READER}")
    servers.drop(url)
    run("DROP ROLE somebody")


def test_roles_that_may_not_be_made_are_named_and_everything_works_with_one(owner_without_roles: str) -> None:
    environment = {
        "UNPEND_DATABASE_URL": owner_without_roles,
        "UNPEND_BROKER_URL": "redis://127.0.0.1:1/0",
        "UNPEND_CIPHER_KEY": CIPHER_KEY,
        "UNPEND_CALLBACK_SECRET": "a secret of the tests",
    }
    told = CliRunner(env=environment).invoke(application, ["migrate"])
    assert told.exit_code == 0, told.stderr
    assert f"{READER}: missing" in told.stdout
    assert "unpend migrate --print-roles" in told.stdout
    house = InProcessFleet.build(owner_without_roles)
    house.accept(submission(answered(READY)))
    house.run_to_the_end(1)
    house.close()


def test_what_an_administrator_is_shown_makes_the_roles() -> None:
    shown = CliRunner().invoke(application, ["migrate", "--print-roles"]).stdout
    assert all(f"CREATE ROLE {role} LOGIN" in shown for role in ROLES)
    assert all(line in shown for role in ROLES for line in limits(role))
