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
from storage.engine.definitions import Definitions
from storage.flows.executions import Executions
from tasks.flows.bpmn_export import picture_of
from tools.diagrams.position import NodeCounts, RunPosition

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
        steps = Executions(work).progress(run.run_id)
        body = Definitions(work).find(run.workflow, run.version)
    # A run of a single action has no definition of its own.
    alone = {"workflow": "action", "version": "1", "steps": [{"id": each.node} for each in steps]}
    position = RunPosition(
        nodes={
            each.node: NodeCounts(done=each.times_done, open=each.times_open, failed=each.times_failed)
            for each in steps
        }
    )
    return Response(picture_of(body or alone, position), media_type=SVG)
