"""The daily report: each number is that of the day's rows, and the accounts come out even."""

from datetime import UTC, date, datetime, timedelta

import pytest

from schemas.core.language import Language
from storage.core.database import Database
from storage.engine.clock import BusinessClock
from storage.orders.figures.figures import Figures
from tasks.orders.explain.daily_report import daily_report
from tasks.orders.explain.day_numbers import DayNumbers, numbers_of
from tasks.orders.upkeep.counting import count
from tests.support.factories import READY, answered, silent, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.recorded_work import order, record_alert, review, step, write
from tools.reports.document import ReportDocument, ReportFigure, ReportSection

DAY = date(2026, 11, 30)
NOON = datetime(2026, 11, 30, 4, tzinfo=UTC)
"""Noon of the day in China."""
COMPLAINT = "我要投诉你们，太差劲了"


def at(database: Database, moment: datetime) -> None:
    with database.transaction() as work:
        BusinessClock(work).set(moment)


def numbers(database: Database, day: date = DAY) -> DayNumbers:
    with database.snapshot() as work:
        return numbers_of(work, Figures(work).counters(), day)


def report(database: Database, language: Language = Language.CHINESE) -> ReportDocument:
    return daily_report(database, DAY, language)


def section(document: ReportDocument, code: str) -> ReportSection:
    return next(each for each in document.sections if each.code == code)


def figures(document: ReportDocument, code: str) -> dict[str, tuple[float | None, float | None]]:
    return {each.name: (each.value, each.before) for each in section(document, code).figures}


@pytest.fixture
def lived(house: InProcessFleet) -> InProcessFleet:
    """A day with a visit arranged, one that nobody answered, and a complaint that waits for a person."""
    at(house.database, NOON)
    house.accept(
        submission(answered(READY)), submission(silent(), contact_count=3), submission(answered(COMPLAINT))
    )
    house.run()
    # The last attempt is a message, which waits for an answer; here it was a call.
    called = (
        "UPDATE contact_logs SET contact_method = 'phone', status = 'concluded', contact_result = 'no_answer'"
    )
    write(house.database, f"{called} WHERE contact_result <> 'answered'")
    return house


def test_the_orders_of_a_day_are_closed_for_a_reason_or_open_in_a_state(lived: InProcessFleet) -> None:
    shown = section(report(lived.database), "ledger")
    assert [each.value for each in shown.figures] == [3, 1, 2, 0]
    assert shown.table is not None
    accounts = {str(name): orders for name, orders in shown.table.rows}
    assert accounts["结案 · 客户同意上门"] == 1
    assert accounts["接收 · 命令行"] == 3
    assert [n for name, n in accounts.items() if name.startswith("未结案")] == [1, 1]


def test_an_order_that_was_closed_for_no_reason_is_a_difference(lived: InProcessFleet) -> None:
    write(lived.database, "UPDATE tasks SET finish_reason = NULL WHERE status = 'closed'")
    assert numbers(lived.database).difference == 1


def test_contacts_are_counted_by_what_came_of_them_in_their_hour_and_channel(lived: InProcessFleet) -> None:
    found = numbers(lived.database)
    assert found.outcomes == {"answered": 2, "silent": 1, "awaited": 0, "unknown": 0}
    assert {(each.hour, each.channel) for each in found.contacts} == {(12, "phone")}
    assert found.answer_rate == 66.7


@pytest.mark.parametrize(
    ("status", "result", "outcome"),
    [("sending", "pending", "unknown"), ("sent", "pending", "awaited"), ("sent", "delivered", "awaited"),
     ("concluded", "busy", "silent"), ("refused", "pending", None)],
)  # fmt: skip
def test_each_contact_has_one_outcome_and_what_never_left_is_none(
    lived: InProcessFleet, status: str, result: str, outcome: str | None
) -> None:
    before = numbers(lived.database)
    changed = "UPDATE contact_logs SET status = :status, contact_result = :result WHERE contact_result = 'no_answer'"
    write(lived.database, changed, status=status, result=result)
    after = numbers(lived.database)
    assert after.intended == before.intended - (outcome is None)
    expected = {"answered": 2, "silent": 0, "awaited": 0, "unknown": 0}
    assert after.outcomes == expected | ({outcome: 1} if outcome else {})


def test_what_the_customer_began_is_no_contact_of_ours(lived: InProcessFleet) -> None:
    write(lived.database, "UPDATE contact_logs SET direction = 'inbound' WHERE contact_result = 'no_answer'")
    assert numbers(lived.database).outcomes["silent"] == 0


