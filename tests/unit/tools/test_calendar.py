"""The business calendar: holidays, make-up days, overrides and the end of official data."""

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.core.configuration import PolicyFileError
from tools.calendar import (
    Calendar,
    DayKind,
    Festival,
    HorizonWarning,
    Override,
    UnknownCountryError,
    load_calendar,
)

CHINA = Calendar()
ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "config" / "policies" / "calendar.yaml"
NOTICE_OF_2026 = {
    Festival.NEW_YEAR: (date(2026, 1, 1), date(2026, 1, 3)),
    Festival.SPRING: (date(2026, 2, 15), date(2026, 2, 23)),
    Festival.QINGMING: (date(2026, 4, 4), date(2026, 4, 6)),
    Festival.LABOUR: (date(2026, 5, 1), date(2026, 5, 5)),
    Festival.DRAGON_BOAT: (date(2026, 6, 19), date(2026, 6, 21)),
    Festival.MID_AUTUMN: (date(2026, 9, 25), date(2026, 9, 27)),
    Festival.NATIONAL: (date(2026, 10, 1), date(2026, 10, 7)),
}
MAKE_UP_DAYS_OF_2026 = [
    date(2026, 1, 4),
    date(2026, 2, 14),
    date(2026, 2, 28),
    date(2026, 5, 9),
    date(2026, 9, 20),
    date(2026, 10, 10),
]


def days_of(year: int) -> list[date]:
    return [date(year, 1, 1) + timedelta(days=number) for number in range(365)]


@pytest.mark.parametrize("festival", Festival)
def test_each_festival_of_2026_is_as_long_as_the_notice_says(festival: Festival) -> None:
    assert CHINA.festival(festival, 2026) == NOTICE_OF_2026[festival]


def test_the_holidays_of_2026_are_those_of_the_notice_and_no_other_day() -> None:
    expected = {
        day for day in days_of(2026) for first, last in NOTICE_OF_2026.values() if first <= day <= last
    }
    assert {day for day in days_of(2026) if CHINA.is_holiday(day)} == expected


def test_the_make_up_days_of_2026_are_those_of_the_notice() -> None:
    assert [day for day in days_of(2026) if CHINA.is_working_weekend(day)] == MAKE_UP_DAYS_OF_2026


def test_a_mid_autumn_within_the_national_days_week_has_its_days() -> None:
    assert CHINA.festival(Festival.MID_AUTUMN, 2025) == (date(2025, 10, 1), date(2025, 10, 8))


def test_a_new_years_holiday_may_begin_in_december() -> None:
    assert CHINA.festival(Festival.NEW_YEAR, 2023) == (date(2022, 12, 31), date(2023, 1, 2))


@pytest.mark.parametrize(
    ("festival", "length"),
    [(Festival.SPRING, 8), (Festival.LABOUR, 5), (Festival.NATIONAL, 7)],
)
def test_an_estimated_block_has_at_least_its_usual_length(festival: Festival, length: int) -> None:
    block = CHINA.festival(festival, 2027)
    assert block is not None
    assert (block[1] - block[0]).days + 1 >= length


def test_official_data_reach_the_last_year_that_the_library_has_a_notice_of() -> None:
    assert CHINA.official_until == date(2026, 12, 31)


def test_planning_within_official_data_raises_no_warning() -> None:
    assert CHINA.horizon_warning(date(2026, 12, 31)) is None


def test_planning_beyond_official_data_raises_a_warning() -> None:
    warning = CHINA.horizon_warning(date(2027, 1, 1))
    assert warning == HorizonWarning(official_until=date(2026, 12, 31), horizon=date(2027, 1, 1))
    assert "override table" in warning.sentence


def test_an_override_table_that_is_official_for_longer_is_believed() -> None:
    calendar = Calendar(official_until=date(2027, 12, 31))
    assert calendar.horizon_warning(date(2027, 6, 1)) is None


def test_a_country_whose_holidays_follow_from_rules_is_always_official() -> None:
    assert Calendar("US").horizon_warning(date(2090, 1, 1)) is None


def test_weekends_next_to_a_holiday_belong_to_it_in_china_only() -> None:
    assert not Calendar("US").is_holiday(date(2026, 5, 24))
    assert Calendar("US").is_holiday(date(2026, 5, 25))


def test_a_festival_of_china_has_no_days_elsewhere() -> None:
    assert Calendar("US").festival(Festival.SPRING, 2026) is None


def test_a_festivals_own_day_lies_within_its_days_off() -> None:
    assert CHINA.festival_day(Festival.QINGMING, 2026) == date(2026, 4, 5)
    assert CHINA.festival_day(Festival.SPRING, 2026) == date(2026, 2, 17)


@pytest.mark.parametrize(
    ("year", "twelfth", "first"),
    [
        # 腊八 2024 was on 18 January, the Lantern Festival on 24 February; 除夕 was the 30th.
        (2024, (date(2024, 1, 11), date(2024, 2, 9)), (date(2024, 2, 10), date(2024, 3, 9))),
        # 腊八 2026 was on 26 January, the Lantern Festival on 3 March; 除夕 was the 29th.
        (2026, (date(2026, 1, 19), date(2026, 2, 16)), (date(2026, 2, 17), date(2026, 3, 18))),
    ],
)
def test_the_months_around_the_spring_festival_are_counted_from_it(
    year: int, twelfth: tuple[date, date], first: tuple[date, date]
) -> None:
    assert (CHINA.twelfth_month(year), CHINA.first_month(year)) == (twelfth, first)


@pytest.mark.parametrize(("calendar", "year"), [(CHINA, 2051), (Calendar("US"), 2026)])
def test_lunar_months_that_are_not_known_are_none(calendar: Calendar, year: int) -> None:
    assert (calendar.twelfth_month(year), calendar.first_month(year)) == (None, None)


