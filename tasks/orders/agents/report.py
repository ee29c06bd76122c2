"""The audit agent's report: what became of the orders of some days, in numbers (seed 000 section 五)."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from engine.actions import Batch
from engine.outcomes import Done, Failed, Outcome, TryAgain
from schemas.core.parameters import problems_with
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.orders.report import Reports
from tasks.orders.rules.context import Context
from tools.contact_policy.zone import DEFAULT_ZONE
from tools.limits import TOOLS

_DAYS: Final = 7
"""Days a report covers that names no first one, the last one included."""
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
_DAY: Final = {"type": "string", "format": "date"}

REPORT: Final[Mapping[str, object]] = {
    "type": "object",
    "properties": {"from": _DAY, "to": _DAY},
    "additionalProperties": False,
}
"""What `audit.generate_report` takes: the first and the last day, in business time."""


def generate_reports(context: Context, batch: Batch) -> Mapping[int, Outcome]:
    """The report of each step's days; pure, so it may be repeated."""
    today = batch.moments.business_now.astimezone(ZoneInfo(DEFAULT_ZONE)).date()
    return {step.step_id: generate_report(context.database, step.input, today) for step in batch.steps}


def generate_report(database: Database, given: Mapping[str, Any], today: date) -> Outcome:
    """The counts of these days; without days the week that ends today. Read within the tool's time limit."""
    problems = problems_with(given, REPORT, "input")
    if problems:
        return Failed(
            code="invalid_input", message="; ".join(f"{each.field} {each.message}" for each in problems)
        )
    last = date.fromisoformat(given["to"]) if "to" in given else today
    first = date.fromisoformat(given["from"]) if "from" in given else last - timedelta(days=_DAYS - 1)
    if not _FIRST_DAY <= first <= last <= _LAST_DAY:
        return Failed(
            code="invalid_input",
            message=f"the first day must not come after the last, and both lie between {_FIRST_DAY} and {_LAST_DAY}",
        )
    opens, ends = _midnight(first), _midnight(last + timedelta(days=1))
    try:
        with database.snapshot(statement_seconds=TOOLS["generate_report"].timeout_seconds) as work:
            found = Reports(work).of_period(opens, ends)
    except StorageUnavailable as error:
        return TryAgain(code="unavailable", message=f"the report could not be read in time: {error}")
    return Done(
        output={"from": first.isoformat(), "to": last.isoformat(), "zone": DEFAULT_ZONE, **asdict(found)}
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(DEFAULT_ZONE))
