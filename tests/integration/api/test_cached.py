"""What open routes read is read once for everybody who asks in the same second."""

import asyncio
import threading

import pytest
from sqlalchemy import event

from api.server.cached import Cached
from tests.support.api.client import ApiClient


def test_many_who_ask_at_once_are_answered_by_one_reading() -> None:
    read: list[int] = []
    begun = threading.Event()

    def work() -> int:
        begun.wait()
        read.append(1)
        return len(read)

    async def crowd() -> list[int]:
        cached = Cached(work, seconds=1.0, clock=lambda: 0.0)
        asking = [asyncio.create_task(cached.get()) for _ in range(50)]
        await asyncio.sleep(0)
        begun.set()
        return await asyncio.gather(*asking)

    assert asyncio.run(crowd()) == [1] * 50


def test_what_is_old_is_read_again_and_a_failure_is_not_kept() -> None:
    now = [0.0]
    answers: list[object] = [1, OSError("away"), 3]

    def work() -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def ask() -> None:
        cached = Cached(work, seconds=1.0, clock=lambda: now[0])
        assert [await cached.get(), await cached.get()] == [1, 1]
        now[0] = 1.0
        with pytest.raises(OSError, match="away"):
            await cached.get()
        assert await cached.get() == 3

    asyncio.run(ask())


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_a_flood_of_health_requests_costs_a_few_statements(api: ApiClient, path: str) -> None:
    statements: list[str] = []

    def count(*args: object) -> None:
        statements.append(str(args[2]))

    engine = api.house.database._engine
    event.listen(engine, "before_cursor_execute", count)
    api.get(path, None)
    one = len(statements)
    api.at_once([api.prepare("GET", path, None) for _ in range(100)])
    event.remove(engine, "before_cursor_execute", count)
    # A busy machine may take more than a second over it, and so a reading more; never one for each.
    assert len(statements) <= 10 * max(one, 1)
