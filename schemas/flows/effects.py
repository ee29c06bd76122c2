"""Effects of general work."""

from dataclasses import dataclass, field

from schemas.core.effects import Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMade(Effect):
    """A report is kept."""

    report_id: str
    run_id: str
    title: str
    body: str = field(repr=False)
