"""The route of the daily report."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.language import Language, language_of
from schemas.orders.capacity import GivenDay
from tasks.orders.explain.daily_report import daily_report
from tools.reports.html import POLICY
from tools.reports.pdf import NoPdf
from tools.reports.rendering import MEDIA_TYPES, ReportFormat, rendered

router = APIRouter(prefix="/reports", tags=["audit"], route_class=Route)


@router.get(
    "/daily/{day}",
    summary="The report of a day",
    dependencies=[requires(Scope.READ)],
    response_class=Response,
    responses={
        200: {"content": {media_type: {"schema": {"type": "string"}} for media_type in MEDIA_TYPES.values()}},
        **documented(Code.STATE_CONFLICT),
    },
)
def show_daily_report(
    day: Annotated[GivenDay, Path(description="A business day; one that is not over is reported so far.")],
    parts: GivenParts,
    form: Annotated[
        ReportFormat,
        Query(alias="format", description="Its form; PDF where the extra `reports` is installed."),
    ] = ReportFormat.MARKDOWN,
    language: Annotated[
        Language | None, Query(description="By `Accept-Language` where it is left out.")
    ] = None,
    accept_language: Annotated[
        str | None,
        Header(description="Which of both languages is liked best; Chinese where it names neither."),
    ] = None,
) -> Response:
    """What came in, who was reached, what was decided, where the day's orders are, beside the day before."""
    report = daily_report(parts.database, day, language or language_of(accept_language))
    file = rendered(report, form)
    if isinstance(file, NoPdf):
        raise Refusal(Code.STATE_CONFLICT, file.reason)
    return Response(
        file.content,
        media_type=file.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="daily_report_{day}.{form.value}"',
            "Content-Security-Policy": f"{POLICY}; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Vary": "Accept-Language",
        },
    )