def test_a_contact_of_the_evening_is_of_its_own_day_in_china(lived: InProcessFleet) -> None:
    late = datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC)
    write(lived.database, "UPDATE contact_logs SET contact_time = :late", late=late)
    assert {each.hour for each in numbers(lived.database).contacts} == {23}
    write(lived.database, "UPDATE contact_logs SET contact_time = :late", late=late + timedelta(seconds=1))
    assert numbers(lived.database).intended == 0
    assert {each.hour for each in numbers(lived.database, DAY + timedelta(days=1)).contacts} == {0}


def test_the_share_without_a_person_is_of_the_orders_whose_fate_is_known(lived: InProcessFleet) -> None:
    found = section(report(lived.database), "automation")
    assert found.figures == (ReportFigure("自动执行率", 50.0, None, found.figures[0].unit),)
    assert found.chart is not None
    assert found.chart.table.rows == (("自动执行", 1, 50.0), ("经人工处理", 1, 50.0))


def test_reviews_are_counted_when_they_are_opened_decided_and_overdue(database: Database) -> None:
    at(database, NOON)
    for nth in range(4):
        order(database, f"HT{nth}")
        review(database, f"HT{nth}")
    write(
        database,
        "UPDATE reviews SET state = 'decided', decided_at = business_now(), "
        "opened_at = opened_at - interval '30 hours' WHERE task_id = 'HT0'",
        "UPDATE reviews SET state = 'cancelled', decided_at = business_now() WHERE task_id = 'HT1'",
    )
    record_alert(database, "review_overdue")
    shown = figures(report(database), "reviews")
    assert shown == {"新增复核": (3, 1), "完成复核": (1, 0), "超时复核": (1, 0)}


def test_alerts_are_listed_by_type_beside_the_day_before_and_hold_no_number(database: Database) -> None:
    at(database, NOON - timedelta(days=1))
    record_alert(database, "callback_fault")
    at(database, NOON)
    record_alert(database, "callback_fault")
    record_alert(database, "called 13912345678")
    shown = section(report(database), "alerts")
    assert shown.table is not None
    assert shown.table.rows == (("callback_fault", 1, 1), ("called 139****5678", 1, 0))


def test_the_lateness_of_a_day_is_read_from_its_buckets(database: Database) -> None:
    order(database, "HT1")
    noon = NOON + timedelta(seconds=1)
    for seconds in (*[0.05] * 94, *[0.2] * 4, 3.0, 5_000.0):
        step(
            database, "HT1", "done", late_by=timedelta(seconds=seconds), ready_at=noon, started_at=noon
        )  # fmt: skip
    found = numbers(database)
    assert found.lateness.counted == 100
    assert [found.within(share) for share in (0.5, 0.95, 0.99, 1.0)] == [0.1, 0.25, 5, None]
    assert found.beyond == 1
    count(database, seconds=60.0)
    assert numbers(database).lateness == found.lateness
    assert numbers(database, DAY - timedelta(days=1)).lateness.counted == 0


def test_nothing_at_all_has_no_shares_and_no_percentiles(database: Database) -> None:
    at(database, NOON)
    document = report(database)
    assert {
        each.value for code in ("automation", "lateness") for each in section(document, code).figures
    } == {None, 0}
    assert section(document, "contacts").chart is not None


def test_the_trend_counts_each_of_the_seven_days_and_agrees_with_the_figures(lived: InProcessFleet) -> None:
    at(lived.database, NOON + timedelta(days=1))
    lived.accept(submission(answered(READY)))
    lived.run()
    next_day = daily_report(lived.database, DAY + timedelta(days=1), Language.CHINESE)
    chart = section(next_day, "volume").chart
    assert chart is not None
    assert chart.table.rows[-3:] == (("11-29", 0, 0, 0), ("11-30", 3, 3, 1), ("12-01", 1, 1, 2))
    assert figures(next_day, "volume") == {"接收工单": (1, 3), "发起联系": (1, 3), "结案工单": (2, 1)}


def test_a_day_that_is_not_over_says_so(lived: InProcessFleet) -> None:
    assert "当日尚未结束" in report(lived.database).made
    at(lived.database, NOON + timedelta(hours=12))
    assert report(lived.database).made == "数据读取于 2026-12-01 00:00（业务时间，Asia/Shanghai）"


def test_both_languages_have_the_same_sections_and_numbers(lived: InProcessFleet) -> None:
    at(lived.database, NOON + timedelta(days=1))
    chinese, english = report(lived.database), report(lived.database, Language.ENGLISH)
    assert english.title == "Daily report 2026-11-30 (Monday)"
    for one, other in zip(chinese.sections, english.sections, strict=True):
        assert one.code == other.code
        assert [each.value for each in one.figures] == [each.value for each in other.figures]
        assert one.title != other.title
    words = " ".join(
        [
            english.made,
            *(each.title for each in english.sections),
            *(n for s in english.sections for n in s.notes),
        ]
    )
    assert words.isascii()
