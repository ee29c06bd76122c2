"""A report as a value: sections of figures, charts and tables, in the language of its reader."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from schemas.core.language import Language
from tools.charts.chart import Chart
from tools.charts.table import DataTable


class FigureUnit(StrEnum):
    """What a figure counts; the value stands behind the number."""

    COUNT = ""
    PERCENT = "%"
    SECONDS = " s"


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """A number with its name, and the same of the day before; `None` where there is none."""

    name: str
    value: float | None
    before: float | None
    unit: FigureUnit = FigureUnit.COUNT


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSection:
    """A part of a report.

    Attributes:
        code: What it is, for programs; the same in every language.
        title: What it is, for people.
        figures: Its numbers beside those of the day before.
        chart: A picture of some of them, with its own table.
        table: Further numbers.
        notes: What must be known to read them.
    """

    code: str
    title: str
    figures: tuple[ReportFigure, ...] = ()
    chart: Chart | None = None
    table: DataTable | None = None
    notes: tuple[str, ...] = ()

    @property
    def tables(self) -> tuple[DataTable, ...]:
        """The table of its chart and its own."""
        drawn = () if self.chart is None else (self.chart.table,)
        return drawn if self.table is None else (*drawn, self.table)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDocument:
    """A report of a day.

    Attributes:
        title: What it is, with its day.
        day: The business day.
        made: When its numbers were read, in words.
        language: Of everything in it.
        sections: Its parts, in order.
    """

    title: str
    day: date
    made: str
    language: Language
    sections: tuple[ReportSection, ...]
