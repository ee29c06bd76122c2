"""Writes to the audit trail, spoils it, and checks it."""

from contextlib import suppress
from typing import Final

from sqlalchemy import text

from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from tasks.orders.upkeep.audit_check import ChainHead, Check
from tasks.orders.upkeep.audit_trail import check_database
from tasks.orders.upkeep.audit_trail import export as lines_of_export

LONG: Final = 60.0
"""Seconds that a sealing may take; it ends as soon as it is done."""


def check(database: Database, expected: ChainHead | None = None) -> Check:
    """What a check of the database finds."""
    return check_database(database, expected)[0]


def export(database: Database) -> list[str]:
    """The lines of a whole export."""
    return list(lines_of_export(database, by="me", label=None, since=None, until=None))


def change(database: Database, statement: str) -> None:
    """Do to the tables what only their owner can."""
    with database.transaction() as work:
        assert work.connection.execute(text(statement)).rowcount


def note(database: Database, *whats: str) -> None:
    """Append entries to the audit log of the installation."""
    with database.transaction() as work:
        for what in whats:
            SystemAudit(work).write("someone", what, {"of": what})


def roll_back(database: Database) -> None:
    """Write an entry that is never committed."""
    with suppress(ZeroDivisionError), database.transaction() as work:
        SystemAudit(work).write("a", "never happened", {})
        _ = 1 // 0
