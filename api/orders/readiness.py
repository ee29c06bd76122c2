"""The route of the checklist before going live, for those who look after the installation."""

from fastapi import APIRouter

from api.server.authentication import requires
from api.server.language import AskedLanguage
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.scopes import Scope
from schemas.people.readiness import CheckList, check_list
from tasks.orders.upkeep.readiness import readiness
from tools.calendar.document import load_calendar

router = APIRouter(tags=["audit"], route_class=Route)


@router.get("/check", summary="Whether this can go live", dependencies=[requires(Scope.ADMIN)])
def checklist(parts: GivenParts, language: AskedLanguage) -> CheckList:
    """Every check with what was found and a remedy; what nothing here can tell is `unknown`, and never `ok`."""
    calendar = load_calendar(parts.settings.config_folder / "policies" / "calendar.yaml")
    return check_list(readiness(parts.database, parts.settings, calendar), language)
