"""Outside agents that wait for work: one look for all of them, and their reports batch by batch."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Final

from api.server.coalescer import Coalescer
from api.server.refusal import Refusal
from api.server.services import kept
from engine.engine import Engine
from engine.outside import StepReport, StepResult
from schemas.core.error import Code
from storage.core.unavailable import StorageUnavailable
from tasks.flows.outside_work import GivenWork, WorkRequest, give, nothing_for, report

MOST_WAITING: Final = 500
"""Polls of one process that may wait at the same time."""
MOST_OF_OWNER: Final = 100
"""How many of them one owner of keys may have: nobody takes all the places."""
_PAUSE_SECONDS: Final = 0.25
"""How long nothing is looked at while nobody here has changed anything: what others offered is found after that."""
_RETRY_AFTER: Final = MappingProxyType({"Retry-After": "5"})


@dataclass(slots=True, eq=False)
class _Waiting:
    request: WorkRequest
    until: float
    gone: Callable[[], Awaitable[bool]]
    answer: "asyncio.Future[GivenWork]"


class OutsideDesk:
    """Gives steps to outside agents that ask, and takes their reports. Belongs to one event loop.

    While somebody waits, one look every quarter of a second serves all; no connection is held in between. What is
    recorded here may lead to further steps, so that is looked at without a pause.
    """

    def __init__(self, engine: Callable[[], Engine]) -> None:
        """Take the engine; it is made when it is first used."""
        self._engine = engine
        self._waiting: list[_Waiting] = []
        self._news = asyncio.Event()
        self._server: asyncio.Task[None] | None = None
        self._stopping = False
        self._reports: Coalescer[StepReport, StepResult] = Coalescer(
            lambda reports: report(engine(), reports), of_all=(StorageUnavailable,)
        )
        self._held: Counter[str] = Counter()

    async def ask(
        self, request: WorkRequest, seconds: float, *, owner: str, gone: Callable[[], Awaitable[bool]]
    ) -> GivenWork:
        """What this agent is given now, or within this time; nothing is given to one that is gone meanwhile.

        Raises:
            Refusal: too many wait already (503), or of this owner of keys (429).
            StorageUnavailable: PostgreSQL does not answer.
        """
        self._require_place(owner)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(request, loop.time() + seconds, gone, loop.create_future())
        self._held[owner] += 1
        self._waiting.append(waiting)
        try:
            self.notify()
            return await waiting.answer
        finally:
            self._held[owner] -= 1
            if not self._held[owner]:
                del self._held[owner]

    async def report(self, said: StepReport) -> StepResult:
        """Record what an agent says of a step; when this returns, it is committed."""
        result = await self._reports.submit(said)
        if self._waiting:
            self.notify()
        return result

    def notify(self) -> None:
        """Look without a pause: something may have become free, or somebody may be answered."""
        self._news.set()
        if self._server is None:
            # The first caller's context (its request id) is not that of the others.
            self._server = asyncio.get_running_loop().create_task(self._serve(), context=Context())

    def end(self) -> None:
        """Answer everybody who waits, and let nobody wait any more: the process stops."""
        self._stopping = True
        self._news.set()

    async def close(self) -> None:
        """Finish what is under way; take nothing more."""
        self.end()
        if self._server is not None:
            await asyncio.wait([self._server])
        await self._reports.close()

    def _require_place(self, owner: str) -> None:
        if self._stopping or len(self._waiting) >= MOST_WAITING:
            raise Refusal(
                Code.SERVICE_UNAVAILABLE, "too many wait for work here: try again", headers=_RETRY_AFTER
            )
        if self._held[owner] >= MOST_OF_OWNER:
            raise Refusal(
                Code.RATE_LIMITED,
                f"'{owner}' waits for work {MOST_OF_OWNER} times here already",
                headers=_RETRY_AFTER,
            )

    async def _serve(self) -> None:
        try:
            while self._waiting:
                self._news.clear()
                await self._look()
                if self._waiting and not self._news.is_set():
                    await self._pause()
        finally:
            # No await lies between the last look at who waits and this line, so nobody is left behind.
            self._server = None

    async def _look(self) -> None:
        """One look for everybody who waits."""
        asked = [waiting for waiting in self._waiting if not await _is_gone(waiting)]
        looking = asyncio.get_running_loop().run_in_executor(None, self._answers, asked)
        await asyncio.wait([looking])
        error = looking.exception()
        now = asyncio.get_running_loop().time()
        for place, waiting in enumerate(asked):
            if waiting.answer.done():
                continue
            if error is not None:
                waiting.answer.set_exception(error)
                continue
            given = looking.result()[place]
            waiting.request = replace(waiting.request, is_new=False)
            if given.is_final or self._stopping or now >= waiting.until:
                waiting.answer.set_result(given)
        self._waiting = [waiting for waiting in self._waiting if not waiting.answer.done()]

    def _answers(self, asked: list[_Waiting]) -> list[GivenWork]:
        """What they are given; who has waited in vain before is looked at without a lock first."""
        requests = [waiting.request for waiting in asked]
        if not any(request.is_new for request in requests):
            in_vain = nothing_for(self._engine(), requests)
            if in_vain is not None:
                return in_vain
        return give(self._engine(), requests)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_PAUSE_SECONDS):
                await self._news.wait()
        except TimeoutError:
            return


async def _is_gone(waiting: _Waiting) -> bool:
    """Whether nobody waits for the answer any more; then it is answered with nothing."""
    if not waiting.answer.done() and await waiting.gone() and not waiting.answer.done():
        waiting.answer.set_result(GivenWork(None))
    return waiting.answer.done()


GivenDesk = Annotated[OutsideDesk, kept(OutsideDesk)]
