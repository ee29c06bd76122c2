"""Lists of orders and attempts, page by page, and the ledger whose every number is the length of one of them."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from storage.orders.lists.attempt_list import AttemptAccounts, AttemptList, AttemptOutcome, ListedAttempt
from storage.orders.lists.order_list import ListedOrder, ListedOrders, OrderAccounts, OrderFilter

_REST: Final = 10
"""Times as long as reading the ledger took, in which it is not read again."""


@dataclass(frozen=True, slots=True)
class PageOfOrders:
    """Orders, the newest first."""

    orders: Sequence[ListedOrder]
    next: tuple[datetime, str] | None
    """The place that the next page begins behind; `None` on the last."""


@dataclass(frozen=True, slots=True)
class PageOfAttempts:
    """Attempts to reach customers, the newest first."""

    attempts: Sequence[ListedAttempt]
    total: int
    next: int | None
    """The position that the next page begins below; `None` on the last."""


@dataclass(frozen=True, slots=True)
class OrderLedger:
    """Where every order is, and what became of every attempt."""

    orders: OrderAccounts
    attempts: AttemptAccounts


def orders_page(
    work: UnitOfWork, filters: OrderFilter, *, after: tuple[datetime, str] | None, limit: int
) -> PageOfOrders:
    """A page of the orders that pass."""
    # One more than is shown tells whether there is a next page.
    rows = ListedOrders(work).page(filters, after=after, limit=limit + 1)
    shown = rows[:limit]
    more = len(rows) > limit
    return PageOfOrders(shown, (shown[-1].created_at, shown[-1].task_id) if more else None)


def counted_orders_page(
    database: Database, filters: OrderFilter, *, after: tuple[datetime, str] | None, limit: int
) -> tuple[PageOfOrders, int]:
    """A page with the number of orders on all pages together, both of the same moment."""
    with database.snapshot() as work:
        return orders_page(work, filters, after=after, limit=limit), ListedOrders(work).count(filters)


def attempts_page(
    database: Database, outcome: AttemptOutcome | None, *, before: int | None, limit: int
) -> PageOfAttempts:
    """A page of the attempts of one outcome, or of all but those of which nothing left."""
    with database.snapshot() as work:
        rows = AttemptList(work).page(outcome, before=before, limit=limit + 1)
        accounts = AttemptList(work).accounts()
    shown = rows[:limit]
    total = accounts.intended if outcome is None else accounts.by_outcome[outcome]
    return PageOfAttempts(shown, total, shown[-1].position if len(rows) > limit else None)


def ledger_of(database: Database) -> OrderLedger:
    """The ledger at this moment."""
    with database.snapshot() as work:
        return OrderLedger(ListedOrders(work).accounts(), AttemptList(work).accounts())


class LedgerReader:
    """Reads the ledger when it is asked for, and not again at once: its cost grows with the orders that are open.

    Whoever asks is answered with the last one for ten times as long as it took to read, so that pages that follow
    every change never cost more than a tenth of the time of one connection.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take where it is read."""
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._last: OrderLedger | None = None
        self._holds_until = 0.0

    def read(self) -> OrderLedger:
        """The ledger; one reading at a time, and everybody who waits for it is answered with it."""
        with self._lock:
            began = self._clock()
            if self._last is None or began >= self._holds_until:
                self._last = ledger_of(self._database)
                took = self._clock() - began
                self._holds_until = began + took * (1 + _REST)
            return self._last
