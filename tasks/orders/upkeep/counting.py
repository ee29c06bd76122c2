"""Counts what happened for the exporter, as it happens, so that no figure is found by looking through history."""

import time
from typing import Final

from storage.core.database import Database
from storage.orders.figures.feeds import FEEDS, FigureFeed
from storage.orders.figures.folding import Folding
from tasks.orders.upkeep.settled import newest_settled

_MOST: Final = 5_000
"""Rows one transaction counts, and rows it looks at again."""
_MOST_ORDERS: Final = 2_000
"""Open orders that one call looks after."""


def count(database: Database, *, seconds: float, most: int = _MOST) -> None:
    """Count what was written before this call, for so long at most; the next call goes on."""
    until = time.monotonic() + seconds
    for feed in FEEDS:
        _count(database, feed, most, until)
    with database.transaction() as work:
        Folding(work).walk(most=_MOST_ORDERS)


def _count(database: Database, feed: FigureFeed, most: int, until: float) -> None:
    with database.looks() as work:
        place = Folding(work).place(feed)
    newest = newest_settled(database, feed.table, feed.position, after=place, until=until)
    more, again = True, most
    while more:
        with database.transaction() as work:
            more = Folding(work).fold(feed, up_to=place if newest is None else newest, most=most, again=again)
        again = 0
        if time.monotonic() > until:
            return
