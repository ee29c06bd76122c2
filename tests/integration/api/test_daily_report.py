"""The route of the daily report: its forms, its languages, and what it says where it cannot make one."""

import csv
import io
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any

import pytest

from storage.engine.clock import BusinessClock
from tests.support.api.client import ApiClient
from tests.support.factories import READY, answered, submission
from tools.reports.font import find_font

PATH = "/reports/daily/2026-11-30"
MAKES_PDF = find_spec("fpdf") is not None and find_font() is not None


@pytest.mark.parametrize(
    ("form", "media_type", "begins"),
    [
        ("md", "text/markdown; charset=utf-8", "# 每日报告"),
        ("html", "text/html; charset=utf-8", "<!DOCTYPE html>"),
        ("csv", "text/csv; charset=utf-8", "\ufeffday,section"),
    ],
)
def test_a_report_comes_in_the_form_that_is_asked_for(
    api: ApiClient, form: str, media_type: str, begins: str
) -> None:
    answer = api.get(PATH, "operator", params={"format": form})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.content.decode().startswith(begins)
    assert f'filename="daily_report_2026-11-30.{form}"' in answer.headers["content-disposition"]
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.skipif(
    not MAKES_PDF, reason="the extra `reports`, or a font with Chinese letters, is not installed"
)
def test_a_report_comes_as_pdf(api: ApiClient) -> None:
    answer = api.get(PATH, params={"format": "pdf"})
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


@pytest.mark.skipif(MAKES_PDF, reason="PDF can be made here")
def test_where_no_pdf_can_be_made_a_sentence_says_why(api: ApiClient) -> None:
    answer = api.get(PATH, params={"format": "pdf"})
    assert answer.status_code == 409
    assert answer.json()["error"]["message"].startswith("a report as PDF needs")


def test_the_reader_chooses_the_language_by_header_or_by_name(api: ApiClient) -> None:
    def begun(**asked: Any) -> str:
        return api.get(PATH, **asked).text.splitlines()[0]

    assert begun() == "# 每日报告 2026-11-30（周一）"
    assert begun(headers={"Accept-Language": "en-GB,zh;q=0.5"}) == "# Daily report 2026-11-30 (Monday)"
    assert begun(headers={"Accept-Language": "en"}, params={"language": "zh"}).startswith("# 每日报告")


def test_the_numbers_are_those_of_the_orders_there_are(api: ApiClient) -> None:
    with api.house.database.transaction() as work:
        BusinessClock(work).set(datetime(2026, 11, 30, 4, tzinfo=UTC))
    api.house.accept(submission(answered(READY)))
    text = api.get(PATH, params={"format": "csv"}).content.decode("utf-8-sig")
    found = {
        (line["section"], line["column"]): line["value"]
        for line in csv.DictReader(io.StringIO(text, newline=""))
        if (line["table"], line["row"]) == ("figures", "接收工单")
    }
    assert found == {
        ("volume", "day"): "1",
        ("volume", "day_before"): "0",
        ("ledger", "day"): "1",
        ("ledger", "day_before"): "0",
    }


def test_a_day_that_is_none_is_refused(api: ApiClient) -> None:
    for day in ("2026-02-30", "yesterday", "1999-12-31"):
        assert api.get(f"/reports/daily/{day}").status_code == 422
    assert api.get(PATH, params={"format": "docx"}).status_code == 422
