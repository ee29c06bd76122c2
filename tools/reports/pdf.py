"""A report as PDF, where the extra `reports` and a Chinese font are installed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final

from schemas.core.language import Language
from tools.charts.chart import Chart
from tools.charts.svg import svg_of
from tools.charts.table import DataTable
from tools.reports.document import ReportDocument, ReportSection
from tools.reports.font import ChineseFont
from tools.reports.wording import WORDS, cell_text, figure_row

if TYPE_CHECKING:
    from fpdf import FPDF

_FAMILY: Final = "report"
_TAGS: Final = {Language.CHINESE: "zh-CN", Language.ENGLISH: "en"}
_CHART_WIDTH: Final = 110.0
"""Millimetres."""
_TITLE, _HEADING, _TEXT, _SMALL = 16, 12, 9.5, 8.5

NO_FONT: Final = (
    "a report as PDF needs a font with Chinese letters, and none is installed: install one "
    "(Debian: fonts-noto-cjk), or ask for html"
)
NO_EXTRA: Final = (
    "a report as PDF needs the extra `reports`: install it (pip install 'unpend[reports]'), or ask for html"
)


@dataclass(frozen=True, slots=True)
class NoPdf:
    """There is no PDF here, and why, in a sentence."""

    reason: str


def pdf_of(report: ReportDocument, font: ChineseFont | None) -> bytes | NoPdf:
    """The whole report; the font is embedded as far as it is used."""
    if font is None:
        return NoPdf(NO_FONT)
    try:
        from fpdf import FPDF
    except ImportError:
        return NoPdf(NO_EXTRA)
    pdf = FPDF(format="A4")
    pdf.set_title(report.title)
    pdf.set_lang(_TAGS[report.language])
    # The same report makes the same bytes.
    pdf.set_creation_date(datetime.combine(report.day, time(), tzinfo=UTC))
    pdf.add_font(_FAMILY, fname=font.path, collection_font_number=font.place)
    pdf.set_auto_page_break(auto=True, margin=15)
    pdf.add_page()
    _line(pdf, report.title, _TITLE)
    _line(pdf, report.made, _SMALL)
    for section in report.sections:
        _section(pdf, report, section)
    return bytes(pdf.output())


def _section(pdf: FPDF, report: ReportDocument, section: ReportSection) -> None:
    pdf.ln(4)
    _line(pdf, section.title, _HEADING)
    if section.figures:
        words = WORDS[report.language]
        rows = [figure_row(figure, words) for figure in section.figures]
        _table(pdf, (words.figure, words.value, words.before, words.change), rows)
    if section.chart is not None:
        _picture(pdf, section.chart)
    for table in section.tables:
        _data(pdf, table)
    for note in section.notes:
        _line(pdf, note, _SMALL)


def _picture(pdf: FPDF, chart: Chart) -> None:
    pdf.ln(2)
    _line(pdf, chart.title, _TEXT)
    # fpdf2 knows no title or description within a picture, and would warn of each.
    begun, _, captioned = svg_of(chart, font=_FAMILY).partition("<title>")
    drawn = begun + captioned.partition("</desc>")[2]
    pdf.image(io.BytesIO(drawn.encode()), w=_CHART_WIDTH, alt_text=chart.description)


def _data(pdf: FPDF, table: DataTable) -> None:
    _table(pdf, table.columns, [[cell_text(cell) for cell in row] for row in table.rows])


def _table(pdf: FPDF, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from fpdf.enums import TableBordersLayout
    from fpdf.fonts import FontFace

    pdf.ln(2)
    pdf.set_font(_FAMILY, size=_TEXT)
    with pdf.table(
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=FontFace(emphasis="", fill_color=(235, 238, 241)),
        text_align=("LEFT", *["RIGHT"] * (len(columns) - 1)),
        line_height=5,
        wrapmode="CHAR",
    ) as table:
        for row in (columns, *rows):
            table.row(row)


def _line(pdf: FPDF, text: str, size: float) -> None:
    pdf.set_font(_FAMILY, size=size)
    pdf.multi_cell(0, text=text, wrapmode="CHAR", new_x="LMARGIN", new_y="NEXT")
