"""The database roles and what each may do: written at every start, so that they follow the tables of this version.

The owner of the tables migrates. The application adds to history and cannot change it; retention may, and removes
what has been kept long enough; the reader sees figures, and nothing that a customer is known by.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import psycopg
from sqlalchemy import Connection, LargeBinary, Table, Text, make_url
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

from storage.access.tables import SYSTEM_AUDIT
from storage.core.migrate import owner_transaction
from storage.migrations.tables import metadata
from storage.orders.tables import AUDIT_LOGS
from storage.orders.upkeep.months import MONTHLY

APPLICATION: Final = "unpend_application"
RETENTION: Final = "unpend_retention"
READER: Final = "unpend_reader"
ROLES: Final = (APPLICATION, RETENTION, READER)

HISTORY: Final = frozenset(
    {
        "audit_logs",
        "system_audit",
        "audit_seals",
        "transitions",
        "events",
        "definitions",
        "dispatches",
        "cancellations",
        "engineer_notices",
        "followups",
        "intent_labels",
        "reports",
        "artifacts",
        "variable_writes",
    }
)
"""What the application adds to and never changes."""

_CHANGED_COLUMNS: Final = {"definitions": ("state", "activated_at", "retired_at")}
"""Of a table of history, the columns that the application changes all the same."""

_SEALED: Final = {table.name: table for table in (SYSTEM_AUDIT, AUDIT_LOGS)}
_EMPTIED: Final = frozenset(
    {
        "leases",
        "join_arrivals",
        "schedules",
        "trigger_feed",
        "scopes",
        "subscriptions",
        "slots",
        "agents",
        "idempotency_keys",
        "console_sessions",
        "im_identities",
        "notice_roles",
        "deliveries",
        "subscribers",
    }
)
"""Tables of which the application deletes rows."""
_OF_THE_OWNER: Final = frozenset({"feed_origin"})
_FIGURES: Final = ("audit_figures", "step_figures")
"""Views of what figures need of columns that may hold what a customer said."""
_UNREAD: Final = frozenset(
    {
        "users",
        "api_keys",
        "console_sessions",
        "im_identities",
        "idempotency_keys",
        "rejects",
        "inbox",
        "callbacks",
        "signals",
        "do_not_call",
        "forgotten_numbers",
        "intent_labels",
        "notices",
        "dispatches",
        "http_requests",
        "reports",
        "artifacts",
    }
)
"""Tables of people, keys and of what was sent in."""
_UNREAD_COLUMNS: Final = frozenset({"recording_url", "label", "actor", "key_id"})
_OF_MONTHS: Final = ("make_history_month(text, date)", "drop_history_month(text, date)", "analyze_history()")
"""Functions of the owner by which retention makes and drops the months of history, and nobody else."""
_LIMITS: Final = {
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "30s",
    "lock_timeout": "10s",
}
"""Those of `storage.core.database`, for connections whose start-up options a pooler drops."""


def prepare_roles(url: str, further: Iterable[str] = ()) -> tuple[str, ...]:
    """Make the roles where they are missing, and give each what it may do; those that could not be made.

    Args:
        url: The database, as the owner of its tables.
        further: The same as others reach it: a role that one of these names is let in with the password there.

    Raises:
        StorageUnavailable: PostgreSQL does not answer.
    """
    logins = {login.username: str(login.password) for login in map(make_url, further) if login.password}
    with owner_transaction(url) as connection:
        missing = _missing(connection)
        if _may_make_roles(connection):
            for role in missing:
                connection.exec_driver_sql(f"CREATE ROLE {role} NOLOGIN")
            for role in ROLES:
                if role in logins:
                    _let_in(connection, role, logins[role])
            missing = ()
        for role in ROLES:
            if role not in missing:
                for statement in grants(role):
                    connection.exec_driver_sql(statement)
    return missing


def instructions() -> Iterator[str]:
    """What an administrator runs where whoever migrates may make no roles; passwords are for them to choose."""
    yield "-- Run as an administrator; choose a password for each, then run `unpend migrate` once more."
    for role in ROLES:
        yield f"CREATE ROLE {role} LOGIN PASSWORD '…';"
        yield from (f"{statement};" for statement in limits(role))


def grants(role: str) -> Iterator[str]:
    """The statements that give a role what it may do, and take from it what it may no longer."""
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"
    yield f"GRANT USAGE ON SCHEMA public TO {role}"
    yield f"GRANT SELECT ON {', '.join(_FIGURES)} TO {role}"
    if role != READER:
        # Whether the tables are those of its version.
        yield f"GRANT SELECT ON alembic_version TO {role}"
    for table in metadata.sorted_tables:
        if role == READER:
            yield from _to_read(table, role)
            continue
        yield f"GRANT SELECT ON {table.name} TO {role}"
        if table.name not in _OF_THE_OWNER:
            yield f"GRANT INSERT {_written(table)} ON {table.name} TO {role}"
            yield from _to_change(table, role)
    if role == RETENTION:
        yield f"GRANT EXECUTE ON FUNCTION {', '.join(_OF_MONTHS)} TO {role}"
        for monthly in MONTHLY.values():
            # It sees there which months are missing.
            yield f"GRANT SELECT ON {monthly.rest} TO {role}"


def limits(role: str) -> Iterator[str]:
    """The statements that set a role's time limits; they need the right to change it."""
    for name, value in _LIMITS.items():
        yield f"ALTER ROLE {role} SET {name} = '{value}'"


def _written(table: Table) -> str:
    """The columns that are given; of a sealed row neither place nor digest nor when it was written."""
    sealed = _SEALED.get(table.name)
    if sealed is None:
        return ""
    made = {sealed.position, "created_at", "at", "digest", "content_digest"}
    return f"({_quoted(column.name for column in table.columns if column.name not in made)})"


def _to_change(table: Table, role: str) -> Iterator[str]:
    if table.name == "audit_seals":
        return
    if role == RETENTION:
        yield f"GRANT UPDATE, DELETE ON {table.name} TO {role}"
        return
    if table.name not in HISTORY:
        yield f"GRANT UPDATE ON {table.name} TO {role}"
    elif changed := _CHANGED_COLUMNS.get(table.name):
        yield f"GRANT UPDATE ({_quoted(changed)}) ON {table.name} TO {role}"
    if table.name in _EMPTIED:
        yield f"GRANT DELETE ON {table.name} TO {role}"


def _to_read(table: Table, role: str) -> Iterator[str]:
    free = [
        column.name
        for column in table.columns
        if not isinstance(column.type, LargeBinary | Text | JSON | JSONB | ARRAY)
        and column.name not in _UNREAD_COLUMNS
    ]
    if table.name not in _UNREAD:
        yield f"GRANT SELECT ({_quoted(free)}) ON {table.name} TO {role}"


def _quoted(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _let_in(connection: Connection, role: str, password: str) -> None:
    """Set a role's password and limits; the password itself is in no statement, and so in no log of the server."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    sealed = driver.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.exec_driver_sql(f"ALTER ROLE {role} LOGIN PASSWORD '{sealed}'")
    for statement in limits(role):
        connection.exec_driver_sql(statement)


def _missing(connection: Connection) -> tuple[str, ...]:
    there = set(connection.exec_driver_sql("SELECT rolname FROM pg_roles").scalars())
    return tuple(role for role in ROLES if role not in there)


def _may_make_roles(connection: Connection) -> bool:
    found = connection.exec_driver_sql(
        "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    )
    return bool(found.scalar_one())
