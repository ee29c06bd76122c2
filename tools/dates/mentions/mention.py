"""A mention: a span of the text that names a date, or looks like one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, auto
from re import Match, Pattern
from typing import TypeAlias

from tools.calendar import Calendar
from tools.dates.reading import Precision


@dataclass(frozen=True, slots=True)
class Moment:
    """The time at which the customer speaks: the local time, with the calendar for festivals."""

    now: datetime
    calendar: Calendar | None

    @property
    def today(self) -> date:
        """The customer's date."""
        return self.now.date()


@dataclass(frozen=True, slots=True)
class Days:
    """The range of days that a mention means.

    Attributes:
        earliest: First day that fits.
        latest: Last day that fits.
        precision: How exactly they are named.
        not_before: Whether any later day fits as well.
        again: For a bare weekday or day of the month, the same words read from another day on, so that
            the second of 下周一到周三, or of 3月25号周三, follows the first.
        beyond: For 再下周, the same words counted from a day named before them.
        whole: Whether 以后 means after all of the days (a festival, a week) rather than from the first on.
    """

    earliest: date
    latest: date
    precision: Precision = Precision.DAY
    not_before: bool = False
    again: "Callable[[date], Days | None] | None" = None
    beyond: "Callable[[date], Days] | None" = None
    whole: bool = False


class Undated(Enum):
    """Why words that a rule recognised name no date for a follow-up."""

    NOT_A_DATE = auto()  # 3号楼
    PAST = auto()  # 昨天
    UNPLACED = auto()  # a date, but not one of the calendar we know: 农历三月初三, 几号
    DEADLINE = auto()
    UNCLEAR_FESTIVAL = auto()


Meaning: TypeAlias = Days | Undated


@dataclass(frozen=True, slots=True)
class DateRule:
    """One grammar rule; `read` returns None where the match means nothing."""

    name: str
    pattern: Pattern[str]
    read: Callable[[Match[str], Moment], Meaning | None]


@dataclass(frozen=True, slots=True)
class Mention:
    """A span of the text, its meaning, and the rule that found it."""

    start: int
    end: int
    meaning: Meaning
    rule: str


def dismiss(meaning: Undated) -> Callable[[Match[str], Moment], Undated]:
    """Return a reader that gives the same reason for every match."""
    return lambda _match, _moment: meaning


def find(text: str, rules: tuple[DateRule, ...], moment: Moment) -> list[Mention]:
    """Return the rules' matches, left to right, without overlaps; of two with the same start the longer one.

    A trap such as 3号楼 is a rule like any other: it wins over 3号 because it is longer.
    """
    found: list[Mention] = []
    for rule in rules:
        for match in rule.pattern.finditer(text):
            meaning = rule.read(match, moment)
            if meaning is not None and match.end() > match.start():
                found.append(Mention(match.start(), match.end(), meaning, rule.name))
    found.sort(key=lambda mention: (mention.start, -mention.end))
    mentions: list[Mention] = []
    for mention in found:
        if not mentions or mention.start >= mentions[-1].end:
            mentions.append(mention)
    return mentions
