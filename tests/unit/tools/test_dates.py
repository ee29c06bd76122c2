"""Dates in the customer's words: what is read, what is not, and what goes to a person."""

import time as stopwatch
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.tools.date_expressions import AMBIGUITIES, NO_DATES, READINGS
from tests.support.tools.other_days import LUNAR_DAYS, OTHER_DAYS
from tools.calendar import Calendar
from tools.dates import Ambiguity, Ambiguous, DateReading, NoDate, Precision, parse
from tools.dates.mentions.number import read_number, read_quantity
from tools.dates.reading import Reading

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHINA = Calendar()
FRIDAY_EVENING = datetime(2026, 3, 13, 21, tzinfo=SHANGHAI)


def cases(table: str) -> list[tuple[str, str]]:
    return [
        (expression, expected)
        for expected, expressions in (line.split(": ", 1) for line in table.strip().splitlines())
        for expression in expressions.split(" | ")
    ]


def read(text: str, now: datetime = FRIDAY_EVENING, calendar: Calendar | None = CHINA) -> Reading:
    return parse(text, now=now, zone=SHANGHAI, calendar=calendar)


def described(reading: Reading) -> str:
    if isinstance(reading, NoDate):
        return "no date"
    if isinstance(reading, Ambiguous):
        return reading.reason.value
    days = str(reading.earliest)
    if reading.latest != reading.earliest:
        days += f"..{reading.latest}"
    window = reading.time_window
    clock = f" {window[0]:%H:%M}-{window[1]:%H:%M}" if window else ""
    return f"{days}{'+' if reading.not_before else ''}{clock}"


@pytest.mark.parametrize(("expression", "expected"), cases(READINGS))
def test_an_expression_reads_as(expression: str, expected: str) -> None:
    assert described(read(expression)).replace("2026-", "") == expected


@pytest.mark.parametrize(("expression", "reason"), cases(AMBIGUITIES))
def test_a_person_must_settle(expression: str, reason: str) -> None:
    assert described(read(expression)) == reason


@pytest.mark.parametrize("expression", NO_DATES.strip().replace("\n", " | ").split(" | "))
def test_no_date_is_read_from(expression: str) -> None:
    assert read(expression) == NoDate()


@pytest.mark.parametrize(("expression", "case"), cases(OTHER_DAYS) + cases(LUNAR_DAYS))
def test_on_another_day_an_expression_reads_as(expression: str, case: str) -> None:
    spoken, expected = case.split(" ", 1)
    assert described(read(expression, datetime.fromisoformat(f"{spoken}T09:00+08:00"))) == expected


def test_the_words_are_told_as_the_customer_wrote_them() -> None:
    reading = read("嗯，那就　２５ 號以後吧")
    assert isinstance(reading, DateReading)
    assert reading.matched == "２５ 號以後"


def test_an_ambiguity_names_all_its_words() -> None:
    assert read("20号或25号") == Ambiguous(Ambiguity.SEVERAL_DATES, ("20号", "25号"))


@pytest.mark.parametrize(
    ("expression", "precision"),
    [
        ("下周三", Precision.DAY),
        ("20号到22号", Precision.RANGE),
        ("过几天", Precision.APPROXIMATE),
        ("下周", Precision.WEEK),
        ("下个月", Precision.MONTH),
    ],
)
def test_the_precision_tells_how_exactly_a_date_was_named(expression: str, precision: Precision) -> None:
    reading = read(expression)
    assert isinstance(reading, DateReading)
    assert reading.precision is precision


def test_today_is_the_customers_day_and_not_the_servers() -> None:
    late_in_utc = datetime(2026, 3, 13, 20, tzinfo=UTC)
    assert described(read("明天", late_in_utc)) == "2026-03-15"


@pytest.mark.parametrize("expression", ["国庆后", "五一后", "年后"])
def test_without_a_calendar_no_festival_is_read(expression: str) -> None:
    assert read(expression, calendar=None) == NoDate()


def test_without_a_calendar_a_lunar_day_is_for_a_person() -> None:
    assert described(read("正月初八", calendar=None)) == "unplaced"


