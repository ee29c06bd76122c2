"""Outside agents that poll over HTTP and complete what they are given."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

import psutil

from bench.fleet import MeasuredFleet
from bench.http_connection import HttpConnection, Target
from bench.workflows.figures import CpuUse, Figure, WorkflowFigures
from bench.workflows.many_waits import CAPABILITY, OUTSIDE, begin
from runtime.api_key import new_key
from storage.access.keys import Keys

AGENTS: Final = 4
AT_ONCE: Final = 10
"""Steps that a poll asks for."""
_BATCH: Final = 500
_WAIT_SECONDS: Final = 1


class AgentRefused(RuntimeError):
    """The API answered an agent otherwise than it should; the message has the answer."""


@dataclass(slots=True)
class _Count:
    """How many steps are still to be done, and when the last one was."""

    left: int
    last: float = 0.0

    def done(self, steps: int) -> None:
        """Count them; a poll that was given nothing only waited for others to end."""
        if steps:
            self.left -= steps
            self.last = time.perf_counter()


def measure_outside(
    fleet: MeasuredFleet, parts: Mapping[str, psutil.Process], steps: int, rounds: int
) -> WorkflowFigures:
    """Measure how many steps a second the agents do, each with a key of its own, round by round."""
    targets = _registered_keys(fleet)
    rates, cpu = [], CpuUse("outside agents", "step")
    asyncio.run(_register(targets))
    for number in range(rounds + 1):
        count = steps if number else max(steps // 10, 1)
        for start in range(0, count, _BATCH):
            begin(fleet.process.engine, OUTSIDE, min(_BATCH, count - start))
        if number == 0:
            asyncio.run(_work(targets, count))
            continue
        with cpu.during(parts, count):
            rates.append(count / asyncio.run(_work(targets, count)))
    name = f"steps that {AGENTS} outside agents do, {AT_ONCE} a poll"
    return WorkflowFigures([Figure(name=name, unit="/s", values=rates, aim="≥ 500")], [cpu])


def _registered_keys(fleet: MeasuredFleet) -> list[tuple[str, Target]]:
    """The agents, each with a key of its own: what a key may ask in a second is limited."""
    agents = []
    with fleet.process.database.transaction() as work:
        for number in range(AGENTS):
            name, key = f"bench{number}", new_key()
            Keys(work).register(key, name, ["read", "actions"])
            agents.append((name, Target(fleet.port, key)))
    return agents


async def _register(agents: Sequence[tuple[str, Target]]) -> None:
    for name, target in agents:
        async with HttpConnection(target.port) as connection:
            body = {"agent_id": name, "capabilities": [CAPABILITY], "max_concurrent": AT_ONCE}
            await _ask(connection, target, "/v1/agents/register", body)


async def _work(agents: Sequence[tuple[str, Target]], steps: int) -> float:
    """Seconds until the agents have done so many steps."""
    count = _Count(steps)
    began = time.perf_counter()
    async with asyncio.TaskGroup() as working:
        for name, target in agents:
            working.create_task(_do(name, target, count))
    return count.last - began


async def _do(name: str, target: Target, count: _Count) -> None:
    """Poll, and complete what is given, each step over a connection of its own, until nothing is left."""
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(HttpConnection(target.port)) for _ in range(AT_ONCE)]
        while count.left > 0:
            wanted = {"max": AT_ONCE, "wait_seconds": _WAIT_SECONDS}
            given = await _ask(connections[0], target, f"/v1/agents/{name}/poll", wanted)
            async with asyncio.TaskGroup() as reporting:
                for connection, step in zip(connections, given["steps"], strict=False):
                    reporting.create_task(
                        _ask(
                            connection,
                            target,
                            f"/v1/steps/{step['step_id']}/complete",
                            {"lease_id": step["lease_id"], "output": {}},
                        )
                    )
            count.done(len(given["steps"]))


async def _ask(connection: HttpConnection, target: Target, path: str, body: object) -> Any:
    code, answer = await connection.exchange(target.post(path, json.dumps(body).encode()))
    if not code.startswith("2"):
        raise AgentRefused(f"{path} was answered {code}: {answer.decode()}")
    return json.loads(answer)
