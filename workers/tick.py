"""The tick's worker: called by beat, it runs ticks for about a second."""

import time
from typing import Final

from celery import Celery

from beat_schedule import TICK_SECONDS
from engine.publisher import WireUnavailable
from engine.rescue.tick import Tick
from runtime.logs import logger
from schemas.core.agents import TICK
from storage.core.unavailable import StorageUnavailable
from tasks.people.due_holds import apply_due
from tasks.people.overdue import follow_due
from workers.app import REQUEST
from workers.process import CurrentProcess, Process
from workers.wire import CeleryWire

_log = logger(__name__)

_CALLS_WAITING: Final = 3
"""Calls that may wait in the queue, so that a tick follows the last at once."""

_SHORTEST_PAUSE: Final = 0.1
"""Seconds between two looks that found nothing, while anything is under way or about to be due."""

_LONGEST_PAUSE: Final = 0.5
"""Seconds between two looks of a fleet at rest: what is made to be due at once meanwhile waits for so long at most."""


def register(app: Celery, current: CurrentProcess) -> None:
    """Bind the tick."""

    def sweep() -> None:
        watch(current(), TICK_SECONDS)
        _drop_what_piled_up(app)

    app.task(sweep, name="tick.sweep", Request=REQUEST)


def _drop_what_piled_up(app: Celery) -> None:
    """One call is as good as a thousand: those that waited while no tick ran would each take a second."""
    wire = CeleryWire(app)
    try:
        if wire.depths([TICK])[TICK] > _CALLS_WAITING:
            wire.purge(TICK)
    except WireUnavailable as error:
        _log.warning("broker away; calls that wait are dropped later", error=str(error))


def watch(process: Process, seconds: float) -> None:
    """Run ticks for this time, without a pause while there is more to do; first see to what people were to answer."""
    tick = Tick(process.engine, process.publisher)
    until = time.monotonic() + seconds
    try:
        follow_due(process.engine)
        apply_due(process.engine, process.forms)
        while time.monotonic() < until:
            swept = tick.sweep()
            if swept is None:
                return
            pause = 0.0 if swept.any else min(max(tick.idle_seconds(), _SHORTEST_PAUSE), _LONGEST_PAUSE)
            time.sleep(pause)
    except StorageUnavailable as error:
        _log.warning("PostgreSQL away; the next call tries again", error=str(error))