def test_beyond_the_years_whose_months_are_known_a_lunar_day_is_for_a_person() -> None:
    assert described(read("正月初八", datetime(2051, 1, 20, 9, tzinfo=SHANGHAI))) == "unplaced"


def test_a_holiday_that_was_named_is_told_with_what_follows_it() -> None:
    assert read("五一我要出门，放完假再来") == DateReading(
        earliest=date(2026, 5, 6),
        latest=date(2026, 5, 6),
        time_window=None,
        precision=Precision.DAY,
        not_before=True,
        matched="五一我要出门，放完假",
        rule="festival",
    )


def test_a_pupils_school_year_is_no_lunar_day() -> None:
    assert read("孩子上初三，没空", datetime(2027, 2, 3, 9, tzinfo=SHANGHAI)) == NoDate()


def test_without_a_calendar_working_days_are_weekdays() -> None:
    assert described(read("3个工作日后", calendar=None)) == "2026-03-18+"


def test_a_holiday_that_is_not_named_and_not_near_is_unclear() -> None:
    assert described(read("节后", datetime(2026, 7, 1, 9, tzinfo=SHANGHAI))) == "unclear_festival"


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        read("明天", FRIDAY_EVENING.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("15", 15),
        ("十", 10),
        ("十五", 15),
        ("廿五", 25),
        ("二十", 20),
        ("一百零八", 108),
        ("两", 2),
        ("二五", None),
    ],
)
def test_a_number_is_read(text: str, expected: int | None) -> None:
    assert read_number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("三五", (3, 5)),
        ("两三", (2, 3)),
        ("二十五六", (25, 26)),
        ("3-5", (3, 5)),
        ("五到三", None),
        ("五二", None),
    ],
)
def test_a_quantity_is_read(text: str, expected: tuple[int, int] | None) -> None:
    assert read_quantity(text) == expected


CHARACTERS = (
    "今明后大前昨天日号月年周星期礼拜一二三四五六七八九十两半个几多来初底中末"
    "上下这本点时分以之内到至再过等不没空在，。 、-/.:0123456789"
)
PHRASES = [
    "以后",
    "之前",
    "下周",
    "国庆",
    "五一",
    "节后",
    "年后",
    "改成",
    "不是",
    "上午",
    "工作日",
    "农历",
    "正月",
    "腊月",
    "大年",
    "除夕",
    "再下周",
    "个把",
    "放完假",
    "听朝",
    "说好",
    "小时",
    "出差",
    "推迟",
    "取消",
    "上班",
    "٣",
]
WORDS = [*CHARACTERS, *PHRASES]
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=14).map("".join))
NOWS = st.datetimes(datetime(2024, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds


@settings(max_examples=1500, deadline=None)
@given(text=TEXTS, now=NOWS)
@example(text="9999年12月31号以后", now=FRIDAY_EVENING)
@example(text="999年后", now=FRIDAY_EVENING)
def test_any_text_is_read_forward_or_not_at_all(text: str, now: datetime) -> None:
    reading = read(text, now)
    if isinstance(reading, DateReading):
        today = now.astimezone(SHANGHAI).date()
        assert today <= reading.earliest <= reading.latest
        assert reading.earliest <= today + timedelta(days=90)
        assert reading.time_window is None or reading.time_window[0] < reading.time_window[1]
        assert reading.matched
        assert all(part in text for part in reading.matched.split(" … "))


@pytest.mark.parametrize(
    "words",
    [
        *["过", "大概", "嗯", "再过", "也要", "周一、", "3-", "二十", "1/", "我20号到25号出差，"],
        *["放完假", "五一放完假，", "初八，", "周一鸣", "明天来，明天不在，", "昨天说", "结果没"],
        *[
            "周三上班，",
            "周三的预约的我约好的",
            "出差一周",
            "十天内都",
            "货周三到，",
            "9999年1月1号推迟999年",
        ],
    ],
)
def test_a_hostile_text_is_read_in_bounded_time(words: str) -> None:
    started = stopwatch.process_time()
    read(words * (2000 // len(words)) + "三天")
    assert stopwatch.process_time() - started < 2
