"""The route that draws an execution: its definition, and where it stands in it."""

from fastapi import APIRouter, Response

from api.flows.bpmn import BINARY, SVG
from api.flows.executions.reading import ExecutionId, found_in, run_in
from api.server.authentication import requires
from api.server.errors import documented
from api.server.route import Route
from api.server.services import GivenParts
from api.task_intake import GivenIntake
from schemas.access.scopes import Scope
from schemas.core.error import Code
from tasks.flows.run_picture import run_picture

router = APIRouter(prefix="/executions", tags=["executions"], route_class=Route)


@router.get(
    "/{execution_id}/diagram.svg",
    summary="A picture of where an execution stands",
    dependencies=[requires(Scope.READ)],
    response_class=Response,
    responses={**documented(Code.NOT_FOUND), 200: {"content": {SVG: BINARY}}},
)
def draw_execution(execution_id: ExecutionId, parts: GivenParts, intake: GivenIntake) -> Response:
    """The diagram of its version, with what is done, open and failed, and how often."""
    with parts.database.transaction() as work:
        run = run_in(work, found_in(work, execution_id, intake.forms))
        return Response(run_picture(work, run), media_type=SVG)
