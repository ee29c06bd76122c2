"""A report as Markdown: a chart is its table."""

from collections.abc import Iterator, Sequence

from tools.charts.table import DataTable
from tools.reports.document import ReportDocument, ReportSection
from tools.reports.wording import WORDS, cell_text, figure_row


def markdown_of(report: ReportDocument) -> str:
    """The whole report."""
    parts = [f"# {_text(report.title)}", _text(report.made)]
    for section in report.sections:
        parts += _section(report, section)
    return "\n\n".join(parts) + "\n"


def _section(report: ReportDocument, section: ReportSection) -> Iterator[str]:
    yield f"## {_text(section.title)}"
    if section.figures:
        words = WORDS[report.language]
        rows = [figure_row(figure, words) for figure in section.figures]
        yield _table((words.figure, words.value, words.before, words.change), rows)
    for table in section.tables:
        yield _data(table)
    yield from (f"- {_text(note)}" for note in section.notes)


def _data(table: DataTable) -> str:
    return _table(table.columns, [[cell_text(cell) for cell in row] for row in table.rows])


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    ruled = ["---", *["---:"] * (len(columns) - 1)]
    lines = [[_text(cell) for cell in columns], ruled, *([_text(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(text: str) -> str:
    """Text of one line: nothing of it is markup."""
    line = " ".join(text.split())
    for sign in "\\`*_[]<>|#":
        line = line.replace(sign, f"\\{sign}")
    return line
