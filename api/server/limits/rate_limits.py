"""How often a key may ask: windows counted in Redis, shared by every process of the API (seed 000 section 九).

A missing or slow Redis neither keeps anybody out nor lets everybody in: each process then counts by itself.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Self

from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.errors import StorageError
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from api.server.refusal import Refusal
from runtime.logs import logger
from runtime.rate import RateWindow, read_rate
from runtime.redis_address import NO_REDIS, RedisAddress
from runtime.settings import Settings
from schemas.core.error import Code
from storage.access.keys import Key

_log = logger(__name__)

REDIS_TIMEOUT_SECONDS: Final = 0.05
"""How long Redis may take to be reached, and to answer."""
PAUSE_SECONDS: Final = 5.0
"""How long it is not asked again after it did not."""
_WARNED_SECONDS: Final = 10.0
_PREFIX: Final = "unpend:rate"


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A window that is full, until that moment (Unix seconds)."""

    window: RateWindow
    until: float


class RateLimits:
    """Counts the requests of every key. Those that come while a count is under way are counted together next.

    Belongs to the event loop it is used in.
    """

    def __init__(
        self,
        storage: Storage,
        rate: str,
        *,
        disconnect: Callable[[], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take where to count, and the rate of keys that have none of their own.

        Args:
            storage: Where windows are counted; raises `StorageError` when it is away.
            rate: As `runtime.rate` reads it.
            disconnect: Closes what the storage holds open.
            clock: Seconds that only ever rise.

        Raises:
            ValueError: the rate is not written as one.
        """
        self._storage = storage
        self._default = read_rate(rate)
        self._disconnect = disconnect
        self._clock = clock
        self._waiting: dict[str, list[asyncio.Future[Exceeded | None]]] = {}
        self._counting: dict[str, asyncio.Task[None]] = {}
        self._local = MemoryStorage()
        """Where this process counts by itself while Redis is away."""
        self._silent_until = -math.inf
        self._told_at = -math.inf

    @classmethod
    def over(cls, settings: Settings) -> Self:
        """The limits of this installation; nothing is connected yet."""
        if settings.redis is None:
            return cls(MemoryStorage(), settings.rate_limit)
        return cls.in_redis(settings.redis, settings.rate_limit)

    @classmethod
    def in_redis(cls, address: RedisAddress, rate: str, *, timeout: float = REDIS_TIMEOUT_SECONDS) -> Self:
        """Limits that are counted in this Redis."""
        pool = address.pool(
            socket_connect_timeout=timeout,
            socket_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            client_name="unpend-rate-limits",
        )
        storage = RedisStorage(
            "async+redis://",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix=_PREFIX,
            connection_pool=pool,  # type: ignore[arg-type] # documented; the annotation forgets it
        )
        return cls(storage, rate, disconnect=pool.aclose)

    async def admit(self, key: Key) -> None:
        """Count this request of the key.

        Raises:
            Refusal: one of its windows is full (429).
        """
        if key.key_id not in self._counting:
            windows = self._default if key.rate_limit is None else read_rate(key.rate_limit)
            self._counting[key.key_id] = asyncio.create_task(self._count(key.key_id, windows))
        answer: asyncio.Future[Exceeded | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key.key_id, []).append(answer)
        exceeded = await answer
        if exceeded is not None:
            raise _limited(exceeded)

    async def warm(self) -> None:
        """Connect before the first request does; say so where every process counts by itself."""
        if isinstance(self._storage, MemoryStorage):
            _log.warning("requests are counted by each process alone", reason=NO_REDIS)
        await self._storage.check()

    async def close(self) -> None:
        """Finish what is being counted, and close the connections."""
        await asyncio.gather(*self._counting.values())
        if self._disconnect is not None:
            await self._disconnect()

    async def _count(self, key_id: str, windows: tuple[RateWindow, ...]) -> None:
        answers: list[asyncio.Future[Exceeded | None]] = []
        try:
            while answers := self._waiting.pop(key_id, []):
                passing, exceeded = await self._take_somewhere(key_id, windows, len(answers))
                _answer(answers[:passing], None)
                _answer(answers[passing:], exceeded)
        finally:
            # Whatever happened, nobody is left waiting.
            _answer([*answers, *self._waiting.pop(key_id, [])], None)
            del self._counting[key_id]

    async def _take_somewhere(
        self, key_id: str, windows: tuple[RateWindow, ...], wanted: int
    ) -> tuple[int, Exceeded | None]:
        """Count in Redis; while it does not answer in time, in windows of this process alone."""
        if self._clock() >= self._silent_until:
            try:
                return await self._take(self._storage, key_id, windows, wanted)
            except (StorageError, OSError) as error:
                self._pause(error)
        return await self._take(self._local, key_id, windows, wanted)

    async def _take(
        self, storage: Storage, key_id: str, windows: tuple[RateWindow, ...], wanted: int
    ) -> tuple[int, Exceeded | None]:
        """How many of so many requests pass every window; the first window that was full for the others.

        What a short window keeps out is not counted in the longer ones.
        """
        passing, exceeded = wanted, None
        for window in windows:
            name = f"{key_id}:{window.requests}/{window.seconds}"
            counted = await storage.incr(name, window.seconds, passing)
            beyond = min(passing, max(0, counted - window.requests))
            if beyond:
                exceeded = exceeded or Exceeded(window, await storage.get_expiry(name))
                passing -= beyond
            if not passing:
                break
        return passing, exceeded

    def _pause(self, error: Exception) -> None:
        now = self._clock()
        self._silent_until = now + PAUSE_SECONDS
        if now >= self._told_at + _WARNED_SECONDS:
            self._told_at = now
            _log.warning(
                "requests are counted by this process alone: Redis does not answer",
                error=type(error).__name__,
            )


def _answer(answers: list[asyncio.Future[Exceeded | None]], exceeded: Exceeded | None) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_result(exceeded)


def _limited(exceeded: Exceeded) -> Refusal:
    window, now = exceeded.window, time.time()
    wait = max(1, math.ceil(exceeded.until - now))
    return Refusal(
        Code.RATE_LIMITED,
        f"this key may ask {window.requests} times in {window.seconds} s; try again in {wait} s",
        details={"requests": window.requests, "seconds": window.seconds, "retry_after_seconds": wait},
        headers={
            "Retry-After": str(wait),
            "X-RateLimit-Limit": str(window.requests),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(math.ceil(now) + wait),
        },
    )
