"""`python -m bench.api_load`: generates an open load on the API, from its own process.

A plan comes in on standard input, a report goes out on standard output, both as JSON. Each request is due at a
moment that was fixed beforehand, and its time counts from that moment: a server that stalls makes every request that
falls due meanwhile late, and none of them is left out because an earlier one was not answered yet.
"""

import asyncio
import gc
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from typing import Final

from pydantic import BaseModel, ConfigDict, SecretStr

from bench.http_connection import HttpConnection, Target
from bench.latency import Answers

_CONNECTIONS: Final = 64
"""Kept connections; a request that finds none free waits, and its wait counts."""
_BASE: Final = "/v1/agents/orchestrator/tasks"


class LoadPlan(BaseModel):
    """The requests of a load: new orders and states of known ones in turn."""

    model_config = ConfigDict(frozen=True)

    port: int
    key: SecretStr
    moments: list[float]
    """When each request is due, in seconds from the start, in order."""
    orders: list[str]
    """Bodies of `tasks/start` as JSON, one for every second moment."""
    task_ids: list[str]
    """The task ids of `orders`."""
    known: list[str]
    """Task ids the fleet knows already, at least one."""


class LoadReport(BaseModel):
    """The results of a load."""

    model_config = ConfigDict(frozen=True)

    start_seconds: list[float]
    start_codes: dict[str, int]
    status_seconds: list[float]
    status_codes: dict[str, int]
    lag_seconds: list[float]
    """How much later than due each request left this process's hands: what it adds to every figure itself."""
    took_seconds: float
    cpu_seconds: float
    """Of this process."""

    @property
    def start(self) -> Answers:
        """Answers of `tasks/start`."""
        return Answers(self.start_seconds, Counter(self.start_codes))

    @property
    def status(self) -> Answers:
        """Answers of `status`."""
        return Answers(self.status_seconds, Counter(self.status_codes))


class Load:
    """Sends the requests of a plan, and keeps the answers."""

    def __init__(self, plan: LoadPlan) -> None:
        self._target = Target(plan.port, plan.key.get_secret_value())
        self._plan = plan
        self._known = list(plan.known)
        self._free: asyncio.Queue[HttpConnection] = asyncio.Queue()
        self.start = Answers()
        self.status = Answers()
        self.lag: list[float] = []

    async def run(self) -> None:
        """Send every request when it is due; return when all are answered."""
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as asked:
            for _ in range(_CONNECTIONS):
                self._free.put_nowait(await stack.enter_async_context(HttpConnection(self._plan.port)))
            began = time.perf_counter()
            for number, moment in enumerate(self._plan.moments):
                due = began + moment
                if (early := due - time.perf_counter()) > 0:
                    await asyncio.sleep(early)
                self.lag.append(time.perf_counter() - due)
                asked.create_task(
                    self._start(number // 2, due) if number % 2 else self._ask(number // 2, due)
                )

    async def _start(self, number: int, due: float) -> None:
        body = self._plan.orders[number].encode()
        code = await self._exchange(self._target.post(f"{_BASE}/start", body), self.start, due)
        if code == "200":
            self._known.append(self._plan.task_ids[number])

    async def _ask(self, number: int, due: float) -> None:
        # Walks through old and new alike, in steps that share no factor with any usual number of orders.
        task_id = self._known[number * 7919 % len(self._known)]
        await self._exchange(self._target.get(f"{_BASE}/{task_id}/status"), self.status, due)

    async def _exchange(self, request: bytes, answers: Answers, due: float) -> str:
        connection = await self._free.get()
        code, _ = await connection.exchange(request)
        answers.note(time.perf_counter() - due, code)
        self._free.put_nowait(connection)
        return code


def main() -> None:
    """Run the load and print the report."""
    plan = LoadPlan.model_validate_json(sys.stdin.buffer.read())
    load = Load(plan)
    gc.freeze()
    began, cpu = time.perf_counter(), time.process_time()
    asyncio.run(load.run())
    report = LoadReport(
        start_seconds=load.start.seconds,
        start_codes=load.start.codes,
        status_seconds=load.status.seconds,
        status_codes=load.status.codes,
        lag_seconds=load.lag,
        took_seconds=time.perf_counter() - began,
        cpu_seconds=time.process_time() - cpu,
    )
    sys.stdout.write(report.model_dump_json())


if __name__ == "__main__":
    main()
