"""Deletes data past its retention time: once a day, in small batches."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.engine.pulses import Pulses
from storage.orders.upkeep.retention import Retention
from tools.policies.retention import DataKind

PULSE: Final = "retention"
"""The name under which a finished round leaves its time."""

_EVERY_SECONDS: Final = 86_400.0
_BITE: Final = 500
"""Rows one transaction removes."""


def due(database: Database) -> bool:
    """Whether the last finished round is a day ago, or there was none."""
    with database.looks() as work:
        since = Pulses(work).seconds_since(PULSE)
    return since is None or since >= _EVERY_SECONDS


def counted(database: Database, kept: Mapping[DataKind, timedelta]) -> dict[DataKind, int]:
    """How many rows of each kind are due; nothing is changed."""
    with database.snapshot(statement_seconds=60.0) as work:
        return {kind: Retention(work).count(kind, kept[kind]) for kind in DataKind}


def retain(
    database: Database, kept: Mapping[DataKind, timedelta], *, seconds: float = float("inf")
) -> tuple[dict[DataKind, int], bool]:
    """Remove what is due, for so long at most.

    Returns:
        How many rows of each kind went, and whether nothing due is left; only then the round counts as done.
    """
    until = time.monotonic() + seconds
    removed = dict.fromkeys(DataKind, 0)
    for kind in DataKind:
        bite = _BITE
        while bite == _BITE:
            if time.monotonic() > until:
                return removed, False
            with database.transaction() as work:
                bite = Retention(work).remove(kind, kept[kind], most=_BITE)
            removed[kind] += bite
    with database.transaction() as work:
        Pulses(work).beat(PULSE)
        if any(removed.values()):
            rows = {kind.value: rows for kind, rows in removed.items() if rows}
            SystemAudit(work).write("fleet", "retention", {"rows": rows})
    return removed, True
