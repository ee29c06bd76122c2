"""A report as CSV: one number a line, so that programs and spreadsheets take it alike."""

import csv
import io
from collections.abc import Iterator
from typing import Final

from tools.charts.table import Cell, DataTable
from tools.reports.document import ReportDocument

COLUMNS: Final = ("day", "section", "table", "row", "column", "value", "unit")
"""The first line: names for programs, the same in every language."""
_MARK: Final = "\ufeff"
"""By which spreadsheets know UTF-8, and show Chinese."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_FIGURES: Final = "figures"


def csv_of(report: ReportDocument) -> str:
    """Every number of the report, with where it stands."""
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(COLUMNS)
    lines.writerows([_cell(cell) for cell in line] for line in _lines(report))
    return _MARK + written.getvalue()


def _lines(report: ReportDocument) -> Iterator[tuple[Cell, ...]]:
    day = report.day.isoformat()
    for section in report.sections:
        for figure in section.figures:
            unit = figure.unit.value.strip()
            yield day, section.code, _FIGURES, figure.name, "day", figure.value, unit
            yield day, section.code, _FIGURES, figure.name, "day_before", figure.before, unit
        if section.chart is not None:
            for row in _cells(section.chart.table):
                yield day, section.code, section.chart.title, *row, section.chart.unit
        if section.table is not None:
            for row in _cells(section.table):
                yield day, section.code, section.title, *row, ""


def _cells(table: DataTable) -> Iterator[tuple[Cell, str, Cell]]:
    for row in table.rows:
        for column, cell in zip(table.columns[1:], row[1:], strict=True):
            yield row[0], column, cell


def _cell(cell: Cell) -> str | float:
    """A cell that no spreadsheet takes for a formula; a number is one, and may be negative."""
    if cell is None:
        return ""
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return cell