def test_a_warm_calendar_has_the_library_loaded() -> None:
    program = (
        "import sys, tools.calendar as c; c.Calendar().warm(2026); sys.exit('holidays' not in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=180, cwd=ROOT)


def test_an_unknown_country_is_named() -> None:
    with pytest.raises(UnknownCountryError, match="'XX'"):
        Calendar("XX").is_holiday(date(2026, 1, 1))


def test_a_day_off_in_the_table_is_a_holiday() -> None:
    calendar = Calendar(overrides=[Override(date(2026, 3, 16), DayKind.OFF, "company day")])
    assert calendar.is_holiday(date(2026, 3, 16))
    assert not calendar.is_working_day(date(2026, 3, 16))


@pytest.mark.parametrize("day", [date(2026, 3, 13), date(2026, 3, 16), date(2026, 3, 14)])
def test_a_day_off_in_the_table_closes_no_weekend_beside_it(day: date) -> None:
    calendar = Calendar(overrides=[Override(day, DayKind.OFF, "company day")])
    around = [date(2026, 3, 9) + timedelta(days=n) for n in range(14)]
    assert [each for each in around if calendar.is_holiday(each)] == [day]


def test_a_day_off_in_the_table_does_not_keep_a_holiday_from_its_weekend() -> None:
    calendar = Calendar(overrides=[Override(date(2026, 6, 19), DayKind.OFF, "the notice")])
    assert calendar.is_holiday(date(2026, 6, 21))


def test_a_holiday_that_is_worked_draws_no_weekend_in() -> None:
    calendar = Calendar(overrides=[Override(date(2026, 6, 19), DayKind.WORK, "shift")])
    assert not calendar.is_holiday(date(2026, 6, 20))


def test_a_worked_day_in_the_table_is_no_holiday() -> None:
    calendar = Calendar(overrides=[Override(date(2026, 2, 23), DayKind.WORK, "shift")])
    assert not calendar.is_holiday(date(2026, 2, 23))
    assert calendar.is_working_day(date(2026, 2, 23))


def test_a_worked_weekend_day_in_the_table_is_a_make_up_day() -> None:
    calendar = Calendar(overrides=[Override(date(2026, 3, 14), DayKind.WORK, "shift")])
    assert calendar.is_working_weekend(date(2026, 3, 14))


def test_a_make_up_day_in_the_table_can_be_taken_back() -> None:
    calendar = Calendar(overrides=[Override(date(2026, 10, 10), DayKind.OFF, "company day")])
    assert not calendar.is_working_weekend(date(2026, 10, 10))


def test_working_days_are_counted_over_holidays_and_make_up_days() -> None:
    assert CHINA.add_working_days(date(2026, 9, 30), 3) == date(2026, 10, 10)


@settings(max_examples=300, deadline=None)
@given(day=st.dates(date(2020, 1, 1), date(2030, 12, 31)))
def test_a_day_is_exactly_one_of_worked_holiday_and_free_weekend(day: date) -> None:
    free_weekend = CHINA.is_weekend(day) and not CHINA.is_working_weekend(day) and not CHINA.is_holiday(day)
    assert [CHINA.is_working_day(day), CHINA.is_holiday(day), free_weekend].count(True) == 1


@settings(max_examples=200, deadline=None)
@given(day=st.dates(date(2026, 1, 1), date(2026, 12, 31)), kind=st.sampled_from(DayKind))
def test_an_override_always_wins(day: date, kind: DayKind) -> None:
    calendar = Calendar(overrides=[Override(day, kind, "test")])
    assert calendar.is_working_day(day) == (kind is DayKind.WORK)


def test_the_library_is_not_loaded_before_it_is_needed() -> None:
    program = "import sys, tools.calendar as c; c.Calendar(); sys.exit('holidays' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=180, cwd=ROOT)


def test_the_shipped_file_is_chinas_calendar() -> None:
    calendar = load_calendar(SHIPPED)
    assert calendar.country == "CN"
    assert calendar.is_holiday(date(2026, 10, 1))


def test_a_file_corrects_days(tmp_path: Path) -> None:
    path = tmp_path / "calendar.yaml"
    path.write_text(
        "official_until: 2027-12-31\n"
        "overrides:\n"
        "  - {date: 2027-02-20, kind: work, source: notice}\n"
        "  - {date: 2027-10-08, kind: off, source: notice}\n",
        encoding="utf-8",
    )
    calendar = load_calendar(path)
    assert calendar.official_until == date(2027, 12, 31)
    assert calendar.is_working_weekend(date(2027, 2, 20))
    assert calendar.is_holiday(date(2027, 10, 8))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("country: China", "country: .*found 'China'"),
        ("country: XX", "country: no holidays are known for the country 'XX'"),
        ("overrides: [{date: 2027-02-30, kind: off, source: s}]", "'2027-02-30' is no value"),
        ("overrides: [{date: soon, kind: off, source: s}]", "overrides.0.date: .*found 'soon'"),
        ("overrides: [{date: 2026-03-01, kind: half, source: s}]", "overrides.0.kind: .*found 'half'"),
        ("overrides: [{date: 2026-03-01, kind: off}]", "overrides.0.source: Field required"),
        (
            "overrides: [&a {date: 2026-03-01, kind: work, source: s}, *a]",
            "overrides: a day may stand in the table once; more than once: 2026-03-01",
        ),
        ("holiday: []", "holiday: "),
    ],
)
def test_a_wrong_file_is_refused_by_field(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "calendar.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PolicyFileError, match=message):
        load_calendar(path)
