"""A report in each of its forms: the same numbers, and nothing of a text is markup."""

import csv
import io
import logging
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring

from schemas.core.language import Language
from tools.charts.chart import Series, Trends
from tools.charts.svg import svg_of
from tools.charts.table import DataTable
from tools.reports.csv import COLUMNS, csv_of
from tools.reports.document import FigureUnit, ReportDocument, ReportFigure, ReportSection
from tools.reports.font import find_font
from tools.reports.html import html_body, html_of
from tools.reports.markdown import markdown_of
from tools.reports.pdf import NO_FONT, NoPdf, pdf_of

CHART = Trends(
    title="七日趋势",
    description="每天接收的工单。",
    axis="日期",
    labels=("11-29", "11-30"),
    series=(Series("接收工单", (1305, 1320)),),
)
REPORT = ReportDocument(
    title="每日报告 2026-11-30",
    day=date(2026, 11, 30),
    made="数据读取于 2026-12-01 08:30",
    language=Language.CHINESE,
    sections=(
        ReportSection(
            code="volume",
            title="接收量",
            figures=(
                ReportFigure("接收工单", 1320, 1305),
                ReportFigure("自动执行率", 87.2, 90.0, FigureUnit.PERCENT),
                ReportFigure("唤醒延迟", None, 0.5, FigureUnit.SECONDS),
            ),
            chart=CHART,
            table=DataTable(("来源", "工单"), (("api", 1300), ("amqp", 20))),
            notes=("含当日撤销的工单。",),
        ),
    ),
)
HOSTILE = "</td><script>alert(1)</script> | *x* `y`\n# z"


def hostile() -> ReportDocument:
    section = ReportSection(
        code="volume",
        title=HOSTILE,
        figures=(ReportFigure(HOSTILE, 1, 1),),
        chart=replace(CHART, title=HOSTILE, description=HOSTILE, axis=HOSTILE),
        table=DataTable((HOSTILE, "n"), ((HOSTILE, HOSTILE),)),
        notes=(HOSTILE,),
    )
    return replace(REPORT, title=HOSTILE, made=HOSTILE, sections=(section,))


def test_markdown_shows_each_figure_beside_the_day_before_and_what_changed() -> None:
    written = markdown_of(REPORT).splitlines()
    assert "| 指标 | 当日 | 前一日 | 变化 |" in written
    assert "| 接收工单 | 1,320 | 1,305 | +15 |" in written
    assert "| 自动执行率 | 87.2% | 90% | −2.8 个百分点 |" in written
    assert "| 唤醒延迟 | – | 0.5 s | – |" in written


def test_markdown_has_the_numbers_of_a_chart_as_a_table_and_the_notes() -> None:
    written = markdown_of(REPORT).splitlines()
    assert written[written.index("| 日期 | 接收工单 |") + 2] == "| 11-29 | 1,305 |"
    assert "| amqp | 20 |" in written
    assert "- 含当日撤销的工单。" in written


def test_the_heads_of_columns_are_in_the_language_of_the_report() -> None:
    assert "| Figure | This day | Day before | Change |" in markdown_of(
        replace(REPORT, language=Language.ENGLISH)
    )


