"""What a report is asked for with, and what it holds."""

from datetime import date
from typing import Any

from pydantic import Field

from schemas.core.form import Sent, Succeeded


class ReportWanted(Sent):
    """The days to report on."""

    first: date | None = Field(default=None, alias="from")
    last: date | None = Field(default=None, alias="to")


class Report(Succeeded):
    """What was done in those days, in numbers."""

    report: dict[str, Any]
