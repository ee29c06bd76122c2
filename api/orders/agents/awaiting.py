"""Waits for steps at agents, with one query for all callers that wait."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from runtime.logs import logger
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.orders.order_view import OrderView, StepResult

_log = logger(__name__)

_FIRST_LOOK: Final = 0.01
_BETWEEN: Final = 0.04
"""Seconds between two looks: what a caller waits longer than the step took, at most."""


class Awaiting:
    """Waits for steps on behalf of callers. Belongs to one event loop."""

    def __init__(self, database: Database, *, at_least: float = 0.0) -> None:
        self._database = database
        self._at_least = at_least
        self._waiting: defaultdict[int, list[asyncio.Future[StepResult]]] = defaultdict(list)
        self._looking: asyncio.Task[None] | None = None

    async def settled(self, step_id: int, seconds: float) -> StepResult | None:
        """The step once it has ended, or was put off to a later time; `None` when neither after so many seconds.

        Who waits for less than this installation waits at least waits for that.
        """
        answer: asyncio.Future[StepResult] = asyncio.get_running_loop().create_future()
        self._waiting[step_id].append(answer)
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look())
        try:
            return await asyncio.wait_for(answer, max(seconds, self._at_least))
        except TimeoutError:
            return None
        finally:
            self._forget(step_id, answer)

    async def close(self) -> None:
        """End all waits; the callers are answered as after a timeout."""
        for answers in list(self._waiting.values()):
            for answer in answers:
                if not answer.done():
                    answer.set_exception(TimeoutError())
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    def _forget(self, step_id: int, answer: "asyncio.Future[StepResult]") -> None:
        waiting = self._waiting.get(step_id, [])
        if answer in waiting:
            waiting.remove(answer)
        if not waiting:
            self._waiting.pop(step_id, None)

    async def _look(self) -> None:
        try:
            await asyncio.sleep(_FIRST_LOOK)
            while self._waiting:
                await self._hand_over(list(self._waiting))
                await asyncio.sleep(_BETWEEN)
        finally:
            self._looking = None

    async def _hand_over(self, step_ids: Sequence[int]) -> None:
        try:
            settled = await asyncio.to_thread(self._settled, step_ids)
        except StorageUnavailable as error:
            _log.warning("those who wait for steps wait on", error=str(error))
            return
        for step in settled:
            for answer in self._waiting.get(step.step_id, []):
                if not answer.done():
                    answer.set_result(step)

    def _settled(self, step_ids: Sequence[int]) -> list[StepResult]:
        with self._database.transaction() as work:
            return OrderView(work).settled_steps(step_ids)
