"""A report as HTML: a body for a page of a strict policy, and a file of its own."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from schemas.core.language import Language
from tools.charts.svg import svg_of
from tools.charts.table import DataTable
from tools.reports.document import ReportDocument, ReportSection
from tools.reports.wording import WORDS, cell_text, figure_row

_TAGS: Final = {Language.CHINESE: "zh-CN", Language.ENGLISH: "en"}
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""The policy of a file of its own: it loads nothing and runs nothing."""
_STYLE: Final = """
:root { color-scheme: light dark; font-family: 'Noto Sans SC', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei',
  'Segoe UI', Arial, sans-serif; line-height: 1.5; }
body { margin: 0 auto; padding: 1rem; max-width: 48rem; background: light-dark(#fff, #14181d);
  color: light-dark(#1b242c, #e6e9ec); }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.scroll { overflow-x: auto; } .chart { display: block; max-width: 34rem; height: auto; margin: .75rem 0; }
figure { margin: 1rem 0; } figcaption { font-weight: 600; }
table { border-collapse: collapse; margin: .75rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: end; border-bottom: 1px solid light-dark(#d5dbe0, #39424b); }
th:first-child, td:first-child { text-align: start; } .notes { font-size: .9rem; }
@media print { .report-section { break-inside: avoid; } }
"""


def html_of(report: ReportDocument) -> str:
    """The report as a file of its own."""
    return (
        f'<!DOCTYPE html>\n<html lang="{_TAGS[report.language]}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{html_body(report)}\n</main>\n</body>\n</html>\n"
    )


def html_body(report: ReportDocument) -> str:
    """The report to stand within a page: without styles, which the page has."""
    parts = [f'<h1>{escape(report.title)}</h1>\n<p class="made">{escape(report.made)}</p>']
    for section in report.sections:
        heading = f"section-{section.code}"
        inner = "\n".join(_section(report, section))
        parts.append(
            f'<section class="report-section" aria-labelledby="{escape(heading)}">\n'
            f'<h2 id="{escape(heading)}">{escape(section.title)}</h2>\n{inner}\n</section>'
        )
    return "\n".join(parts)


def _section(report: ReportDocument, section: ReportSection) -> Iterator[str]:
    if section.figures:
        words = WORDS[report.language]
        rows = [figure_row(figure, words) for figure in section.figures]
        yield _table(
            (words.figure, words.value, words.before, words.change), rows, f"{section.title} · {words.figure}"
        )
    if section.chart is not None:
        caption = escape(section.chart.title)
        yield f"<figure><figcaption>{caption}</figcaption>{svg_of(section.chart)}</figure>"
        yield _data(section.chart.table, section.chart.title)
    if section.table is not None:
        yield _data(section.table, f"{section.title} · {section.table.columns[0]}")
    if section.notes:
        notes = "".join(f"<li>{escape(note)}</li>" for note in section.notes)
        yield f'<ul class="notes">{notes}</ul>'


def _data(table: DataTable, named: str) -> str:
    return _table(table.columns, [[cell_text(cell) for cell in row] for row in table.rows], named)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], named: str) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    lines = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    # What may have to be scrolled can be reached by the keyboard.
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(named)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )
