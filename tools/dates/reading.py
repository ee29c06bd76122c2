"""The results of date parsing: a date, no date, or an ambiguity for a person."""

from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum, unique
from typing import TypeAlias


@unique
class Precision(StrEnum):
    """How exactly the date was named."""

    DAY = "day"
    RANGE = "range"  # several days named by their ends
    APPROXIMATE = "approximate"  # a few days, around the 20th
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@unique
class Ambiguity(StrEnum):
    """Why a person must decide which date is meant."""

    SEVERAL_DATES = "several_dates"
    CONTRADICTION = "contradiction"  # the 18th, a Thursday, when it is a Wednesday
    CORRECTION = "correction"  # not Wednesday but Thursday
    DEADLINE = "deadline"  # before the 25th: when, exactly?
    TOO_FAR = "too_far"  # more than 90 days ahead
    UNCLEAR_FESTIVAL = "unclear_festival"  # after the holidays, when none is near
    UNPLACED = "unplaced"  # a date that the calendar does not place: another lunar month, 几号, 30 February


@dataclass(frozen=True, slots=True)
class DateReading:
    """The date the customer means.

    Attributes:
        earliest: First day that fits, never before the day of speaking; the day to follow up.
        latest: Last day that fits; equals `earliest` for one day and for open ends.
        time_window: Local time of day from, to; None where none is named.
        precision: How exactly the date was named.
        not_before: Whether any later day fits as well (以后, 之后, 才).
        matched: The words it was read from, as the customer wrote them.
        rule: The grammar rules that read them, joined by `+`.
    """

    earliest: date
    latest: date
    time_window: tuple[time, time] | None
    precision: Precision
    not_before: bool
    matched: str
    rule: str


@dataclass(frozen=True, slots=True)
class NoDate:
    """The text names no usable future date."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several dates are named; a person must decide which one is meant."""

    reason: Ambiguity
    matches: tuple[str, ...]


Reading: TypeAlias = DateReading | NoDate | Ambiguous
