"""The numbers of a business day, each from where it is counted: the daily report shows two days of them."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from statemachine.orders.states import State
from storage.core.unit_of_work import UnitOfWork
from storage.orders.figures.days import AutomationFigures, DayFigures, HourContacts
from storage.orders.figures.feeds import LATENESS_EDGES, ZONE
from storage.orders.figures.figures import Counters, Histogram
from storage.orders.report import PeriodReport, Reports
from tasks.people.overdue import OVERDUE

OUTCOMES: Final = ("answered", "silent", "awaited", "unknown")
"""What may have come of a contact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayNumbers:
    """What happened on a day."""

    day: date
    period: PeriodReport
    contacts: Sequence[HourContacts]
    closed: int
    decided: int
    automation: AutomationFigures
    lateness: Histogram

    @property
    def intended(self) -> int:
        """The contacts of the day."""
        return sum(each.intended for each in self.contacts)

    @property
    def outcomes(self) -> dict[str, int]:
        """The contacts by what came of them."""
        return {name: sum(getattr(each, name) for each in self.contacts) for name in OUTCOMES}

    @property
    def answer_rate(self) -> float | None:
        """Of the contacts of which something is known, the share that was answered, in percent."""
        known = self.outcomes["answered"] + self.outcomes["silent"]
        return percent(self.outcomes["answered"] / known) if known else None

    @property
    def opened(self) -> int:
        """The reviews opened on the day."""
        return sum(self.period.reviews_by_state.values())

    @property
    def overdue(self) -> int:
        """The reviews whose time ran out on the day."""
        return self.period.alerts_by_type.get(OVERDUE, 0)

    @property
    def raised(self) -> int:
        """The alerts of the day."""
        return sum(self.period.alerts_by_type.values())

    @property
    def open_states(self) -> Counter[str]:
        """Of the orders accepted on the day, those that are open, by state."""
        open_ones = {state: n for state, n in self.period.by_status.items() if state != State.CLOSED}
        return Counter(open_ones)

    @property
    def difference(self) -> int:
        """Orders accepted on the day that neither have a reason for which they were closed nor are open."""
        closed = sum(self.period.by_finish_reason.values())
        return sum(self.period.by_source.values()) - closed - self.open_states.total()

    def within(self, share: float) -> float | None:
        """In how many seconds this share of the timers was woken; `None` where that is beyond what is counted."""
        wanted = math.ceil(share * self.lateness.counted)
        reached = zip(LATENESS_EDGES, self.lateness.at_most, strict=True)
        return next((edge for edge, count in reached if count >= wanted > 0), None)

    @property
    def beyond(self) -> int:
        """The timers that were woken later than is counted in seconds."""
        return self.lateness.counted - self.lateness.at_most[-1]


def numbers_of(work: UnitOfWork, counters: Counters, day: date) -> DayNumbers:
    """The numbers of a day, read within the snapshot that the counters were read in."""
    opens, ends = midnight(day), midnight(day + timedelta(days=1))
    figures = DayFigures(work)
    return DayNumbers(
        day=day,
        period=Reports(work).of_period(opens, ends),
        contacts=figures.contacts(opens, ends),
        closed=counters.closed_on(day),
        decided=figures.decided(opens, ends),
        automation=figures.automation(opens, ends),
        lateness=counters.lateness_on(day),
    )


def midnight(day: date) -> datetime:
    """The moment at which a business day begins."""
    return datetime.combine(day, time(), tzinfo=ZoneInfo(ZONE))


def percent(share: float | None) -> float | None:
    """A share as it is shown."""
    return None if share is None else round(100 * share, 1)
