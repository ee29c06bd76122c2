"""What a schedule is to begin, worked out minute by minute without the code under test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

MINUTE: Final = timedelta(minutes=1)
ON_TIME: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Times:
    """A cron line of minutes, hours and days of the week; each empty for any."""

    minutes: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    """0 is Sunday."""

    @property
    def cron(self) -> str:
        """The line."""
        fields = [",".join(map(str, each)) or "*" for each in (self.minutes, self.hours, self.weekdays)]
        return f"{fields[0]} {fields[1]} * * {fields[2]}"

    def fit(self, wall: datetime) -> bool:
        """Whether it names this time of a wall clock."""
        return (
            (not self.minutes or wall.minute in self.minutes)
            and (not self.hours or wall.hour in self.hours)
            and (not self.weekdays or wall.isoweekday() % 7 in self.weekdays)
        )


def due_times(times: Times, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """The minutes at which the clocks of the zone first show, or leap over, a time that fits."""
    at = start - timedelta(days=2)
    shown = at.astimezone(zone).replace(tzinfo=None, fold=0)
    while at <= end:
        wall = at.astimezone(zone).replace(tzinfo=None, fold=0)
        fits = False
        while shown < wall:
            shown += MINUTE
            fits |= times.fit(shown)
        if fits and at > start:
            yield at
        at += MINUTE


@dataclass(slots=True)
class Reference:
    """A schedule that is looked at now and then, by the rules of docs/triggers.md."""

    times: Times
    zone: ZoneInfo
    overlap: str
    catch_up: str
    looked_at: datetime
    begun: list[datetime] = field(default_factory=list)
    queue: list[datetime] = field(default_factory=list)
    is_open: bool = False

    def look(self, minute: datetime, now: datetime) -> None:
        """What is due by this whole minute begins, waits or is dropped, looked at some seconds later."""
        found = list(due_times(self.times, self.zone, self.looked_at, minute))
        self.looked_at = minute
        on_time = [time for time in found if now - time <= ON_TIME]
        missed = [time for time in found if now - time > ON_TIME]
        if self.catch_up == "all":
            wanted: Sequence[datetime] = found[-100:]
        elif self.catch_up == "last" and not on_time:
            wanted = missed[-1:]
        else:
            wanted = on_time
        if self.queue and not self.is_open:
            self._begin(self.queue.pop(0))
        for time in wanted[-1:] if self.overlap == "cancel" else wanted:
            if self.overlap in ("allow", "cancel") or not self.is_open:
                self._begin(time)
            elif len(self.queue) < {"queue_one": 1, "queue_all": 100}.get(self.overlap, 0):
                self.queue.append(time)

    def end_runs(self) -> None:
        """Whatever is open ends."""
        self.is_open = False

    def _begin(self, time: datetime) -> None:
        self.begun.append(time.astimezone(UTC))
        self.is_open = True
