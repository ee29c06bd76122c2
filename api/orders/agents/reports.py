"""A report of what the fleet did, made by the audit agent (SPEC.md §6)."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.orders.agents.contact import ACCEPTED
from api.orders.agents.performance import work_alone
from api.orders.services import GivenOrders
from api.server.authentication import requires
from api.server.errors import documented
from api.server.route import Route
from api.server.services import Caller
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.orders.agents.reports import Report, ReportWanted
from tools.limits import TOOLS

router = APIRouter(tags=["audit"], route_class=Route)


@router.post(
    "/agents/audit/report",
    summary="Report what was done",
    dependencies=[requires(Scope.AUDIT)],
    responses=documented(Code.STATE_CONFLICT) | ACCEPTED,
    response_model=Report,
)
async def make_report(body: ReportWanted, services: GivenOrders, caller: Caller) -> Any:
    """Counts by state, reason, intent and contact result between two days, on the business clock."""
    given = body.model_dump(mode="json", by_alias=True, exclude_none=True)
    seconds = TOOLS["generate_report"].timeout_seconds
    output = await work_alone(services, "audit.generate_report", given, by=caller.agent_id, seconds=seconds)
    return output if isinstance(output, JSONResponse) else Report(report=dict(output))
