"""Joins concurrent requests into batches: those that arrive during a batch form the next one."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

LARGEST_BATCH: Final = 200
"""Items one batch may hold."""


class CoalescerClosed(Exception):
    """The process is stopping; nothing was done with the item."""


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    answer: "asyncio.Future[Result]"


class Coalescer(Generic[Item, Result]):
    """Hands what concurrent callers submit to one synchronous function, batch by batch, in a worker thread.

    An item that finds nothing under way leaves at once, alone; under load batches grow by themselves. Items
    are taken in the order they came. Belongs to the event loop it is used in.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        largest: int = LARGEST_BATCH,
        of_all: tuple[type[Exception], ...] = (),
    ) -> None:
        """Take the function: one result an item, in order.

        Args:
            work: What is done with a batch. When it fails as a whole it must be safe to repeat.
            largest: Items one batch may hold.
            of_all: Failures that no item is the cause of, such as an absent database: not tried one by one.
        """
        self._work = work
        self._largest = largest
        self._of_all = of_all
        self._queue: deque[_Waiting[Item, Result]] = deque()
        self._drain: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, item: Item) -> Result:
        """What the function made of this item.

        Raises:
            CoalescerClosed: the process is stopping.
            Exception: whatever the function raised for this item, or for the whole batch.
        """
        if self._closed:
            raise CoalescerClosed("the process is stopping")
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(item, answer))
        if self._drain is None:
            # The first caller's context (its request id) is not that of the others.
            self._drain = asyncio.get_running_loop().create_task(self._run(), context=Context())
        return await answer

    async def close(self) -> None:
        """Take nothing more; the batch under way is finished and answered, what still waits is refused."""
        self._closed = True
        while self._queue:
            waiting = self._queue.popleft()
            if not waiting.answer.done():
                waiting.answer.set_exception(CoalescerClosed("the process is stopping"))
        if self._drain is not None:
            await asyncio.wait([self._drain])

    async def _run(self) -> None:
        try:
            while batch := self._take():
                await self._carry(batch)
        finally:
            # No await lies between the last look at the queue and this line, so nobody is left behind.
            self._drain = None

    def _take(self) -> list[_Waiting[Item, Result]]:
        batch: list[_Waiting[Item, Result]] = []
        while self._queue and len(batch) < self._largest:
            waiting = self._queue.popleft()
            if not waiting.answer.done():
                batch.append(waiting)
        return batch

    async def _carry(self, batch: Sequence[_Waiting[Item, Result]]) -> None:
        items = [waiting.item for waiting in batch]
        done = asyncio.get_running_loop().run_in_executor(None, self._work_checked, items)
        await asyncio.wait([done])
        error = done.exception()
        if error is None:
            for waiting, result in zip(batch, done.result(), strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(result)
        elif len(batch) > 1 and not isinstance(error, self._of_all):
            for waiting in batch:
                await self._carry([waiting])
        else:
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)

    def _work_checked(self, items: Sequence[Item]) -> Sequence[Result]:
        results = self._work(items)
        if len(results) != len(items):
            raise ValueError(f"{len(items)} items were given {len(results)} results; each needs its own")
        return results
