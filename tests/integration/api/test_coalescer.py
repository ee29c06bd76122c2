"""What concurrent callers may rely on when they travel in one batch."""

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.server.coalescer import Coalescer, CoalescerClosed


class Poison(Exception):
    pass


class Outage(Exception):
    pass


@dataclass
class Work:
    """Doubles numbers; remembers its batches; can be held, and fails on what is poison."""

    poison: frozenset[int] = frozenset()
    outage: bool = False
    batches: list[list[int]] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    free: threading.Event = field(default_factory=threading.Event)
    under_way: int = 0
    most_under_way: int = 0

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self.batches.append(list(items))
        self.begun.set()
        assert self.free.wait(180)
        self.under_way -= 1
        if self.outage:
            raise Outage("nothing answers")
        if self.poison & set(items):
            raise Poison(f"{len(items)} items")
        return [item * 2 for item in items]


async def under_way(work: Work) -> None:
    """Return once a batch has begun."""
    assert await asyncio.to_thread(work.begun.wait, 10)


async def ask(coalescer: Coalescer[int, int], items: Sequence[int]) -> list[int | BaseException]:
    return await asyncio.gather(*(coalescer.submit(item) for item in items), return_exceptions=True)


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await main()

    asyncio.run(bounded())


@given(
    items=st.lists(st.integers(0, 50), max_size=60),
    poison=st.frozensets(st.integers(0, 50), max_size=3),
    largest=st.integers(1, 20),
)
@settings(max_examples=60, deadline=None)
def test_each_caller_gets_its_own_result_whatever_it_travels_with(
    items: list[int], poison: frozenset[int], largest: int
) -> None:
    work = Work(poison=poison)
    work.free.set()
    answers: list[int | BaseException] = []

    async def main() -> None:
        coalescer: Coalescer[int, int] = Coalescer(work, largest=largest)
        answers.extend(await ask(coalescer, items))
        await coalescer.close()

    run(main)
    for item, answer in zip(items, answers, strict=True):
        assert isinstance(answer, Poison) if item in poison else answer == item * 2
    assert all(len(batch) <= largest for batch in work.batches)
    assert work.most_under_way <= 1


def test_a_caller_that_finds_nothing_under_way_leaves_alone_at_once() -> None:
    work = Work()
    work.free.set()

    async def main() -> None:
        coalescer: Coalescer[int, int] = Coalescer(work)
        for item in range(5):
            assert await coalescer.submit(item) == item * 2

    run(main)
    assert work.batches == [[0], [1], [2], [3], [4]]


def test_who_comes_while_a_batch_is_under_way_travels_in_the_next_in_order() -> None:
    work = Work()

    async def main() -> None:
        coalescer: Coalescer[int, int] = Coalescer(work, largest=200)
        first = asyncio.create_task(coalescer.submit(0))
        await under_way(work)
        others = [asyncio.create_task(coalescer.submit(item)) for item in range(1, 251)]
        await asyncio.sleep(0)
        work.free.set()
        assert await asyncio.gather(first, *others) == [item * 2 for item in range(251)]

    run(main)
    assert work.batches == [[0], list(range(1, 201)), list(range(201, 251))]


def test_a_poison_item_hurts_only_itself() -> None:
    work = Work(poison=frozenset({3}))
    work.free.set()

    async def main() -> None:
        answers = await ask(Coalescer(work), [1, 2, 3, 4])
        assert [type(answer) for answer in answers] == [int, int, Poison, int]
        assert str(answers[2]) == "1 items"

    run(main)
    assert work.batches == [[1, 2, 3, 4], [1], [2], [3], [4]]


def test_a_failure_no_item_is_the_cause_of_goes_to_all_and_is_not_tried_one_by_one() -> None:
    work = Work(outage=True)
    work.free.set()

    async def main() -> None:
        answers = await ask(Coalescer(work, of_all=(Outage,)), [1, 2, 3])
        assert [type(answer) for answer in answers] == [Outage] * 3

    run(main)
    assert work.batches == [[1, 2, 3]]


def test_after_a_failure_the_next_are_served() -> None:
    work = Work(poison=frozenset({1}))
    work.free.set()

    async def main() -> None:
        coalescer: Coalescer[int, int] = Coalescer(work)
        with pytest.raises(Poison):
            await coalescer.submit(1)
        assert await coalescer.submit(2) == 4

    run(main)


def test_a_function_that_loses_a_result_is_found_out() -> None:
    async def main() -> None:
        coalescer: Coalescer[int, int] = Coalescer(lambda items: [1] * (len(items) - 1))
        with pytest.raises(ValueError, match="each needs its own"):
            await coalescer.submit(1)

    run(main)


def test_a_caller_that_went_away_while_it_waited_is_left_out_and_the_others_are_served() -> None:
    work = Work()

    async def main() -> None:
        coalescer: Coalescer[int, int] = Coalescer(work)
        tasks = [asyncio.create_task(coalescer.submit(0))]
        await under_way(work)
        tasks += [asyncio.create_task(coalescer.submit(item)) for item in (1, 2, 3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[2].cancel()
        await asyncio.sleep(0)
        work.free.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(answer) for answer in answers] == [
            asyncio.CancelledError, int, asyncio.CancelledError, int,
        ]  # fmt: skip

    run(main)
    assert work.batches == [[0], [1, 3]]


def test_closing_finishes_what_is_under_way_and_refuses_what_waits_and_what_comes() -> None:
    work = Work()

    async def main() -> None:
        coalescer: Coalescer[int, int] = Coalescer(work)
        begun = asyncio.create_task(coalescer.submit(0))
        await under_way(work)
        waiting = asyncio.create_task(coalescer.submit(1))
        await asyncio.sleep(0)
        closing = asyncio.create_task(coalescer.close())
        with pytest.raises(CoalescerClosed):
            await waiting
        assert not closing.done()
        work.free.set()
        await closing
        assert await begun == 0
        with pytest.raises(CoalescerClosed):
            await coalescer.submit(2)

    run(main)
    assert work.batches == [[0]]


def test_the_work_sees_no_callers_context() -> None:
    asked_by: contextvars.ContextVar[str] = contextvars.ContextVar("asked_by", default="nobody")
    seen: list[str] = []

    def look(items: Sequence[int]) -> Sequence[int]:
        seen.append(asked_by.get())
        return items

    async def main() -> None:
        asked_by.set("the first caller")
        await Coalescer(look).submit(1)

    run(main)
    assert seen == ["nobody"]
