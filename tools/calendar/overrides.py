"""Days that are off or working whatever the library says."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum, unique


@unique
class DayKind(StrEnum):
    """What an override makes of a day."""

    OFF = "off"
    WORK = "work"


@dataclass(frozen=True, slots=True)
class Override:
    """One corrected day, with where the correction comes from (a notice, a decision of the company)."""

    day: date
    kind: DayKind
    source: str
