"""The log of an execution as it grows: one look serves all who follow logs in this process."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from api.outbound.streams.broadcast import Broadcast
from api.outbound.streams.event_stream import EventStream, frame_of
from api.outbound.streams.listener import End, Listener
from api.server.admission import Admission
from api.server.coalescer import Coalescer, CoalescerClosed
from api.server.cursor import Place, cursor_of
from schemas.core.private_words import masked
from schemas.flows.executions import LogEntry
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.flows.executions import Executions, LogLine, LogMoment, LogPage, LogPlace
from storage.outbound.feed import ORIGIN

_PAUSE_SECONDS: Final = 0.25
_PAGE: Final = 200
_BEGINNING: Final[Place] = (datetime(2000, 1, 1, tzinfo=UTC), "")
"""Before every line there is."""


class LogReader:
    """Reads what follows in the logs that are followed here. Belongs to one event loop.

    Lines have the moment of their rows, which are seen once their transaction is over. So only those are read that
    are older than every transaction under way: nothing can appear before a place that was passed.
    """

    def __init__(self, database: Database) -> None:
        """Take the database; nothing is read before somebody asks."""
        self._database = database
        self._looks: Coalescer[LogPlace, LogPage] = Coalescer(self._look, of_all=(StorageUnavailable,))
        self._settled: datetime | None = None
        """What was stamped until here is all to be seen."""
        self._settling: LogMoment | None = None
        """The moment until which it is next."""

    async def after(self, place: LogPlace) -> tuple[LogPage, datetime | None]:
        """What follows a place, and until when everything is known.

        Raises:
            CoalescerClosed: the process stops.
            StorageUnavailable: it cannot be read.
        """
        page = await self._looks.submit(place)
        return page, self._settled

    def end(self) -> None:
        """Who follows is told by whoever keeps the seats."""

    async def close(self) -> None:
        """Finish the look that is under way, and take no more."""
        await self._looks.close()

    def _look(self, places: Sequence[LogPlace]) -> Sequence[LogPage]:
        with self._database.transaction() as work:
            executions = Executions(work)
            now = executions.moment()
            if self._settling is None or now.settled >= self._settling.horizon:
                self._settled = None if self._settling is None else self._settling.now
                self._settling = now
            return executions.settled_logs(places, _PAGE, self._settled)


@dataclass(slots=True)
class LogFollowing:
    """One who follows a log, and how far."""

    reader: LogReader
    place: LogPlace
    _ended_at: datetime | None = None

    async def more(self, listener: Listener, seconds: float) -> Sequence[LogLine]:
        """What follows, as soon as there is something, within this time; the end is noted with the listener.

        Raises:
            StorageUnavailable: it cannot be read.
        """
        until = time.monotonic() + seconds
        while listener.end is None:
            try:
                page, settled = await self.reader.after(self.place)
            except CoalescerClosed:
                listener.finish(End.STOPPING)
                break
            if page.lines:
                last = page.lines[-1]
                self.place = LogPlace(self.place.run_id, (last.at, last.place))
                return page.lines
            # One that was begun anew meanwhile goes on.
            self._ended_at = (self._ended_at or page.read_at) if page.ended else None
            if self._ended_at is not None and settled is not None and settled >= self._ended_at:
                listener.finish(End.COMPLETE)
                break
            left = until - time.monotonic()
            if left <= 0:
                break
            # Ends the pause where it is over meanwhile.
            await listener.take(min(left, _PAUSE_SECONDS))
        return ()


def log_stream(
    broadcast: Broadcast, reader: LogReader, run_id: str, after: Place | None, admission: Admission
) -> EventStream[LogLine]:
    """The log of a run from behind this place on, on a seat of those who listen to events."""
    start = after or _BEGINNING
    following = LogFollowing(reader, LogPlace(run_id, start))
    return EventStream(
        broadcast.listen(run_id, ORIGIN, admission.owner),
        following.more,
        after=cursor_of(start),
        frame=_frame,
        admission=admission,
    )


def entry_of(line: LogLine) -> LogEntry:
    """A line as it is shown."""
    return LogEntry(timestamp=line.at, event_type=line.event_type, data=masked(line.data))


def _frame(line: LogLine) -> bytes:
    return frame_of(cursor_of((line.at, line.place)), line.event_type, entry_of(line).model_dump_json())
