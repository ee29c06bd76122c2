"""The overview: the ledger, where every number leads to exactly its rows, and how the fleet does (CONSOLE.md §5)."""

from dataclasses import dataclass
from typing import ClassVar, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from console.server.route import page
from console.server.services import services_of
from console.server.visit import Visit
from storage.orders.figures.feeds import LATENESS_EDGES
from storage.orders.figures.figures import Histogram
from storage.orders.lists.attempt_list import AttemptOutcome
from tasks.orders.explain.lists import OrderLedger
from tasks.orders.explain.overview import COLUMNS, FleetOverview, overview_of

SHARES: Final = (0.5, 0.95, 0.99)
"""Of the lateness of timers, as the page names them: p50, p95, p99."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewPage:
    """Where everything stands."""

    template: ClassVar[str] = "orders/overview.html"
    page: ClassVar[str] = "orders.overview"

    ledger: OrderLedger
    fleet: FleetOverview
    flower: str | None
    grafana: str | None
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    shares: ClassVar[tuple[float, ...]] = SHARES
    slowest: ClassVar[float] = LATENESS_EDGES[-1]
    outcomes: ClassVar[tuple[AttemptOutcome, ...]] = tuple(
        outcome for outcome in AttemptOutcome if outcome is not AttemptOutcome.REFUSED
    )

    @staticmethod
    def edge(found: Histogram, share: float) -> float | None:
        """The seconds that this share was at most late; `None` where it is more than can be said."""
        return found.edge_of(share, LATENESS_EDGES)


def show_overview(visit: Visit) -> Response:
    """Everything at this moment; a server that is away is a problem named on the page."""
    parts = visit.parts
    return visit.page(
        OverviewPage(
            ledger=services_of(visit.request).ledger.read(),
            fleet=overview_of(parts.database, parts.publisher, parts.agents.queues, parts.context.calendar),
            flower=parts.settings.flower_url,
            grafana=parts.settings.grafana_url,
        )
    )


ROUTES: Final[tuple[BaseRoute, ...]] = (page("/overview", show_overview),)
"""The route of the overview."""
