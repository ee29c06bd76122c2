"""The agreed time of the next contact or visit: the customer's date, else the default."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from schemas.people.why import Why, WhyCode
from statemachine.orders.intents import INTENTS, Level1, Level2
from storage.orders.order import Order
from tasks.orders.rules.context import Context
from tools.dates import Ambiguous, DateReading, parse
from tools.quotation import place_of

_VISIT_HOUR: Final = time(9)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was agreed about time; `unclear` says why a person must settle it."""

    followup_at: datetime | None = None
    followup_days: int | None = None
    visit_at: datetime | None = None
    visit_until: date | None = None
    """The last day they named, where they named more than one."""
    words: str | None = None
    """Where the date stands in what they said (`tools.quotation`)."""
    unclear: Why | None = None

    def as_output(self) -> dict[str, object]:
        """The agreement as a step's output."""
        return {
            "followup_at": self.followup_at,
            "followup_days": self.followup_days,
            "followup_by_default": self.followup_days is not None,
            "visit_at": self.visit_at,
            "visit_until": self.visit_until,
            "date_words": self.words,
        }


def agree(
    context: Context, order: Order, level2: Level2, text: str, now: datetime, past: list[datetime]
) -> Agreement:
    """The agreement in these words, for this intent; a follow-up lies at a permitted contact time (SPEC.md §4)."""
    intent = INTENTS[level2]
    if intent.level1 not in (Level1.POSTPONE, Level1.RESUME):
        return Agreement()
    reading = parse(text, now=now, zone=context.zone(order), calendar=context.calendar)
    if isinstance(reading, Ambiguous):
        places = [place_of(words, text) for words in reading.matches]
        unclear = Why(WhyCode.DATE_UNCLEAR, {"ambiguity": reading.reason, "words": places})
        return replace(_default(context, order, intent.followup_days, now, past), unclear=unclear)
    if not isinstance(reading, DateReading):
        return _default(context, order, intent.followup_days, now, past)
    opens = (
        reading.time_window[0] if reading.time_window else (time(0) if intent.followup_days else _VISIT_HOUR)
    )
    named = datetime.combine(reading.earliest, opens, tzinfo=context.zone(order)).astimezone(UTC)
    if intent.level1 is Level1.RESUME:
        until = reading.latest if reading.latest > reading.earliest else None
        return Agreement(visit_at=max(named, now), visit_until=until, words=place_of(reading.matched, text))
    return Agreement(
        followup_at=context.next_contact(order, max(named, now), past), words=place_of(reading.matched, text)
    )


def postponed(context: Context, order: Order, days: int, now: datetime, past: list[datetime]) -> datetime:
    """The first permitted contact time after so many days."""
    return context.next_contact(order, now + timedelta(days=days), past)


def _default(
    context: Context, order: Order, days: int | None, now: datetime, past: list[datetime]
) -> Agreement:
    if days is None:
        return Agreement()
    return Agreement(followup_days=days, followup_at=postponed(context, order, days, now, past))
