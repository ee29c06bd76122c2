"""Checks and exports the audit trail of a database."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from tasks.orders.upkeep.audit_check import ChainHead, Check
from tasks.orders.upkeep.audit_file import lines_of
from tasks.orders.upkeep.sealing import seal, sealed_rows, unsealed_rows

_STATEMENT_SECONDS: Final = 600.0
_SEALING_SECONDS: Final = 30.0
"""How long an export waits for transactions that are under way, so that it is sealed to its end."""


def check_database(database: Database, expected: ChainHead | None = None) -> tuple[Check, int]:
    """What a check of the tables finds, and how many rows are not sealed yet."""
    check = Check(expected)
    with database.snapshot(statement_seconds=_STATEMENT_SECONDS) as work:
        check.go_through(sealed_rows(work))
        unsealed = list(unsealed_rows(work))
    check.end(unsealed)
    return check, len(unsealed)


def export(
    database: Database, *, by: str, label: str | None, since: datetime | None, until: datetime | None
) -> Iterator[str]:
    """The lines of an export of what was sealed within these moments; on record before the first of them.

    Args:
        database: Whose trail.
        by: Who does it.
        label: The name that they gave beside it.
        since: From then on; from the beginning.
        until: Before then; all there is, rows that are not sealed yet with it where `since` is not given either.
    """
    whole = since is None and until is None
    with database.transaction() as work:
        SystemAudit(work).write(by, "audit_exported", {"since": since, "until": until, "by": label})
    seal(database, seconds=_SEALING_SECONDS)
    with database.snapshot(statement_seconds=_STATEMENT_SECONDS) as work:
        chain = sealed_rows(work, since=since, until=until)
        yield from lines_of(chain, unsealed_rows(work) if whole else (), whole=whole)