def test_no_text_is_markup_in_markdown() -> None:
    lines = markdown_of(hostile()).splitlines()
    assert not [line for line in lines if "<script" in line.replace("\\<", "")]
    rows = [line for line in lines if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {3, 5}
    assert [line for line in lines if line.startswith("# ")] == [lines[0]]


def test_the_body_within_a_page_has_no_style_or_script_and_holds_the_chart() -> None:
    root = fromstring(f"<div>{html_body(REPORT)}</div>")
    assert not [
        each for each in root.iter() if each.tag.endswith(("style", "script")) or "style" in each.attrib
    ]
    assert svg_of(CHART) in html_body(REPORT)
    cells = [each.text for each in root.iter("td")]
    assert cells[:3] == ["1,320", "1,305", "+15"]
    assert [each.text for each in root.iter("th")][-2:] == ["api", "amqp"]


def test_a_file_of_its_own_loads_and_runs_nothing() -> None:
    written = html_of(REPORT)
    assert "default-src &#x27;none&#x27;" in written
    assert '<html lang="zh-CN">' in written
    assert html_body(REPORT) in written
    assert not [word for word in ("<script", "<link", "<img", "@import", "url(") if word in written]


def test_no_text_is_markup_in_html() -> None:
    root = fromstring(f"<div>{html_body(hostile())}</div>")
    assert not [each for each in root.iter() if each.tag.endswith("script")]
    assert HOSTILE in [each.text for each in root.iter("td")]


def lines_of(report: ReportDocument) -> list[dict[str, str]]:
    text = csv_of(report)
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_csv_has_every_number_once_with_where_it_stands() -> None:
    lines = [tuple(line[column] for column in COLUMNS) for line in lines_of(REPORT)]
    assert lines == [
        ("2026-11-30", "volume", "figures", "接收工单", "day", "1320", ""),
        ("2026-11-30", "volume", "figures", "接收工单", "day_before", "1305", ""),
        ("2026-11-30", "volume", "figures", "自动执行率", "day", "87.2", "%"),
        ("2026-11-30", "volume", "figures", "自动执行率", "day_before", "90.0", "%"),
        ("2026-11-30", "volume", "figures", "唤醒延迟", "day", "", "s"),
        ("2026-11-30", "volume", "figures", "唤醒延迟", "day_before", "0.5", "s"),
        ("2026-11-30", "volume", "七日趋势", "11-29", "接收工单", "1305", ""),
        ("2026-11-30", "volume", "七日趋势", "11-30", "接收工单", "1320", ""),
        ("2026-11-30", "volume", "接收量", "api", "工单", "1300", ""),
        ("2026-11-30", "volume", "接收量", "amqp", "工单", "20", ""),
    ]


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_no_spreadsheet_takes_a_text_for_a_formula(formula: str) -> None:
    section = replace(REPORT.sections[0], table=DataTable(("来源", "工单"), ((formula, -1),)))
    last = lines_of(replace(REPORT, sections=(section,)))[-1]
    assert last["row"] == f"'{formula}"
    assert last["value"] == "-1"


def test_a_pdf_without_a_chinese_font_says_so_in_a_sentence(tmp_path: Path) -> None:
    assert pdf_of(REPORT, find_font([tmp_path])) == NoPdf(NO_FONT)


def test_a_font_is_found_by_its_name_in_any_folder_and_the_best_of_them(tmp_path: Path) -> None:
    for name in ("some/wqy-microhei.ttc", "other/NotoSansCJK-Regular.ttc", "other/Arial.ttf"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
    found = find_font([tmp_path])
    assert found is not None
    assert (found.path, found.place) == (tmp_path / "other" / "NotoSansCJK-Regular.ttc", 2)


def pdf(report: ReportDocument) -> bytes:
    pytest.importorskip("fpdf", reason="the extra `reports` is not installed")
    font = find_font()
    if font is None:
        pytest.skip("no font with Chinese letters is installed")
    made = pdf_of(report, font)
    assert isinstance(made, bytes)
    return made


def test_a_pdf_holds_the_words_and_numbers_of_the_report_and_of_its_chart(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pypdf = pytest.importorskip("pypdf", reason="what reads PDF is not installed")
    with caplog.at_level(logging.WARNING):
        made = pdf(REPORT)
    assert not caplog.records
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages).replace(
        "\x00", ""
    )
    for word in ("每日报告 2026-11-30", "接收量", "1,320", "+15", "87.2%", "七日趋势", "含当日撤销的工单。"):
        assert word in text
    # Of the table, and of the axis of the picture.
    assert text.count("11-29") == 2


def test_the_same_report_makes_the_same_pdf() -> None:
    assert pdf(REPORT) == pdf(REPORT)
