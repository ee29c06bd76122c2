"""The live state of tasks in Redis: one hash a run, which may be lost at any moment.

A rebuild has an epoch, and whoever writes names the epoch it began with: what is written under a former one is refused.
Each hash is fenced by the event it was read after, so that an older look never replaces a newer one.
"""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from runtime.redis_address import RedisAddress
from runtime.settings import Settings
from storage.flows.live_states import LiveState
from storage.outbound.feed import Cursor
from tasks.flows.live.live_hash import read, written

PREFIX: Final = "unpend:live:"
"""Every key of the live state begins so."""
_RUN: Final = f"{PREFIX}run:"
_FEED: Final = f"{PREFIX}feed"
"""Of which database it is, and how far the feed of events was followed."""
_FRESH: Final = f"{PREFIX}fresh"
"""There while the feed is followed to its end every second."""
_CHANGES: Final = f"{PREFIX}changes"
"""Open runs in the order of their last events."""
_COUNTS: Final = f"{PREFIX}counts"
"""Open runs by product and state."""

FRESH_SECONDS: Final = 10
"""How old what is read here may be."""
_KEPT_SECONDS: Final = 3600
"""How long the hash of an ended run stays: a late write of its past is refused meanwhile."""
_AT_ONCE: Final = 100
"""Hashes one script writes: the server does nothing else meanwhile."""
_CLEARED_AT_ONCE: Final = 1000
_FIRST_PHASE, _REBUILDING, _FOLLOWING = "clearing", "rebuilding", "following"

_WRITE: Final = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
for _, run in ipairs(cjson.decode(ARGV[4])) do
    local key = ARGV[2] .. run.id
    local stored = redis.call('HMGET', key, 'event_id', 'horizon', 'counted_as')
    local event, horizon = tonumber(stored[1]) or -1, tonumber(stored[2]) or -1
    if event < run.event or (event == run.event and horizon <= run.horizon) then
        if stored[3] then redis.call('HINCRBY', KEYS[3], stored[3], -1) end
        redis.call('DEL', key)
        redis.call('HSET', key, unpack(run.fields))
        if run.counted_as then
            redis.call('HSET', key, 'counted_as', run.counted_as)
            redis.call('HINCRBY', KEYS[3], run.counted_as, 1)
            redis.call('ZADD', KEYS[2], run.event, run.id)
        else
            redis.call('EXPIRE', key, ARGV[3])
            redis.call('ZREM', KEYS[2], run.id)
        end
    end
end
return 1
"""
_ADVANCE: Final = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
if ARGV[2] ~= '' then redis.call('SET', KEYS[2], '1', 'EX', ARGV[2]) end
return 1
"""


class LiveStoreUnavailable(Exception):
    """Redis does not answer, or does not take what is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedFeed:
    """How far the live state is: of which database, rebuilt up to which run, followed up to which event."""

    epoch: str
    database: str
    cursor: Cursor
    rebuilding: bool
    after_run: str
    done: int
    total: int
    sweep: int
    """Where the next look at runs without new events goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSummary:
    """The live state as a whole."""

    known: bool
    """Whether there is any of it, be it in the making."""
    fresh: bool
    feed: FollowedFeed | None
    """`None` also while what was there before is removed."""
    counts: Mapping[str, int]
    newest: Sequence[LiveState]


