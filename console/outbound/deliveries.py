"""The page of webhook deliveries: the state and the last answer of each, and sending one or many again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from api.server.refusal import unknown
from console.server.fields import PAGE_ROWS, chosen, moment_in, named, names_in, query_of
from console.server.form import EMPTY, Form
from console.server.route import change, page
from console.server.visit import Visit
from schemas.access.scopes import Scope
from storage.outbound.deliveries import Delivery, ReplayResult
from storage.outbound.subscribers import Subscriber
from tasks.outbound.delivery_log import (
    DeliveryFilter,
    ReplayedSince,
    list_deliveries,
    replay_delivery,
    replay_since,
)
from tasks.outbound.subscriptions import list_subscribers

STATES: Final = ("waiting", "delivered", "given_up")
_CURSOR: Final = re.compile(r"msg_[0-9a-f]{1,28}")
_CONFLICT: Final = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesPage:
    """Deliveries, with the results of what was just sent again."""

    template: ClassVar[str] = "outbound/deliveries.html"
    page: ClassVar[str] = "webhooks.deliveries"
    states: ClassVar[Sequence[str]] = STATES

    wanted: DeliveryFilter
    rows: Sequence[Delivery]
    subscribers: Sequence[Subscriber]
    next: str | None
    form: Form = EMPTY
    results: Sequence[tuple[str, ReplayResult]] = ()
    replayed: int | None = None
    """How many are sent again since a moment."""
    refusal: str | None = None

    def query(self, cursor: str | None = None) -> str:
        """The query of this list."""
        wanted = self.wanted
        return query_of(
            {
                "subscriber": wanted.subscriber_id,
                "task": wanted.task_id,
                "state": wanted.state,
                "failed": "1" if wanted.failed else None,
                "cursor": cursor,
            }
        )

    @property
    def addresses(self) -> dict[str, str]:
        """The address of each subscriber by its id."""
        return {subscriber.subscriber_id: subscriber.url for subscriber in self.subscribers}


def show_deliveries(visit: Visit) -> Response:
    """Deliveries as the query asks for them."""
    return visit.page(_page(visit))


def send_again(visit: Visit) -> Response:
    """Send what was chosen again, with a result each; or all of a subscriber since a moment."""
    if visit.form["do"] == "since":
        return _send_since(visit)
    ids = names_in(visit.form, "chosen")
    if not ids:
        form = visit.form.with_faults(chosen="webhooks.fault.nothing")
        return visit.faulty(replace(_page(visit), form=form))
    database = visit.parts.database
    results = [(delivery_id, replay_delivery(database, delivery_id, by=visit.login)) for delivery_id in ids]
    return visit.page(replace(_page(visit), results=results))


def _send_since(visit: Visit) -> Response:
    form = visit.form
    since = _since(form)
    if since is None:
        return visit.faulty(replace(_page(visit), form=form.with_faults(since="webhooks.fault.since")))
    subscriber_id = next(iter(names_in(form, "subscriber_id")), None)
    if subscriber_id is None:
        raise unknown("subscriber", form["subscriber_id"])
    result: ReplayedSince = replay_since(
        visit.parts.database,
        subscriber_id,
        since,
        failed=bool(form["only_failed"]),
        by=visit.login,
    )
    if result.outcome is ReplayResult.UNKNOWN:
        raise unknown("subscriber", form["subscriber_id"])
    if result.outcome is ReplayResult.INACTIVE:
        refused = replace(_page(visit), form=form, refusal="webhooks.result.inactive")
        return visit.page(refused, _CONFLICT)
    return visit.page(replace(_page(visit), replayed=result.count))


def _since(form: Form) -> datetime | None:
    try:
        return moment_in(form["since"])
    except (ValueError, OverflowError):
        return None


def _page(visit: Visit) -> DeliveriesPage:
    wanted = DeliveryFilter(
        subscriber_id=named(visit, "subscriber"),
        task_id=named(visit, "task"),
        state=chosen(visit, "state", STATES),
        failed=bool(visit.query.get("failed")),
    )
    cursor = visit.query.get("cursor", "")
    before = cursor if _CURSOR.fullmatch(cursor) else None
    found = list_deliveries(visit.parts.database, wanted, before=before, limit=PAGE_ROWS + 1)
    rows = found[:PAGE_ROWS]
    return DeliveriesPage(
        wanted=wanted,
        rows=rows,
        subscribers=list_subscribers(visit.parts.database),
        next=rows[-1].delivery_id if len(found) > len(rows) else None,
    )


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/webhooks/deliveries", show_deliveries, scope=Scope.WEBHOOKS),
    change("/webhooks/deliveries", send_again, scope=Scope.WEBHOOKS),
)
"""The routes of deliveries."""
