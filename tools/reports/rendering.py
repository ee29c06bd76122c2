"""A report in the form that is asked for."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tools.reports.csv import csv_of
from tools.reports.document import ReportDocument
from tools.reports.font import find_font
from tools.reports.html import html_of
from tools.reports.markdown import markdown_of
from tools.reports.pdf import NoPdf, pdf_of


class ReportFormat(StrEnum):
    """The forms of a report; the value ends the name of its file."""

    MARKDOWN = "md"
    HTML = "html"
    CSV = "csv"
    PDF = "pdf"


MEDIA_TYPES: Final = {
    ReportFormat.MARKDOWN: "text/markdown",
    ReportFormat.HTML: "text/html",
    ReportFormat.CSV: "text/csv",
    ReportFormat.PDF: "application/pdf",
}


@dataclass(frozen=True, slots=True)
class RenderedReport:
    """A file, and what it is."""

    content: bytes
    media_type: str


def rendered(report: ReportDocument, form: ReportFormat) -> RenderedReport | NoPdf:
    """The file of a report; of PDF there may be none, where what makes it is not installed."""
    content = _content(report, form)
    return content if isinstance(content, NoPdf) else RenderedReport(content, MEDIA_TYPES[form])


def _content(report: ReportDocument, form: ReportFormat) -> bytes | NoPdf:
    match form:
        case ReportFormat.MARKDOWN:
            return markdown_of(report).encode()
        case ReportFormat.HTML:
            return html_of(report).encode()
        case ReportFormat.CSV:
            return csv_of(report).encode()
        case ReportFormat.PDF:
            return pdf_of(report, find_font())
