"""Keeps the live state of tasks up to date: follows the feed of events, and rebuilds what was lost."""

from dataclasses import dataclass
from typing import Final

from storage.core.database import Database
from storage.engine.subjects import SubjectTable
from storage.flows.live_states import LiveStates
from storage.outbound.feed import Feed
from tasks.flows.live_store import FollowedFeed, LiveStore

_EVENTS: Final = 500
"""Events one round follows."""
_REBUILT: Final = 500
"""Runs one round rebuilds."""
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
            run_ids = LiveStates(work).open_after(feed.after_run, _REBUILT)
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
            page = Feed(work).page(feed.cursor, limit=_EVENTS)
            run_ids = [event.execution_id for event in page.events]
            if page.complete:
                run_ids += swept
            # Read after the events: at least as new as they are.
            states = LiveStates(work, self.subjects).of(list(dict.fromkeys(run_ids)))
        self.store.write(feed, states)
        self.store.followed_up_to(
            feed, page.next, sweep=sweep if page.complete else feed.sweep, complete=page.complete
        )
        return not page.complete
