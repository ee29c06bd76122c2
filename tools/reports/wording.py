"""The words that every report has, and numbers as they are read."""

from dataclasses import dataclass
from typing import Final

from schemas.core.language import Language
from tools.charts.scale import number
from tools.charts.table import Cell
from tools.reports.document import FigureUnit, ReportFigure

NOTHING: Final = "–"
"""What stands where there is no number."""


@dataclass(frozen=True, slots=True)
class ReportWords:
    """The heads of columns, and what stands behind a difference of shares."""

    figure: str
    value: str
    before: str
    change: str
    points: str


WORDS: Final = {
    Language.CHINESE: ReportWords("指标", "当日", "前一日", "变化", " 个百分点"),
    Language.ENGLISH: ReportWords("Figure", "This day", "Day before", "Change", " pp"),
}


def figure_row(figure: ReportFigure, words: ReportWords) -> tuple[str, str, str, str]:
    """A figure, the day before, and what changed; a share by points."""
    change = NOTHING
    if figure.value is not None and figure.before is not None:
        difference = figure.value - figure.before
        sign = "+" if difference > 0 else "−" if difference < 0 else "±"
        unit = words.points if figure.unit is FigureUnit.PERCENT else figure.unit.value
        change = f"{sign}{_amount(abs(difference), figure.unit)}{unit}"
    return figure.name, shown(figure.value, figure.unit), shown(figure.before, figure.unit), change


def shown(value: float | None, unit: FigureUnit) -> str:
    """A number with its unit."""
    return NOTHING if value is None else f"{_amount(value, unit)}{unit.value}"


def cell_text(cell: Cell) -> str:
    """What a cell of a table shows."""
    if cell is None:
        return NOTHING
    return cell if isinstance(cell, str) else number(cell)


def _amount(value: float, unit: FigureUnit) -> str:
    """Seconds to the hundredth, all else to the tenth."""
    return f"{round(value, 2):g}" if unit is FigureUnit.SECONDS else number(value)
