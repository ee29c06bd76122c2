"""Keeps the live state of tasks up to date: follows the feed of events, and rebuilds what was lost."""

from dataclasses import dataclass
from typing import Final

from storage.core.database import Database
from storage.engine.subjects import SubjectTable
from storage.flows.live_states import LiveStates
from storage.outbound.feed import Feed
from tasks.flows.live.live_store import FollowedFeed, LiveStore

_EVENTS: Final = 10_000
"""Events one round follows: those of one run are one look at it."""
_RUNS: Final = 500
"""Runs that are looked at in one statement, and that one round rebuilds."""
_SWEPT: Final = 50
"""Runs without new events that one round looks at again: not every change is an event."""


@dataclass(frozen=True, slots=True)
class LiveFollower:
    """Reads PostgreSQL and writes Redis. Any number may work at once: what is written twice is written in order."""

    database: Database
    store: LiveStore
    subjects: tuple[SubjectTable, ...]

    def round(self) -> bool:
        """Follow the next events, or rebuild the next runs; whether there is more to do at once.

        Raises:
            StorageUnavailable: PostgreSQL went away.
            LiveStoreUnavailable: Redis went away.
        """
        feed = self.store.feed()
        with self.database.transaction() as work:
            identity, now = LiveStates(work).database_identity(), Feed(work).now()
            lost = feed is None or feed.database != identity or feed.cursor > now
            total = LiveStates(work).count_open() if lost else 0
        if feed is None or lost:
            self.store.begin(identity, now, total)
            return True
        return self._rebuild(feed) if feed.rebuilding else self._follow(feed)

    def _rebuild(self, feed: FollowedFeed) -> bool:
        """Write the next open runs; the events that come meanwhile are followed afterwards."""
        with self.database.transaction() as work:
            run_ids = LiveStates(work).open_after(feed.after_run, _RUNS)
            states = LiveStates(work, self.subjects).of(run_ids)
        self.store.write(feed, states)
        if run_ids:
            self.store.rebuilt_up_to(feed, run_ids[-1], len(run_ids))
        else:
            self.store.rebuilt(feed)
        return True

    def _follow(self, feed: FollowedFeed) -> bool:
        """Write how the runs stand now that the next events are about."""
        sweep, swept = self.store.some_open(feed.sweep, _SWEPT)
        with self.database.transaction() as work:
            events = Feed(work).runs_with_events(feed.cursor, limit=_EVENTS)
            if not events.complete:
                sweep, swept = feed.sweep, []
            run_ids = list(dict.fromkeys((*events.run_ids, *swept)))
            # Read after the events: at least as new as they are.
            states = [
                state
                for start in range(0, len(run_ids), _RUNS)
                for state in LiveStates(work, self.subjects).of(run_ids[start : start + _RUNS])
            ]
        self.store.write(feed, states)
        self.store.followed_up_to(feed, events.next, sweep=sweep, complete=events.complete)
        return not events.complete