class LiveStore:
    """Writes and reads the hashes; makes no decisions about what is true. Threads may share it."""

    def __init__(self, address: RedisAddress, *, timeout: float) -> None:
        """Take the address; nothing is connected yet."""
        self._client: Any = address.client(
            decode_responses=True,
            socket_connect_timeout=timeout,
            socket_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            client_name="unpend-live-state",
        )
        self._write = self._client.register_script(_WRITE)
        self._advance = self._client.register_script(_ADVANCE)

    @classmethod
    def of_settings(cls, settings: Settings, *, timeout: float) -> Self | None:
        """The live state of this installation; `None` where there is no Redis."""
        return None if settings.redis is None else cls(settings.redis, timeout=timeout)

    def feed(self) -> FollowedFeed | None:
        """How far the live state is; `None` when there is none of it, or none that is whole.

        Raises:
            LiveStoreUnavailable: Redis is away.
        """
        with _answering():
            return _feed_of(self._client.hgetall(_FEED))

    def begin(self, database: str, cursor: Cursor, total: int) -> None:
        """Remove what there is, and let a rebuild begin; of several who begin, the last one's counts.

        Raises:
            LiveStoreUnavailable: Redis is away; the next look begins again.
        """
        epoch = secrets.token_hex(8)
        with _answering():
            self._client.unlink(_FEED, _FRESH)
            self._client.hset(_FEED, mapping={"epoch": epoch, "phase": _FIRST_PHASE})
            place = None
            while place != 0:
                place, keys = self._client.scan(place or 0, match=f"{_RUN}*", count=_CLEARED_AT_ONCE)
                self._client.unlink(_CHANGES, _COUNTS, *keys)
        self._set(
            epoch,
            phase=_REBUILDING,
            database=database,
            cursor=str(cursor),
            after_run="",
            done=0,
            total=total,
            sweep=0,
        )

    def write(self, feed: FollowedFeed, states: Sequence[LiveState]) -> None:
        """Write how these runs stand, where nothing newer is known; ended ones expire.

        Raises:
            LiveStoreUnavailable: Redis is away; some may have been written.
        """
        for start in range(0, len(states), _AT_ONCE):
            runs = json.dumps([written(state) for state in states[start : start + _AT_ONCE]])
            with _answering():
                self._write(keys=[_FEED, _CHANGES, _COUNTS], args=[feed.epoch, _RUN, _KEPT_SECONDS, runs])

    def rebuilt_up_to(self, feed: FollowedFeed, run_id: str, runs: int) -> None:
        """Note that so many further runs, up to this one, are written.

        Raises:
            LiveStoreUnavailable: Redis is away.
        """
        self._set(feed.epoch, after_run=run_id, done=feed.done + runs)

    def rebuilt(self, feed: FollowedFeed) -> None:
        """Note that every open run is written: the feed is followed from now on.

        Raises:
            LiveStoreUnavailable: Redis is away.
        """
        self._set(feed.epoch, phase=_FOLLOWING)

    def followed_up_to(self, feed: FollowedFeed, cursor: Cursor, *, sweep: int, complete: bool) -> None:
        """Note how far the feed was followed; `complete`: to its end, so that what is here may be read for a while.

        Raises:
            LiveStoreUnavailable: Redis is away.
        """
        self._set(
            feed.epoch, fresh_seconds=FRESH_SECONDS if complete else "", cursor=str(cursor), sweep=sweep
        )

    def some_open(self, sweep: int, limit: int) -> tuple[int, list[str]]:
        """About so many open runs from this place on, and the place that follows; after the last the first.

        Raises:
            LiveStoreUnavailable: Redis is away.
        """
        with _answering():
            place, found = self._client.zscan(_CHANGES, sweep, count=limit)
        return int(place), [run_id for run_id, _ in found]

    def drop(self) -> None:
        """Let everything be rebuilt.

        Raises:
            LiveStoreUnavailable: Redis is away.
        """
        with _answering():
            self._client.unlink(_FEED, _FRESH)

    def read(self, run_ids: Sequence[str]) -> dict[str, LiveState]:
        """How these runs stand, as far as it is known here; nothing when that may be old.

        Raises:
            LiveStoreUnavailable: Redis is away.
        """
        with _answering(), self._client.pipeline(transaction=False) as pipeline:
            pipeline.exists(_FRESH)
            for run_id in run_ids:
                pipeline.hgetall(f"{_RUN}{run_id}")
            fresh, *found = pipeline.execute()
        if not fresh:
            return {}
        states = {run_id: read(each) for run_id, each in zip(run_ids, found, strict=True)}
        return {run_id: state for run_id, state in states.items() if state is not None}

    def summary(self, newest: int) -> LiveSummary:
        """The live state as a whole, with so many of the runs that changed last.

        Raises:
            LiveStoreUnavailable: Redis is away.
        """
        with _answering(), self._client.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(_FEED)
            pipeline.exists(_FRESH)
            pipeline.hgetall(_COUNTS)
            pipeline.zrevrange(_CHANGES, 0, newest - 1)
            feed, fresh, counts, run_ids = pipeline.execute()
        found = self.read(run_ids) if run_ids else {}
        return LiveSummary(
            known=bool(feed),
            fresh=bool(fresh),
            feed=_feed_of(feed),
            counts={name: int(number) for name, number in counts.items() if int(number) > 0},
            newest=[found[run_id] for run_id in run_ids if run_id in found],
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _set(self, epoch: str, *, fresh_seconds: int | str = "", **fields: str | int) -> None:
        given = [part for name, value in fields.items() for part in (name, value)]
        with _answering():
            self._advance(keys=[_FEED, _FRESH], args=[epoch, fresh_seconds, *given])


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise LiveStoreUnavailable(f"{type(error).__name__}: {error}") from error


def _feed_of(fields: Mapping[str, str]) -> FollowedFeed | None:
    if fields.get("phase") not in (_REBUILDING, _FOLLOWING):
        return None
    try:
        return FollowedFeed(
            epoch=fields["epoch"],
            database=fields["database"],
            cursor=Cursor.parse(fields["cursor"]),
            rebuilding=fields["phase"] == _REBUILDING,
            after_run=fields["after_run"],
            done=int(fields["done"]),
            total=int(fields["total"]),
            sweep=int(fields["sweep"]),
        )
    except (KeyError, ValueError):
        return None
