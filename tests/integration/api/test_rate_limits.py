"""How often a key may ask, and that a missing Redis keeps nobody out."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import anyio
import httpx2
import pytest
from limits.aio.storage import MemoryStorage
from structlog.testing import capture_logs

from api.server.limits.rate_limits import PAUSE_SECONDS, RateLimits
from api.server.refusal import Refusal
from runtime.api_key import new_key
from runtime.redis_address import RedisAddress
from storage.access.keys import Key, Keys, NewKey
from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.in_process_fleet import InProcessFleet, settings_for

PATIENT = 180
"""Seconds a test lets Redis take: how busy this machine is, is not what is tested."""


def key_of(name: str = "key_1", rate: str | None = None) -> Key:
    return Key(name, "operator", frozenset({"read"}), rate_limit=rate)


async def admitted(limits: RateLimits, key: Key, times: int) -> list[Refusal | None]:
    """What so many requests at once are told."""

    async def ask() -> Refusal | None:
        try:
            await limits.admit(key)
        except Refusal as refusal:
            return refusal
        return None

    return list(await asyncio.gather(*(ask() for _ in range(times))))


def counting(limits_of: Callable[[], RateLimits], work: Callable[[RateLimits], Awaitable[None]]) -> None:
    async def run() -> None:
        limits = limits_of()
        await work(limits)
        await limits.close()

    anyio.run(run)


@contextmanager
def api_with(database_url: str, **changes: Any) -> Iterator[ApiClient]:
    house = InProcessFleet.build(database_url, **changes)
    register_keys(house)
    with api_over(house) as api:
        yield api
    house.close()


def ask_until_refused(api: ApiClient, key: str | None = None) -> httpx2.Response:
    """The first refusal of a key that asks and asks."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    deadline = time.monotonic() + 180
    while (answer := api.get("/states", headers=headers)).status_code == 200:
        assert time.monotonic() < deadline, "no request was refused"
    return answer


@pytest.mark.parametrize("times", [1, 5, 6, 40])
def test_of_many_requests_at_once_as_many_pass_as_may(broker_url: str, times: int) -> None:
    async def work(limits: RateLimits) -> None:
        told = await admitted(limits, key_of(), times)
        assert told.count(None) == min(times, 5)

    counting(lambda: RateLimits.in_redis(RedisAddress(broker_url), "5/minute", timeout=PATIENT), work)


def test_windows_are_shared_by_every_process(broker_url: str) -> None:
    async def work(limits: RateLimits) -> None:
        other = RateLimits.in_redis(RedisAddress(broker_url), "5/minute", timeout=PATIENT)
        assert (await admitted(limits, key_of(), 3)).count(None) == 3
        assert (await admitted(other, key_of(), 3)).count(None) == 2
        await other.close()

    counting(lambda: RateLimits.in_redis(RedisAddress(broker_url), "5/minute", timeout=PATIENT), work)


def test_every_key_has_windows_of_its_own(broker_url: str) -> None:
    async def work(limits: RateLimits) -> None:
        for name in ("key_1", "key_2"):
            assert (await admitted(limits, key_of(name), 6)).count(None) == 5

    counting(lambda: RateLimits.in_redis(RedisAddress(broker_url), "5/minute", timeout=PATIENT), work)


def test_the_rate_of_a_key_goes_before_that_of_the_installation(broker_url: str) -> None:
    async def work(limits: RateLimits) -> None:
        assert (await admitted(limits, key_of(rate="2/minute"), 6)).count(None) == 2

    counting(lambda: RateLimits.in_redis(RedisAddress(broker_url), "5/minute", timeout=PATIENT), work)


def test_the_narrowest_window_counts_and_what_it_keeps_out_is_not_counted_in_the_wider() -> None:
    async def work(limits: RateLimits) -> None:
        told = await admitted(limits, key_of(), 50)
        assert told.count(None) == 3
        assert {refusal.details["seconds"] for refusal in told if refusal} == {60}
        counted = await limits._storage.get("key_1:10/3600")
        assert counted == 3

    counting(lambda: RateLimits(MemoryStorage(), "10/hour;3/minute"), work)


def test_a_window_that_has_passed_is_empty_again(broker_url: str) -> None:
    async def work(limits: RateLimits) -> None:
        assert (await admitted(limits, key_of(), 3))[-1] is not None
        deadline = time.monotonic() + 180
        while (await admitted(limits, key_of(), 1))[0] is not None:
            assert time.monotonic() < deadline

    counting(lambda: RateLimits.in_redis(RedisAddress(broker_url), "2/second", timeout=PATIENT), work)


def test_a_refusal_says_how_much_when_again_and_what_is_left(database_url: str, broker_url: str) -> None:
    with api_with(database_url, limits_url=broker_url, rate_limit="3/hour") as api:
        answer = ask_until_refused(api)
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "RATE_LIMITED"
    assert answer.headers["x-ratelimit-limit"] == "3"
    assert answer.headers["x-ratelimit-remaining"] == "0"
    wait = int(answer.headers["retry-after"])
    assert 3500 < wait <= 3600
    assert abs(int(answer.headers["x-ratelimit-reset"]) - time.time() - wait) < 60


