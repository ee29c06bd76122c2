"""The route of the reports that workflows make."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.identifier import Identifier
from storage.flows.reports import WrittenReports

router = APIRouter(prefix="/reports", tags=["reports"], route_class=Route)

_MARKDOWN = "text/markdown"


@router.get(
    "/{report_id}",
    summary="A report, as Markdown",
    dependencies=[requires(Scope.READ)],
    response_class=Response,
    responses={
        200: {"content": {_MARKDOWN: {"schema": {"type": "string"}}}},
        **documented(Code.NOT_FOUND),
    },
)
def find_report(
    report_id: Annotated[Identifier, Path(description="As the step `general.report` returned it.")],
    parts: GivenParts,
) -> Response:
    """What a workflow's step `general.report` has made; it never changes."""
    with parts.database.transaction() as work:
        body = WrittenReports(work).find(report_id)
    if body is None:
        raise unknown("report", report_id)
    return Response(body, media_type=_MARKDOWN, headers={"X-Content-Type-Options": "nosniff"})
