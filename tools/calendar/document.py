"""The schema of `config/policies/calendar.yaml`, and its conversion to a `Calendar`."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from schemas.core.configuration import PolicyFileError, read_policy_file
from tools.calendar.business import Calendar
from tools.calendar.overrides import DayKind, Override
from tools.calendar.statutory import UnknownCountryError


def _spelled(kind: object) -> object:
    """YAML 1.1 reads a bare `off` as false."""
    return DayKind.OFF if kind is False else kind


class OverrideDocument(BaseModel):
    """One row of the override table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: date
    kind: Annotated[DayKind, BeforeValidator(_spelled)]
    source: str = Field(min_length=1)


class CalendarDocument(BaseModel):
    """The content of the calendar file.

    Attributes:
        country: ISO 3166 code of the country whose holidays hold.
        official_until: Last day that official data cover, where the overrides reach further than the library.
        overrides: The table; a day stands in it once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    country: str = Field(default="CN", pattern="^[A-Z]{2}$")
    official_until: date | None = None
    overrides: tuple[OverrideDocument, ...] = ()

    @field_validator("overrides")
    @classmethod
    def _each_day_once(cls, rows: tuple[OverrideDocument, ...]) -> tuple[OverrideDocument, ...]:
        repeated = sorted(str(day) for day in _repeated(row.date for row in rows))
        if repeated:
            raise ValueError(f"a day may stand in the table once; more than once: {', '.join(repeated)}")
        return rows


def load_calendar(path: Path) -> Calendar:
    """Return the calendar that the file describes.

    Raises:
        PolicyFileError: the file cannot be used, or there are no holidays for its country; names the field.
    """
    document = read_policy_file(path, CalendarDocument)
    calendar = Calendar(
        country=document.country,
        overrides=tuple(Override(row.date, row.kind, row.source) for row in document.overrides),
        official_until=document.official_until,
    )
    try:
        calendar.require_known_country()
    except UnknownCountryError as error:
        raise PolicyFileError(f"{path}: country: {error}") from error
    return calendar


def _repeated(days: Iterable[date]) -> set[date]:
    return {day for day, count in Counter(days).items() if count > 1}
