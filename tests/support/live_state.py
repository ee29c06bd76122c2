"""The live state of one house in the broker's Redis: its follower, and what lies there."""

from dataclasses import dataclass
from typing import Any, Self

import redis

from runtime.redis_address import RedisAddress
from tasks.flows.live.live_follower import LiveFollower
from tasks.flows.live.live_store import PREFIX, LiveStore
from tests.support.in_process_fleet import InProcessFleet
from tests.support.waiting import wait_until


@dataclass(slots=True)
class LiveStateAtWork:
    """A follower, the store it writes, and a client of its own to look behind it."""

    house: InProcessFleet
    store: LiveStore
    follower: LiveFollower
    redis: Any

    @classmethod
    def over(cls, house: InProcessFleet, broker_url: str) -> Self:
        store = LiveStore(RedisAddress(broker_url), timeout=30)
        follower = LiveFollower(house.database, store, house.forms.subjects)
        client = redis.Redis.from_url(broker_url, decode_responses=True)
        return cls(house, store, follower, client)

    def follow(self) -> None:
        """Follow the feed to its end; transactions of other tests may hold it up for a moment."""
        wait_until(lambda: not self.follower.round(), "the feed is followed to its end")
        # However long the test takes from here on.
        self.redis.persist(f"{PREFIX}fresh")

    def lose(self) -> None:
        """Remove everything that Redis holds."""
        self.redis.delete(*self.redis.scan_iter())

    def hash_of(self, task_id: str) -> dict[str, str]:
        """What Redis holds of this order."""
        found: dict[str, str] = self.redis.hgetall(self.key_of(task_id))
        return found

    def key_of(self, task_id: str) -> str:
        """Where Redis holds it."""
        return f"{PREFIX}run:{self.house.order(task_id).run_id}"

    def everything(self) -> str:
        """Every key of the live state with all that is in it, as one text."""
        readers = {"hash": self.redis.hgetall, "string": self.redis.get, "zset": self._members}
        keys = sorted(self.redis.scan_iter(f"{PREFIX}*"))
        return "\n".join(f"{key} {readers[self.redis.type(key)](key)}" for key in keys)

    def close(self) -> None:
        """Give connections back."""
        self.store.close()
        self.redis.close()

    def _members(self, key: str) -> list[str]:
        found: list[str] = self.redis.zrange(key, 0, -1)
        return found
