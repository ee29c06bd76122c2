"""One country's days off, year by year, from the `holidays` library."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from tools.calendar.festivals import NEW_YEARS_EVE, USUAL_LENGTH, Festival

if TYPE_CHECKING:
    from holidays import HolidayBase

CHINA: Final = "CN"


class UnknownCountryError(ValueError):
    """The `holidays` library does not know the country."""


@dataclass(frozen=True, slots=True)
class StatutoryYear:
    """The days off and working weekends of one year.

    Attributes:
        off: Days off by name of the holiday, substituted days off included; weekend days only where they are
            themselves statutory.
        working_weekends: Make-up working days (调休).
    """

    off: dict[date, str]
    working_weekends: frozenset[date]


@dataclass(frozen=True, slots=True)
class Statutory:
    """The days off of one country; the library is imported on the first question, each year computed once.

    `holidays` takes 0.1 s to import and 10 MB, which processes that never ask need not pay.
    """

    country: str
    _years: dict[int, StatutoryYear] = field(default_factory=dict, repr=False, compare=False)
    _official: list[int | None] = field(default_factory=list, repr=False, compare=False)

    def year(self, year: int) -> StatutoryYear:
        """Return the year's days.

        Raises:
            UnknownCountryError: the library does not know the country.
        """
        known = self._years.get(year)
        if known is None:
            known = self._years[year] = self._compute(year)
        return known

    def official_through(self) -> int | None:
        """Return the last year whose holidays are official, None where a country's law fixes them for ever.

        China announces each year's days off and make-up days in a notice of the State Council's General
        Office, about November of the year before; the library transcribes it into `special_public_holidays`,
        whose last year is thus the last official one. The other countries' holidays follow from rules.
        """
        if not self._official:
            library = self._library(2000)
            self._official.append(max(library.special_public_holidays) if self.country == CHINA else None)
        return self._official[0]

    def _compute(self, year: int) -> StatutoryYear:
        library = self._library(year)
        off = dict(sorted(library.items()))
        last_official = self.official_through()
        if last_official is not None and year > last_official:
            off = _drawn_out(off)
        return StatutoryYear(
            off=off,
            working_weekends=frozenset(day for day in library.weekend_workdays if day.year == year),
        )

    def _library(self, year: int) -> "HolidayBase":
        import holidays

        try:
            return holidays.country_holidays(
                self.country,
                years=year,
                language="zh_CN" if self.country == CHINA else None,
            )
        except NotImplementedError as error:
            raise UnknownCountryError(
                f"no holidays are known for the country {self.country!r}; write an ISO 3166 code such as CN",
            ) from error


def _drawn_out(off: dict[date, str]) -> dict[date, str]:
    """Return the days with the long festivals drawn out to their usual length."""
    drawn = dict(off)
    for festival, length in USUAL_LENGTH.items():
        names = {festival.value, NEW_YEARS_EVE} if festival is Festival.SPRING else {festival.value}
        days = [day for day, name in off.items() if names.intersection(name.split("; "))]
        if days:
            for distance in range(length):
                drawn.setdefault(min(days) + timedelta(days=distance), f"{festival.value}（推定）")
    return drawn