def test_a_key_made_with_a_rate_is_held_to_it(database_url: str, broker_url: str) -> None:
    with api_with(database_url, broker_url=broker_url) as api:
        key = new_key()
        with api.house.database.transaction() as work:
            new = NewKey(agent_id="x", scopes=["read"], rate_limit="2/hour")
            Keys(work).create(key, new, actor="tester")
        assert ask_until_refused(api, key).headers["x-ratelimit-limit"] == "2"


def test_nothing_of_a_body_is_read_for_a_key_that_asks_too_often(database_url: str, broker_url: str) -> None:
    with api_with(database_url, broker_url=broker_url, rate_limit="3/hour") as api:
        ask_until_refused(api)
        answer = api.post(
            "/reviews/REV1/decide", content=b"x" * 2_000_000, headers={"Content-Type": "text/x"}
        )
    assert answer.status_code == 429


def test_what_a_key_may_not_do_is_counted_too(database_url: str, broker_url: str) -> None:
    with api_with(database_url, broker_url=broker_url, rate_limit="3/hour") as api:
        statuses = [api.get("/intake/rejected", "audit_agent").status_code for _ in range(5)]
    assert statuses == [403, 403, 403, 429, 429]


def test_health_and_callbacks_are_not_counted(database_url: str, broker_url: str) -> None:
    with api_with(database_url, broker_url=broker_url, rate_limit="3/hour") as api:
        ask_until_refused(api)
        assert [api.get("/health/live", None).status_code for _ in range(5)] == [200] * 5


def test_without_redis_each_process_counts_by_itself(database_url: str) -> None:
    with api_with(database_url, broker_url="redis://127.0.0.1:1/0", rate_limit="1/hour") as api:
        assert [api.get("/states").status_code for _ in range(3)] == [200, 429, 429]


def test_while_a_redis_hangs_this_process_counts_by_itself_and_leaves_it_alone() -> None:
    now = [0.0]

    async def work(limits: RateLimits) -> None:
        for moment in (0.0, PAUSE_SECONDS - 0.1):
            now[0] = moment
            assert (await admitted(limits, key_of(f"key_{moment}"), 20)).count(None) == 1

    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        counting(lambda: with_clock(RateLimits.in_redis(RedisAddress(url), "1/hour"), now), work)
        assert connections_to(server) == 1


def connections_to(server: socket.socket) -> int:
    """How often somebody connected to a server that never took notice."""
    server.setblocking(False)
    count = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def with_clock(limits: RateLimits, now: list[float]) -> RateLimits:
    limits._clock = lambda: now[0]
    return limits


def test_an_absent_redis_is_told_once_in_a_while_and_asked_again_after_its_pause() -> None:
    now = [0.0]

    async def work(limits: RateLimits) -> None:
        for moment in (0.0, 1.0, 5.0, 9.0, 10.0):
            now[0] = moment
            assert (await admitted(limits, key_of(f"key_{moment}"), 3)).count(None) == 1

    with capture_logs() as lines:
        counting(
            lambda: with_clock(RateLimits.in_redis(RedisAddress("redis://127.0.0.1:1/0"), "1/hour"), now),
            work,
        )
    told = [line for line in lines if line["log_level"] == "warning"]
    assert len(told) == 2  # at 0 and at 10; at 5 it was asked and not told


def test_a_redis_that_comes_back_counts_again(broker_url: str) -> None:
    now = [0.0]

    async def work(limits: RateLimits) -> None:
        limits._pause(OSError("gone"))
        assert (await admitted(limits, key_of(), 5)).count(None) == 1
        assert await limits._storage.get("key_1:1/3600") == 0
        now[0] = PAUSE_SECONDS
        assert (await admitted(limits, key_of(), 5)).count(None) == 1
        assert await limits._storage.get("key_1:1/3600") == 5

    counting(
        lambda: with_clock(RateLimits.in_redis(RedisAddress(broker_url), "1/hour", timeout=PATIENT), now),
        work,
    )


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"broker_url": "amqp://127.0.0.1:1//"}, "MemoryStorage"),
        ({"broker_url": "redis://127.0.0.1:1/0"}, "RedisStorage"),
        ({"broker_url": "amqp://127.0.0.1:1//", "limits_url": "redis://127.0.0.1:1/0"}, "RedisStorage"),
    ],
)
def test_requests_are_counted_in_redis_where_there_is_one(changes: dict[str, str], kind: str) -> None:
    async def make() -> str:
        limits = RateLimits.over(settings_for("postgresql://nobody", **changes))
        await limits.close()
        return type(limits._storage).__name__

    assert anyio.run(make) == kind


def test_a_process_that_counts_by_itself_says_so_when_it_starts() -> None:
    async def start() -> None:
        limits = RateLimits.over(settings_for("postgresql://nobody", "amqp://127.0.0.1:1//"))
        await limits.warm()
        await limits.close()

    with capture_logs() as lines:
        anyio.run(start)
    assert [line["reason"] for line in lines] == [
        "UNPEND_BROKER_URL is no Redis, and UNPEND_LIMITS_URL is not set"
    ]


def test_every_route_that_needs_a_key_says_that_it_may_be_asked_too_often(database_url: str) -> None:
    with api_with(database_url) as api:
        paths = api.get("/openapi.json", None).json()["paths"]
    operations = [operation for methods in paths.values() for operation in methods.values()]
    keyed = [operation for operation in operations if operation.get("security")]
    assert keyed
    assert all("429" in operation["responses"] for operation in keyed)
