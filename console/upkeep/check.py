"""The checklist before going live."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from console.server.route import page
from console.server.visit import Visit
from schemas.access.scopes import Scope
from schemas.people.readiness import CheckLine, CheckState, check_list
from tasks.orders.upkeep.readiness import readiness

BADGES: Final[Mapping[str, str]] = {
    CheckState.OK: "good",
    CheckState.WARNING: "warn",
    CheckState.FAILED: "danger",
    CheckState.UNKNOWN: "",
}
"""How a state is marked, beside its word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPage:
    """Every check with its remedy."""

    template: ClassVar[str] = "upkeep/check.html"
    page: ClassVar[str] = "check"

    passed: bool
    checks: Sequence[CheckLine]
    counts: Mapping[str, int]
    """How many checks are in each state, in the order of `CheckState`."""
    badges: Mapping[str, str]


def show_check(visit: Visit) -> Response:
    """The checklist as it stands now."""
    parts = visit.parts
    found = check_list(readiness(parts.database, parts.settings, parts.context.calendar), visit.language)
    states = Counter(line.state for line in found.checks)
    return visit.page(
        CheckPage(
            passed=found.passed,
            checks=found.checks,
            counts={state.value: states[state] for state in CheckState},
            badges=BADGES,
        )
    )


ROUTES: Final[tuple[BaseRoute, ...]] = (page("/check", show_check, scope=Scope.ADMIN),)
"""The route of the checklist."""
