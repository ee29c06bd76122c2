"""What a report is asked for with, and what it holds."""

from datetime import date
from typing import Any

from pydantic import ConfigDict, Field

from schemas.core.form import Sent, Succeeded


class ReportWanted(Sent):
    """The days to report on."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"from": "2026-03-01", "to": "2026-03-31"}]},
    )

    first: date | None = Field(default=None, alias="from")
    last: date | None = Field(default=None, alias="to")


class Report(Succeeded):
    """What was done in those days, in numbers."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {"success": True, "report": {"orders": {"closed": 120}, "contacts": {"answered": 180}}}
            ]
        },
    )

    report: dict[str, Any]
