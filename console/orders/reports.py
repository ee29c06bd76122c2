"""The daily report as a page, beside the day before, and as files (CONSOLE.md §8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Final

from markupsafe import Markup
from starlette.responses import Response
from starlette.routing import BaseRoute

from api.server.refusal import Refusal, unknown
from console.server.route import page
from console.server.times import ZONE
from console.server.visit import Visit, see
from schemas.core.error import Code
from tasks.orders.explain.daily_report import daily_report
from tasks.orders.people.worklist import business_now
from tools.reports.html import html_body
from tools.reports.pdf import NoPdf
from tools.reports.rendering import ReportFormat, rendered

_DAYS: Final = 14
"""Days that the page names, before the one that is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyReportPage:
    """The report of a day, and the way to the days around it."""

    template: ClassVar[str] = "orders/report.html"
    page: ClassVar[str] = "reports.daily"

    day: date
    today: date
    days: Sequence[date]
    body: Markup
    """Escaped by what has drawn it."""
    forms: Sequence[ReportFormat]


def show_yesterday(visit: Visit) -> Response:
    """The last day that is over."""
    return see(f"/reports/{_today(visit) - timedelta(days=1)}")


def show_day(visit: Visit) -> Response:
    """The report of a day; of today as far as it is."""
    day, today = _day_of(visit), _today(visit)
    report = daily_report(visit.parts.database, day, visit.language)
    return visit.page(
        DailyReportPage(
            day=day,
            today=today,
            days=[today - timedelta(days=back) for back in range(_DAYS)],
            body=Markup(html_body(report)),  # noqa: S704 - escaped where it is drawn
            forms=tuple(ReportFormat),
        )
    )


def send_file(visit: Visit) -> Response:
    """The report of a day as a file."""
    day, form = _day_of(visit), visit.path["form"]
    if form not in list(ReportFormat):
        raise unknown("report", form)
    file = rendered(daily_report(visit.parts.database, day, visit.language), ReportFormat(form))
    if isinstance(file, NoPdf):
        raise Refusal(Code.STATE_CONFLICT, file.reason)
    named = f'attachment; filename="daily_report_{day}.{form}"'
    return Response(file.content, media_type=file.media_type, headers={"Content-Disposition": named})


def _today(visit: Visit) -> date:
    return business_now(visit.parts.database).astimezone(ZONE).date()


def _day_of(visit: Visit) -> date:
    """The day of the address.

    Raises:
        Refusal: it is none, or lies ahead (404).
    """
    given = visit.path["day"]
    try:
        day = date.fromisoformat(given)
    except ValueError:
        raise unknown("day", given) from None
    if day > _today(visit):
        raise unknown("day", given)
    return day


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/reports", show_yesterday),
    page("/reports/{day}", show_day),
    page("/reports/{day}/{form}", send_file),
)
"""The routes of reports."""
