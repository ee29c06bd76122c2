"""How moments and lengths of time are worded, seen from now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from runtime.clock import Clock
from schemas.core.language import Language
from schemas.orders.explain.sentence import When
from schemas.orders.explain.words import words_in
from storage.engine.clock import Moments

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_SHORT: Final = 10.0
"""Seconds below which tenths of a second are shown."""


@dataclass(frozen=True, slots=True)
class MomentFormat:
    """How moments are worded: seen from now, in the customer's zone, in a language."""

    moments: Moments
    zone: ZoneInfo
    language: Language = Language.ENGLISH

    def distance(self, when: When) -> timedelta:
        """How far ahead a moment lies; negative when it has passed."""
        now = self.moments.business_now if when.clock is Clock.BUSINESS else self.moments.database_now
        return when.at - now

    def since(self, when: When) -> str:
        """Since when something is so."""
        ago = span(-self.distance(when), self.language)
        if when.clock is Clock.DATABASE:
            return self._word("for_now", span=ago)
        return self._word("since", date=self.date(when.at), span=ago)

    def until(self, when: When) -> str:
        """Until when something is so."""
        left = self.distance(when)
        if left <= timedelta():
            return self._word("due_ago", span=span(-left, self.language))
        if when.clock is Clock.DATABASE:
            return self._word("for_more", span=span(left, self.language))
        return self._word("until", date=self.date(when.at), span=span(left, self.language))

    def date(self, moment: datetime) -> str:
        """A business moment on the customer's calendar."""
        there = moment.astimezone(self.zone)
        weekday = self._words["weekdays"].split()[there.weekday()]
        return f"{weekday} {there:%Y-%m-%d %H:%M}"

    @property
    def _words(self) -> Mapping[str, Any]:
        words: Mapping[str, Any] = words_in(self.language)["moments"]
        return words

    def _word(self, name: str, **given: str) -> str:
        return str(self._words[name]).format_map(given)


def span(length: timedelta, language: Language = Language.ENGLISH) -> str:
    """A length of time as people say it, in at most two units: `3 d 4 h`, `2 min 5 s`, `0.4 s`."""
    words = words_in(language)["spans"]
    seconds = max(length.total_seconds(), 0.0)
    if seconds < _SHORT:
        return str(words["s"]).format(count=f"{seconds:.1f}")
    rest, parts = round(seconds), []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(str(words[unit]).format(count=count))
        elif parts:
            break
    return str(words["between"]).join(parts[:2])
