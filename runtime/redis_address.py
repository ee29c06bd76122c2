"""How a Redis is reached: at an address of its own, or through the sentinels that know which server is the master."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import redis
    from redis.asyncio import ConnectionPool

SENTINEL: Final = "sentinel://"
_SCHEMES: Final = ("redis://", "rediss://", "unix://", SENTINEL)
_SENTINEL_PORT: Final = 26379

NO_REDIS: Final = "UNPEND_BROKER_URL is no Redis, and UNPEND_LIMITS_URL is not set"
"""Why what needs one is not there."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """An address of the settings; every client of ours is made here, so that all follow a new master alike.

    With sentinels it is kombu's form, `sentinel://USER:PASSWORD@HOST:PORT/DB;sentinel://…`: user, password and
    database are the master's.
    """

    url: str = field(repr=False)
    master: str | None = None
    """The name under which sentinels know it."""

    @classmethod
    def of(cls, url: str, master: str | None) -> "RedisAddress | None":
        """The Redis at this address; `None` where it is that of another broker."""
        return cls(url, master) if url.startswith(_SCHEMES) else None

    def client(self, **options: Any) -> "redis.Redis":
        """A client with these options of its connections; nothing is connected yet."""
        # Costs time to load, and the settings that lead here are read by every command.
        from redis import Redis
        from redis.sentinel import Sentinel

        if not self.url.startswith(SENTINEL):
            return Redis.from_url(self.url, **options)
        client: Redis = self._of_master(Sentinel, options)
        return client

    def pool(self, **options: Any) -> "ConnectionPool":
        """Connections for an event loop; nothing is connected yet."""
        from redis.asyncio import ConnectionPool
        from redis.asyncio.sentinel import Sentinel

        if not self.url.startswith(SENTINEL):
            return ConnectionPool.from_url(self.url, **options)
        pool: ConnectionPool = self._of_master(Sentinel, options).connection_pool
        return pool

    def _of_master(self, sentinels: Any, options: dict[str, Any]) -> Any:
        """A client of the master; the class of redis-py that asks for it publishes no types."""
        parts = _parts(self.url)
        asked = sentinels(
            [(part.get("host", "localhost"), part.get("port", _SENTINEL_PORT)) for part in parts],
            # Patience with a sentinel as with the master.
            sentinel_kwargs={
                name: value
                for name, value in options.items()
                if name.startswith("socket_") or name == "retry"
            },
            **_without_server(parts[0]),
        )
        return asked.master_for(self.master, **options)


def check_sentinels(url: str, master: str | None, name: str) -> None:
    """Check an address that may name sentinels.

    Raises:
        ValueError: nobody says which master is meant, or the addresses disagree about how it is reached.
    """
    if not url.startswith(SENTINEL):
        return
    if not master:
        raise ValueError(f"{name} names sentinels: UNPEND_SENTINEL_MASTER must name the master they watch")
    if not all(part.startswith(SENTINEL) for part in url.split(";")):
        raise ValueError(f"{name}: every address after a ; begins with {SENTINEL}")
    first, *others = map(_without_server, _parts(url))
    if any(other != first for other in others):
        raise ValueError(f"{name}: user, password and database are the master's: the same in every address")


def _parts(url: str) -> list[dict[str, Any]]:
    from redis import connection

    parse: Any = connection.parse_url
    return [dict(parse(part.replace(SENTINEL, "redis://", 1))) for part in url.split(";")]


def _without_server(part: dict[str, Any]) -> dict[str, Any]:
    """User, password, database and further options of an address."""
    return {name: value for name, value in part.items() if name not in ("host", "port")}
