"""The explanation of a task: what it waits for, since when, until when, what happens next; as values and sentences."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from runtime.clock import Clock
from runtime.mask import mask_text
from storage.engine.clock import Moments

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_SHORT: Final = 10.0
"""Seconds below which tenths of a second are shown."""


class Wait(StrEnum):
    """The kinds of waits, for scripts and pages."""

    NOTHING = "nothing"
    """It has ended."""
    RESUME = "resume"
    """It is paused."""
    START = "start"
    """It is held, until somebody starts it."""
    PERSON = "person"
    FOLLOWUP = "followup"
    NEXT_ATTEMPT = "next_attempt"
    """The gap and the hours between two attempts."""
    PERMITTED_TIME = "permitted_time"
    """An attempt that the contact policy deferred."""
    UNDO_WINDOW = "undo_window"
    RETRY = "retry"
    LOOK_AGAIN = "look_again"
    """The step comes back by itself, without a fault counted against it."""
    TIME = "time"
    CALL_RESULT = "call_result"
    ANSWER = "answer"
    SIGNAL = "signal"
    CALLER = "caller"
    """A manual order's step, until an outside agent calls for it."""
    ROOM = "room"
    """Ready, in PostgreSQL, until the queue has room."""
    WORKER = "worker"
    """Published, until a worker takes it."""
    RESULT = "result"
    """A worker is at it."""
    FAULT = "fault"
    """Nothing will move it by itself."""


@dataclass(frozen=True, slots=True)
class When:
    """A moment and the clock it lies on."""

    at: datetime
    clock: Clock = Clock.BUSINESS


@dataclass(frozen=True, slots=True)
class MomentFormat:
    """How moments are worded: seen from now, in the customer's zone."""

    moments: Moments
    zone: ZoneInfo

    def distance(self, when: When) -> timedelta:
        """How far ahead a moment lies; negative when it has passed."""
        now = self.moments.business_now if when.clock is Clock.BUSINESS else self.moments.database_now
        return when.at - now

    def since(self, when: When) -> str:
        """Since when something is so."""
        ago = -self.distance(when)
        if when.clock is Clock.DATABASE:
            return f"for {span(ago)} now"
        return f"since {self.date(when.at)} ({span(ago)} ago)"

    def until(self, when: When) -> str:
        """Until when something is so."""
        left = self.distance(when)
        if left <= timedelta():
            return f"due {span(-left)} ago"
        if when.clock is Clock.DATABASE:
            return f"for {span(left)} more"
        return f"until {self.date(when.at)} (in {span(left)})"

    def date(self, moment: datetime) -> str:
        """A business moment on the customer's calendar."""
        return f"{moment.astimezone(self.zone):%a %Y-%m-%d %H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a task stands where it stands; the words are English with the Chinese business terms."""

    subject: str
    stands: str
    """Its state, and how far it has come in it."""
    wait: Wait
    waiting_for: str
    since: When | None = None
    until: When | None = None
    next: str = ""
    note: str = ""

    def sentences(self, moment_format: MomentFormat) -> str:
        """One to three sentences; never a phone number."""
        verb = "" if self.wait in (Wait.NOTHING, Wait.FAULT) else "waits for "
        parts = [f"{self.subject} ({self.stands}) {verb}{self.waiting_for}"]
        if self.since:
            parts.append(moment_format.since(self.since))
        if self.until:
            parts.append(moment_format.until(self.until))
        sentences = [", ".join(parts), self.next, self.note]
        return mask_text(" ".join(_ended(sentence) for sentence in sentences if sentence))


def span(length: timedelta) -> str:
    """A length of time as people say it, in at most two units: `3 d 4 h`, `2 min 5 s`, `0.4 s`."""
    seconds = max(length.total_seconds(), 0.0)
    if seconds < _SHORT:
        return f"{seconds:.1f} s"
    rest, parts = round(seconds), []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "。", "!", "?", "`")) else f"{sentence}."
