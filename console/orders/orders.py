"""Lists of orders and of attempts to reach customers: filters and place in the address, counts as long as the lists."""

from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from api.server.cursor import cursor_of, place_of
from console.orders.order_view import FILTERS, PAGE_ROWS, ContactsPage, OrdersPage
from console.server.route import page
from console.server.visit import Visit, see
from storage.orders.lists.attempt_list import AttemptOutcome
from storage.orders.lists.order_list import OrderFilter
from tasks.orders.explain.lists import attempts_page, counted_orders_page

_LONGEST: Final = 64
_LONGEST_NUMBER: Final = 18


def show_orders(visit: Visit) -> Response:
    """The orders that pass; the order itself where one is searched for by its name alone."""
    asked = {name: _given(visit, name) for name in (*FILTERS, "q")}
    filters = OrderFilter(named=asked["q"] or None, **{name: asked[name] or None for name in FILTERS})
    cursor = visit.query.get("cursor") or None
    found, total = counted_orders_page(visit.parts.database, filters, after=place_of(cursor), limit=PAGE_ROWS)
    if total == 1 and found.orders and filters == OrderFilter(named=filters.named):
        return see(f"/orders/{found.orders[0].task_id}")
    return visit.page(
        OrdersPage(
            asked=asked,
            orders=found.orders,
            total=total,
            cursor=cursor_of(found.next) if found.next else None,
            is_first=cursor is None,
        )
    )


def show_attempts(visit: Visit) -> Response:
    """The attempts of one outcome, or of all that count."""
    named, before = _given(visit, "outcome"), _given(visit, "before")
    outcome = AttemptOutcome(named) if named in list(AttemptOutcome) else None
    place = int(before) if before.isdecimal() and len(before) <= _LONGEST_NUMBER else None
    found = attempts_page(visit.parts.database, outcome, before=place, limit=PAGE_ROWS)
    return visit.page(
        ContactsPage(
            outcome=outcome,
            attempts=found.attempts,
            total=found.total,
            before=found.next,
            is_first=place is None,
        )
    )


def _given(visit: Visit, name: str) -> str:
    """A filter of the address, as far as PostgreSQL can hold it."""
    return visit.query.get(name, "").replace("\x00", "").strip()[:_LONGEST]


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/orders", show_orders),
    page("/contacts", show_attempts),
)
"""The routes of the lists."""
