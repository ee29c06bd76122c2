"""The business calendar: holidays, working weekends, and counting in working days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from tools.calendar import lunar
from tools.calendar.festivals import Festival
from tools.calendar.overrides import DayKind, Override
from tools.calendar.statutory import CHINA, Statutory

SATURDAY: Final = 5
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HorizonWarning:
    """Warning: planning goes beyond the last day with official holiday data, so those days may still change."""

    official_until: date
    horizon: date

    @property
    def sentence(self) -> str:
        """The text of the warning, with what to do."""
        return (
            f"plans reach {self.horizon}, but official holidays are known until {self.official_until} only; "
            "update the holidays package, or enter the new notice in the calendar's override table"
        )


class Calendar:
    """The holidays and make-up working days of one country, corrected by an override table.

    Cheap to make; the data are loaded when first asked for, and kept. Safe to share between threads: what two
    threads compute at once is the same.
    """

    def __init__(
        self,
        country: str = CHINA,
        overrides: Iterable[Override] = (),
        official_until: date | None = None,
    ) -> None:
        """Take the country's ISO 3166 code, the override table, and how far the table is official."""
        self._statutory = Statutory(country)
        self._overrides = {override.day: override.kind for override in overrides}
        self._official_until = official_until
        self._holidays: dict[date, bool] = {}

    @property
    def country(self) -> str:
        """ISO 3166 code of the country."""
        return self._statutory.country

    def require_known_country(self) -> None:
        """Return when there are holidays of this country; China's are not loaded for that.

        Raises:
            UnknownCountryError: there are none.
        """
        if self.country != CHINA:
            self._statutory.official_through()

    @property
    def official_until(self) -> date:
        """The last day that official data cover: the library's, or the override table's if that is later."""
        year = self._statutory.official_through()
        library = date.max if year is None else date(year, 12, 31)
        return library if self._official_until is None else max(library, self._official_until)

    def horizon_warning(self, horizon: date) -> HorizonWarning | None:
        """Return a warning when planning reaches `horizon` and official data do not."""
        return None if horizon <= self.official_until else HorizonWarning(self.official_until, horizon)

    @staticmethod
    def is_weekend(day: date) -> bool:
        """Return whether the day is a Saturday or Sunday, worked or not."""
        return day.weekday() >= SATURDAY

    def is_working_weekend(self, day: date) -> bool:
        """Return whether the day is a make-up working day: a Saturday or Sunday that is worked (调休)."""
        if not self.is_weekend(day):
            return False
        override = self._overrides.get(day)
        if override is not None:
            return override is DayKind.WORK
        return day in self._statutory.year(day.year).working_weekends

    def is_holiday(self, day: date) -> bool:
        """Return whether the day is part of a public holiday.

        In China the weekend days that join a holiday belong to it, as the State Council's notices count them:
        of 15-23 February 2026 the library lists only the weekdays and the statutory days. A row of the override
        table counts as written and draws nothing in.
        """
        known = self._holidays.get(day)
        if known is None:
            known = self._holidays[day] = self._is_off(day) or self._joins_holiday(day)
        return known

    def is_working_day(self, day: date) -> bool:
        """Return whether the day is worked: a weekday that is no holiday, or a make-up day."""
        return self.is_working_weekend(day) or not (self.is_weekend(day) or self.is_holiday(day))

    def add_working_days(self, day: date, count: int) -> date:
        """Return the `count`-th working day after `day`."""
        while count > 0:
            day += _DAY
            count -= self.is_working_day(day)
        return day

    def festival(self, festival: Festival, year: int) -> tuple[date, date] | None:
        """Return the first and last day of the festival's holiday in that year; None outside China.

        The whole run of days off is meant, so that a Mid-Autumn within the National Day's week has that
        week's days.
        """
        day = self.festival_day(festival, year)
        return None if day is None else self._run(day)

    def festival_day(self, festival: Festival, year: int) -> date | None:
        """Return the festival's own day, 初一 of the Spring Festival; None outside China."""
        if self.country != CHINA:
            return None
        days = (
            day for day, name in self._statutory.year(year).off.items() if festival.value in name.split("; ")
        )
        return next(days, None)

    def first_month(self, year: int) -> tuple[date, date] | None:
        """Return the first and last day of the 正月 that begins in the year; None where that is not known."""
        first = self.festival_day(Festival.SPRING, year)
        if first is None or year not in lunar.KNOWN:
            return None
        return first, first + (29 if year in lunar.LONG_FIRST else 28) * _DAY

    def twelfth_month(self, year: int) -> tuple[date, date] | None:
        """Return the first and last day of the 腊月 before the year's Spring Festival; None where not known."""
        festival = self.festival_day(Festival.SPRING, year)
        if festival is None or year not in lunar.KNOWN:
            return None
        return festival - (30 if year in lunar.LONG_TWELFTH else 29) * _DAY, festival - _DAY

    def warm(self, year: int) -> None:
        """Compute the holidays of the year and its neighbours in advance, so that later calls are fast."""
        for near in (year - 1, year, year + 1):
            for festival in Festival:
                self.festival(festival, near)

    def _is_off(self, day: date) -> bool:
        override = self._overrides.get(day)
        if override is not None:
            return override is DayKind.OFF
        return day in self._statutory.year(day.year).off

    def _joins_holiday(self, day: date) -> bool:
        """Whether a weekend day hangs together with a holiday of the library by days off alone."""
        if self.country != CHINA or not self._is_free_weekend(day):
            return False
        return any(self._reaches_holiday(day, step) for step in (_DAY, -_DAY))

    def _reaches_holiday(self, day: date, step: timedelta) -> bool:
        while self._is_free_weekend(day) and not self._is_statutory(day):
            day += step
        return self._is_statutory(day)

    def _is_statutory(self, day: date) -> bool:
        """Whether the library has the day off and no row says otherwise."""
        is_worked = self._overrides.get(day) is DayKind.WORK
        return not is_worked and day in self._statutory.year(day.year).off

    def _is_free_weekend(self, day: date) -> bool:
        return self.is_weekend(day) and not self.is_working_weekend(day)

    def _run(self, day: date) -> tuple[date, date]:
        first = last = day
        while self.is_holiday(first - _DAY):
            first -= _DAY
        while self.is_holiday(last + _DAY):
            last += _DAY
        return first, last
