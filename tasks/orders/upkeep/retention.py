"""Deletes data past its retention time: a round a day, in short transactions, going on where it stopped."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from runtime.logs import logger
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.engine.pulses import Pulses
from storage.orders.upkeep.retention import Retention
from tasks.orders.upkeep.history import TABLES, analyze, count_due, drop_month, keep_months
from tools.policies.retention import DataKind

_log = logger(__name__)

PULSE: Final = "retention"
"""The name under which a finished round leaves its time."""

_EVERY_SECONDS: Final = 86_400.0
_STATEMENT_SECONDS: Final = 5.0
"""What one statement may take: it looks at a megabyte of one table, or waits for a lock of somebody."""


def due(database: Database) -> bool:
    """Whether the last finished round is a day ago, or there was none."""
    with database.looks() as work:
        since = Pulses(work).seconds_since(PULSE)
    return since is None or since >= _EVERY_SECONDS


def counted(database: Database, kept: Mapping[DataKind, timedelta]) -> dict[DataKind, int]:
    """How many rows of each kind are due; nothing is changed."""
    with database.snapshot(statement_seconds=60.0) as work:
        return {
            kind: count_due(work, kind, time) if kind in TABLES else Retention(work).count(kind, time)
            for kind, time in kept.items()
        }


def retain(database: Database, kept: Mapping[DataKind, timedelta]) -> dict[DataKind, int]:
    """Remove all that is due now, in a round from the beginning; how many rows of each kind went.

    Raises:
        StorageUnavailable: PostgreSQL is away or a table is locked; what was removed by then stays removed.
    """
    keep_months(database)
    with database.transaction() as work:
        Retention(work).begin_anew()
    removed = dict.fromkeys(kept, 0)
    for kind in kept:
        over = False
        while not over:
            rows, over = _remove(database, kind, kept[kind])
            removed[kind] += rows
    _end_round(database)
    return removed


def go_on(database: Database, kept: Mapping[DataKind, timedelta], *, seconds: float) -> bool:
    """Go on with the round of the day for so long at most; whether it is finished.

    A kind whose table is locked keeps the round from its end, and not the other kinds from their turn.
    """
    until = time.monotonic() + seconds
    finished = True
    try:
        keep_months(database)
    except StorageUnavailable as error:
        _log.warning("months of history are left to the next call", error=str(error))
        finished = False
    for kind in kept:
        over = False
        while not over:
            if time.monotonic() > until:
                return False
            try:
                _, over = _remove(database, kind, kept[kind])
            except StorageUnavailable as error:
                _log.warning("left to the next call", kind=kind.value, error=str(error))
                finished = False
                break
    if finished:
        _end_round(database)
    return finished


def _remove(database: Database, kind: DataKind, kept: timedelta) -> tuple[int, bool]:
    """One transaction of a round; how many rows went, and whether this kind is done with."""
    if kind in TABLES:
        return drop_month(database, kind, kept)
    with database.transaction() as work:
        removal = Retention(work).remove(kind, kept, seconds=_STATEMENT_SECONDS)
    return removal.removed, removal.over


def _end_round(database: Database) -> None:
    analyze(database)
    with database.transaction() as work:
        rows = Retention(work).end_round()
        Pulses(work).beat(PULSE)
        if rows:
            SystemAudit(work).write("fleet", "retention", {"rows": rows})
