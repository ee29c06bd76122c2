"""The capacity of engineers, as set by people and offered to callers."""

from datetime import date
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.core.form import Answered, Sent, Succeeded, Text
from schemas.core.whole_number import WholeNumber

MOST_DAYS: Final = 400
"""Days one request may set, and one page may have."""

_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2199


def _plausible(day: date) -> date:
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(f"lies outside the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return day


GivenDay = Annotated[date, AfterValidator(_plausible)]
"""A day in a request."""

Region = Annotated[Text, Field(min_length=1, max_length=64, pattern=r"^\S+$")]
"""A region as orders name it in `metadata.region`; `default` for those that name none."""


class CapacityDay(Sent):
    """How many visits a region has room for on a day."""

    region: Region
    day: GivenDay
    capacity: WholeNumber = Field(ge=0, le=1_000_000)


class CapacitySet(Sent):
    """Days that get their capacity, all or none."""

    days: list[CapacityDay] = Field(min_length=1, max_length=MOST_DAYS)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({(day.region, day.day) for day in self.days}) < len(self.days):
            raise ValueError("a day of a region is named twice")
        return self


class CapacityView(Answered):
    """A day of a region as it stands."""

    region: str
    day: date
    capacity: int
    booked: int
    free: int


class CapacityTaken(Succeeded):
    """The days were given their capacity."""

    updated: int


class CapacityList(Answered):
    """Days of regions, in order."""

    days: list[CapacityView]
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""


class SlotView(Answered):
    """A day on which the order could be visited."""

    day: date
    free: int
    capacity: int | None
    """`null` where the order system does not say."""


class SlotsOffered(Answered):
    """The days on which an order could be visited."""

    task_id: str
    region: str
    limited: bool
    """Whether visits in the region are limited; where they are not, every day is possible and none is named."""
    slots: list[SlotView]
