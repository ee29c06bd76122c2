"""Many timers and message waits: an idle sweep of the tick, timers due at one moment, messages to who waits."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import psutil

from bench.fleet import MeasuredFleet
from bench.http_connection import HttpConnection, Target
from bench.latency import percentile
from bench.workflows.figures import CpuUse, Figure, WorkflowFigures
from bench.workflows.many_waits import MESSAGE, TIMER, WORD, make_waits, tidy
from engine.rescue.tick import Tick
from engine.triggers.dispatch import InboxDispatcher
from statemachine.workflow.options.triggers import TriggerKind
from storage.engine.clock import BusinessClock
from storage.engine.triggers.inbox import Inbox, NewInboxEntry

_SWEEPS: Final = 50
_LOOK: Final = 0.02
_PATIENCE: Final = 600.0
_FAR: Final = timedelta(days=3650)
_STILL_OPEN: Final = """
    SELECT count(*) FROM subscriptions WHERE due_at IS NOT NULL AND due_at <= %s
"""
_LAST_END: Final = """
    SELECT extract(epoch FROM max(finished_at) - (SELECT database_time FROM business_clock))::float
    FROM runs WHERE run_id LIKE %s
"""


class WaitsNotOver(RuntimeError):
    """Something that has come did not end the waits for it; the message says what."""


def measure_waits(
    fleet: MeasuredFleet,
    parts: Mapping[str, psutil.Process],
    *,
    waiting: int,
    due: int,
    messages: int,
    rounds: int,
) -> WorkflowFigures:
    """Let so many runs wait for a time and as many for a message, then measure beside them, round by round."""
    made = WorkflowFigures()
    make_waits(fleet.process.engine, TIMER, waiting, until=_moment(fleet, _FAR).isoformat())
    make_waits(fleet.process.engine, MESSAGE, waiting, key="nobody")
    tidy(fleet.process.engine)
    beside = f"beside {waiting:,} timers and {waiting:,} message waits"
    sweeps, looks, rates, by_http, by_engine = [], [], [], [], []
    timers, words = CpuUse("timers due at one moment", "timer"), CpuUse("messages", "message")
    for _ in range(rounds):
        sweep, look = _idle(fleet)
        sweeps.append(sweep * 1000)
        looks.append(look * 1000)
        if messages:
            keys = make_waits(fleet.process.engine, MESSAGE, 2 * messages + 1, key="nobody")
            with words.during(parts, 2 * messages):
                by_http.append(percentile(sorted(_by_http(fleet, keys[:messages])), 0.95) * 1000)
                by_engine.append(percentile(sorted(_by_engine(fleet, keys[messages:])), 0.95) * 1000)
        if due:
            rates.append(_fire(fleet, parts, due, timers))
    made.figures += [
        Figure(name=f"idle sweep of the tick {beside}", unit="ms", values=sweeps, aim="≤ 5 ms"),
        Figure(name="its look at what is due next", unit="ms", values=looks),
    ]
    if due:
        name = f"{due:,} timers due at one moment, runs ended a second"
        made.figures.append(Figure(name=name, unit="/s", values=rates, aim="≥ 10,000 of 100,000"))
        made.cpu.append(timers)
    if messages:
        made.figures += [
            Figure(name="a message to who waits over HTTP, P95", unit="ms", values=by_http, aim="≤ 10 ms"),
            Figure(name="a message to who waits by the engine, P95", unit="ms", values=by_engine),
        ]
        made.cpu.append(words)
    return made


def _moment(fleet: MeasuredFleet, ahead: timedelta) -> datetime:
    with fleet.process.database.transaction() as work:
        return BusinessClock(work).now().business_now + ahead


def _idle(fleet: MeasuredFleet) -> tuple[float, float]:
    """The median seconds of a sweep that finds nothing, and of its look at what is due next."""
    tick = Tick(fleet.process.engine, fleet.process.publisher)
    sweeps: list[float] = []
    looks: list[float] = []
    deadline = time.monotonic() + _PATIENCE
    while len(sweeps) < _SWEEPS:
        if time.monotonic() > deadline:
            raise WaitsNotOver(f"the fleet has not been at rest for {_PATIENCE:.0f} s")
        began = time.perf_counter()
        swept = tick.sweep()
        took = time.perf_counter() - began
        # That of the fleet may be at work just now, and something may be due.
        if swept is None or swept.any:
            time.sleep(_LOOK)
            continue
        sweeps.append(took)
        began = time.perf_counter()
        tick.idle_seconds()
        looks.append(time.perf_counter() - began)
    return percentile(sorted(sweeps), 0.5), percentile(sorted(looks), 0.5)


def _fire(fleet: MeasuredFleet, parts: Mapping[str, psutil.Process], due: int, cpu: CpuUse) -> float:
    """Let so many timers be due at one moment; the runs that ended a second, up to the last one."""
    database = fleet.process.database
    moment = _moment(fleet, timedelta(hours=1))
    runs = make_waits(fleet.process.engine, TIMER, due, until=moment.isoformat())
    with cpu.during(parts, due):
        with database.transaction() as work:
            BusinessClock(work).set(moment)
        deadline = time.monotonic() + _PATIENCE
        while _count(fleet, moment):
            if time.monotonic() > deadline:
                raise WaitsNotOver(f"{_count(fleet, moment)} of {due} timers are not over")
            time.sleep(_LOOK)
    pattern = runs[0].rpartition("-")[0] if runs else ""
    with database.transaction() as work:
        seconds = work.connection.exec_driver_sql(_LAST_END, (f"{pattern}%",)).scalar_one()
    return due / float(seconds)


def _count(fleet: MeasuredFleet, moment: datetime) -> int:
    with fleet.process.database.transaction() as work:
        return int(work.connection.exec_driver_sql(_STILL_OPEN, (moment,)).scalar_one())


def _by_engine(fleet: MeasuredFleet, keys: Sequence[str]) -> list[float]:
    """Seconds of each message from its entry to the end of the wait, within one process."""
    engine, took = fleet.process.engine, []
    for key in keys:
        began = time.perf_counter()
        with engine.database.transaction() as work:
            (added,) = Inbox(work).add([NewInboxEntry(kind=TriggerKind.MESSAGE, name=WORD, key=key)])
        found = InboxDispatcher(engine).at_once([added.entry_id])[added.entry_id]
        took.append(time.perf_counter() - began)
        if found.result.receivers != 1:
            raise WaitsNotOver(f"a message reached {found.result.receivers} that wait for it")
    return took


def _by_http(fleet: MeasuredFleet, keys: Sequence[str]) -> list[float]:
    """Seconds of each request, one after another, whose answer says that it has reached one."""
    target = Target(fleet.port, fleet.key)

    async def send() -> list[float]:
        took = []
        async with HttpConnection(target.port) as connection:
            for key in keys:
                body = json.dumps({"name": WORD, "key": key}).encode()
                began = time.perf_counter()
                code, answer = await connection.exchange(target.post("/v1/messages", body))
                took.append(time.perf_counter() - began)
                if code != "202" or json.loads(answer)["receivers"] != 1:
                    raise WaitsNotOver(f"a message was answered {code}: {answer.decode()}")
        return took

    return asyncio.run(send())
