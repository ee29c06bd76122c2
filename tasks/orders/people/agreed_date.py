"""The date of the next contact as a person who decides sees it: days and what keeps them free, words read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from statemachine.orders.intents import Level2
from storage.core.database import Database
from storage.engine.clock import BusinessClock
from storage.orders.order import Order
from tasks.orders.rules.agreement import Agreement, agree
from tasks.orders.rules.context import Context

WEEKS: Final = 5
"""Weeks that the calendar of a decision shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """A day of the calendar, and when a contact of that day would take place."""

    day: date
    contact_at: datetime
    """The first permitted time from the day's beginning on, wherever it lies."""
    is_past: bool
    is_holiday: bool
    is_working_day: bool

    @property
    def is_moved(self) -> bool:
        """Whether nobody may be contacted on this day, so that it would be a later one."""
        return self.contact_at.date() != self.day


def calendar_of(context: Context, order: Order, now: datetime) -> Sequence[CalendarDay]:
    """The weeks from this one on, Monday first, in the customer's time zone."""
    zone = context.zone(order)
    today = now.astimezone(zone).date()
    first = today - timedelta(days=today.weekday())
    days = [first + timedelta(days=nth) for nth in range(7 * WEEKS)]
    return [
        CalendarDay(
            day=day,
            contact_at=contact_on(context, order, day, now).astimezone(zone),
            is_past=day < today,
            is_holiday=context.calendar.is_holiday(day),
            is_working_day=context.calendar.is_working_day(day),
        )
        for day in days
    ]


def contact_on(context: Context, order: Order, day: date, now: datetime) -> datetime:
    """The first permitted time from the beginning of this day on, and never before now."""
    begins = datetime.combine(day, time(), tzinfo=context.zone(order))
    return context.next_contact(order, max(begins, now), [])


def date_in_words(
    database: Database, context: Context, order: Order, level2: Level2, words: str
) -> Agreement:
    """What somebody agrees to who types these words (下周三上午), as the same words of a customer would be read."""
    with database.transaction() as work:
        now = BusinessClock(work).now().business_now
    return agree(context, order, level2, words, now, [])
