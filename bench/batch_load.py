"""Measures `tasks/batch`: orders a second over a few connections, on an otherwise idle machine."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.cpu_shares import CpuShares
from bench.fleet import MeasuredFleet
from bench.http_connection import HttpConnection, Target
from bench.orders import payloads

_AT_ONCE: Final = 2
"""Connections that send batches."""
_BATCH: Final = 1000
_PATH: Final = "/v1/tasks/batch"


@dataclass(frozen=True, slots=True)
class BatchRun:
    """One run of `tasks/batch`."""

    orders: int
    rate: float
    """Orders a second, from the first batch sent to the last one answered."""
    codes: Counter[str]
    api_seconds: float
    """CPU seconds of the API."""


def batches(fleet: MeasuredFleet, orders: int) -> BatchRun:
    """Send this many orders in batches over a few connections, while the agents are paused."""
    target = Target(fleet.port, fleet.key)
    requests = [_batch_request(target) for _ in range(max(orders // _BATCH, _AT_ONCE))]
    api = CpuShares({"api": fleet.parts()["api"]})
    began = time.perf_counter()
    codes = asyncio.run(_send(target.port, requests))
    seconds = time.perf_counter() - began
    sent = len(requests) * _BATCH
    return BatchRun(sent, sent / seconds, codes, api.spent()[0][1])


def _batch_request(target: Target) -> bytes:
    body = json.dumps({"tasks": list(payloads(_BATCH))}, ensure_ascii=False)
    return target.post(_PATH, body.encode())


async def _send(port: int, requests: Sequence[bytes]) -> Counter[str]:
    codes: Counter[str] = Counter()
    left = iter(requests)

    async def send_on() -> None:
        async with HttpConnection(port) as connection:
            for request in left:
                code, _ = await connection.exchange(request)
                codes[code] += 1

    await asyncio.gather(*(send_on() for _ in range(_AT_ONCE)))
    return codes
