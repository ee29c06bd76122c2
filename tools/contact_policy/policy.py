"""The contact policy as data: limits, gaps and windows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import time, timedelta
from itertools import pairwise
from typing import Final, Self

from schemas.orders.contact import Channel, ContactResult

MIDNIGHT: Final = time(0)


@dataclass(frozen=True, slots=True)
class ContactWindow:
    """A half-open span of one local day, `opens <= t < closes`.

    `closes` of 00:00 means the end of the day, so that 00:00-24:00 is the whole day.
    """

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.closes != MIDNIGHT and self.closes <= self.opens:
            raise ValueError(f"the window {self} ends before it begins; write it as 09:00-12:00")
        if self.opens.tzinfo or self.closes.tzinfo:
            raise ValueError(
                "a window is in the customer's local time and names no zone; write it as 09:00-12:00"
            )

    def __str__(self) -> str:
        closes = "24:00" if self.closes == MIDNIGHT else f"{self.closes:%H:%M}"
        return f"{self.opens:%H:%M}-{closes}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the window written as `09:00-12:00`; `24:00` is allowed as its end.

        Raises:
            ValueError: the text is not two times in order.
        """
        opens, dash, closes = (part.strip() for part in text.partition("-"))
        if not dash:
            raise ValueError(f"a window is written as 09:00-12:00, not {text!r}")
        try:
            return cls(
                time.fromisoformat(opens), MIDNIGHT if closes == "24:00" else time.fromisoformat(closes)
            )
        except ValueError as error:
            raise ValueError(f"a window is written as 09:00-12:00, not {text!r} ({error})") from error


ALL_DAY: Final = (ContactWindow(MIDNIGHT, MIDNIGHT),)


@dataclass(frozen=True, slots=True)
class NumberCap:
    """At most `limit` contacts of one phone number within any `period`, over all orders."""

    limit: int
    period: timedelta


@dataclass(frozen=True, slots=True)
class DailyBudget:
    """At most `most` contacts by one channel on one day of the installation's zone, over all orders."""

    channel: Channel
    most: int


@dataclass(frozen=True, slots=True)
class ContactPolicy:
    """The settings that SPEC §8 gives to an operator; the values of `STANDARD` are the specification's.

    Attributes:
        name: The policy's name in the policy file.
        max_attempts: Attempts in one round, the first included.
        max_rounds: Rounds before a person decides how to go on.
        channels: One channel for each attempt, in order.
        voice_ends_after: Results of a call after which the number is not called again (an empty or suspended
            number); later attempts take the next channel that is not voice.
        max_per_day: Contacts in one local calendar day; None for no limit.
        gap: Shortest time from one contact to the next.
        working_day_windows: Windows of working days, make-up working days included.
        weekend_windows: Windows of Saturdays and Sundays.
        contact_on_holidays: Whether public holidays are days like any other.
        number_caps: Limits per phone number over all orders, in rolling periods.
        answer_wait: How long an SMS or IM waits for its answer.
        call_result_deadline: How long after placing a call its result may come.
        undo_window: How long a cancellation waits, and can be taken back, before it is done.
        horizon_days: How many days ahead a permitted moment is looked for.
        daily_budgets: Limits per channel and day over all orders; a channel without one has none.
    """

    name: str
    max_attempts: int
    max_rounds: int
    channels: tuple[Channel, ...]
    voice_ends_after: frozenset[ContactResult]
    max_per_day: int | None
    gap: timedelta
    working_day_windows: tuple[ContactWindow, ...]
    weekend_windows: tuple[ContactWindow, ...]
    contact_on_holidays: bool
    number_caps: tuple[NumberCap, ...]
    answer_wait: timedelta
    call_result_deadline: timedelta
    undo_window: timedelta
    horizon_days: int = 60
    daily_budgets: tuple[DailyBudget, ...] = ()

    def __post_init__(self) -> None:
        if len(self.channels) != self.max_attempts:
            raise ValueError(
                f"channels must name one channel for each of the {self.max_attempts} attempts, "
                f"not {len(self.channels)}",
            )
        if not self.working_day_windows:
            raise ValueError("working_day_windows must hold at least one window, or nobody is ever contacted")
        _require_order("working_day_windows", self.working_day_windows)
        _require_order("weekend_windows", self.weekend_windows)

    def with_timing_by_caller(self) -> Self:
        """Return this policy without windows, holidays and gap, for tasks in manual mode (SPEC §6).

        The caller owns the timing there; the caps and the do-not-call list still hold.
        """
        return replace(
            self,
            name=f"{self.name}, timed by the caller",
            gap=timedelta(0),
            working_day_windows=ALL_DAY,
            weekend_windows=ALL_DAY,
            contact_on_holidays=True,
        )


def _require_order(field: str, windows: Sequence[ContactWindow]) -> None:
    for earlier, later in pairwise(windows):
        if earlier.closes == MIDNIGHT or later.opens < earlier.closes:
            raise ValueError(
                f"{field} must be in order and must not overlap: {earlier} is followed by {later}"
            )


STANDARD: Final = ContactPolicy(
    name="standard",
    max_attempts=4,
    max_rounds=5,
    channels=(Channel.PHONE, Channel.PHONE, Channel.SMS, Channel.IM),
    voice_ends_after=frozenset({ContactResult.INVALID_NUMBER, ContactResult.SUSPENDED_NUMBER}),
    max_per_day=2,
    gap=timedelta(hours=4),
    working_day_windows=(ContactWindow(time(9), time(12)), ContactWindow(time(14), time(20))),
    weekend_windows=(ContactWindow(time(10), time(12)), ContactWindow(time(14), time(18))),
    contact_on_holidays=False,
    number_caps=(
        NumberCap(1, timedelta(minutes=1)),
        NumberCap(5, timedelta(hours=1)),
        NumberCap(20, timedelta(hours=24)),
    ),
    answer_wait=timedelta(hours=24),
    call_result_deadline=timedelta(seconds=600),
    undo_window=timedelta(seconds=1800),
)
"""The policy of SPEC §8, used where no policy file says otherwise."""

ALWAYS_OPEN: Final = replace(
    STANDARD,
    name="always_open",
    max_per_day=None,
    gap=timedelta(0),
    working_day_windows=ALL_DAY,
    weekend_windows=ALL_DAY,
    contact_on_holidays=True,
    number_caps=(),
)
"""Every moment is permitted: for benchmarks and tests, never for customers."""
