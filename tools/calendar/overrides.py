"""Corrections of single days, which take precedence over the `holidays` library."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum, unique


@unique
class DayKind(StrEnum):
    """Whether an override makes a day a holiday or a working day."""

    OFF = "off"
    WORK = "work"


@dataclass(frozen=True, slots=True)
class Override:
    """A corrected day, with the source of the correction (a notice, a decision of the company)."""

    day: date
    kind: DayKind
    source: str
