"""WrittenReports that workflows make: written once, read as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import text

from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.flows.tables import reports as reports_table

_KEEP = BulkInsert(reports_table, ("report_id", "run_id", "title", "body"))
_FIND = text("SELECT body FROM reports WHERE report_id = :report_id")


@dataclass(frozen=True, slots=True)
class NewReport:
    """A report of a run."""

    report_id: str
    run_id: str
    title: str
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WrittenReports(Repository):
    """The only code that writes `reports`, but for what removes and erases."""

    def keep(self, reports: Sequence[NewReport]) -> None:
        """Keep these reports."""
        _KEEP(self.connection, [(each.report_id, each.run_id, each.title, each.body) for each in reports])

    def find(self, report_id: str) -> str | None:
        """The Markdown of a report; `None` when there is none of this id."""
        found = self.connection.execute(_FIND, {"report_id": report_id}).scalar_one_or_none()
        return None if found is None else str(found)
