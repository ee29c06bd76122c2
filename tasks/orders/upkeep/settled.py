"""The newest row of a table below which no other appears any more."""

import time
from typing import Final

from storage.core.database import Database
from storage.core.settled import Writers

_PAUSE_SECONDS: Final = 0.05


def newest_settled(database: Database, table: str, position: str, *, after: int, until: float) -> int | None:
    """The newest position of a table, once nobody who may have been given an earlier one is still at it.

    Args:
        database: The database.
        table: The table.
        position: Its identity column.
        after: What is known already; without a later row there is nothing to wait for.
        until: When to give up, on the monotonic clock.

    Returns:
        `None` where there is no later row, or where somebody is still writing.
    """
    with database.looks() as work:
        newest = Writers(work).newest(table, position)
    if newest <= after:
        return None
    # Whoever was given a position below the newest before it was seen is among these, or is over.
    with database.looks() as work:
        writers = Writers(work).of(table)
    while writers:
        if time.monotonic() > until:
            return None
        time.sleep(_PAUSE_SECONDS)
        with database.looks() as work:
            writers &= Writers(work).of(table)
    return newest
