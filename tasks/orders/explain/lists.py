"""Lists of orders and attempts, page by page, and the ledger whose every number is the length of one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from storage.orders.lists.attempt_list import AttemptAccounts, AttemptList, AttemptOutcome, ListedAttempt
from storage.orders.lists.order_list import ListedOrder, OrderAccounts, OrderFilter, OrderList


@dataclass(frozen=True, slots=True)
class OrdersPage:
    """Orders, the newest first."""

    orders: Sequence[ListedOrder]
    next: tuple[datetime, str] | None
    """The place that the next page begins behind; `None` on the last."""


@dataclass(frozen=True, slots=True)
class AttemptsPage:
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
) -> OrdersPage:
    """A page of the orders that pass."""
    # One more than is shown tells whether there is a next page.
    rows = OrderList(work).page(filters, after=after, limit=limit + 1)
    shown = rows[:limit]
    more = len(rows) > limit
    return OrdersPage(shown, (shown[-1].created_at, shown[-1].task_id) if more else None)


def counted_orders_page(
    database: Database, filters: OrderFilter, *, after: tuple[datetime, str] | None, limit: int
) -> tuple[OrdersPage, int]:
    """A page with the number of orders on all pages together, both of the same moment."""
    with database.snapshot() as work:
        return orders_page(work, filters, after=after, limit=limit), OrderList(work).count(filters)


def attempts_page(
    database: Database, outcome: AttemptOutcome | None, *, before: int | None, limit: int
) -> AttemptsPage:
    """A page of the attempts of one outcome, or of all but those of which nothing left."""
    with database.snapshot() as work:
        rows = AttemptList(work).page(outcome, before=before, limit=limit + 1)
        accounts = AttemptList(work).accounts()
    shown = rows[:limit]
    total = accounts.intended if outcome is None else accounts.by_outcome[outcome]
    return AttemptsPage(shown, total, shown[-1].position if len(rows) > limit else None)


def ledger_of(database: Database) -> OrderLedger:
    """The ledger at this moment."""
    with database.snapshot() as work:
        return OrderLedger(OrderList(work).accounts(), AttemptList(work).accounts())
