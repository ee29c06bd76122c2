"""An agent's Celery worker: every registered action of its queue becomes a Celery task."""

import math
from typing import Final

from celery import Celery
from celery.exceptions import Ignore

from engine.actions import Action
from storage.engine.steps import StepKey
from workers.app import HARD_LIMIT_MARGIN, REQUEST
from workers.process import CurrentProcess

_TRANSACTION_SECONDS: Final = 30
"""What the transactions may take: claim and record are each repeated for a lease of 12 s while PostgreSQL is away."""


def register(app: Celery, current: CurrentProcess, queue: str) -> None:
    """Bind every action that this queue has work for."""
    for action in current().engine.registry.actions.values():
        if action.queue == queue and action.work is not None:
            bind(app, current, action)


def bind(app: Celery, current: CurrentProcess, action: Action) -> None:
    """Register the Celery task that carries rows of this action into the engine, with the limits of its tools."""
    name, limit = action.name, soft_limit(action)

    def run(keys: list[list[int]]) -> None:
        try:
            wanted = [StepKey(int(step_id), int(delivery)) for step_id, delivery in keys]
        except (TypeError, ValueError) as error:
            # A message that names no rows can lose none: PostgreSQL knows what is to be done.
            raise Ignore(f"a message of {name} does not name rows") from error
        process = current()
        process.pace.keep(len(wanted))
        process.engine.execute(name, wanted)

    app.task(run, name=name, soft_time_limit=limit, time_limit=limit + HARD_LIMIT_MARGIN, Request=REQUEST)


def soft_limit(action: Action) -> int:
    """Seconds a message of this action may take before it is told to stop: its work and the transactions."""
    return math.ceil(action.work_seconds) + _TRANSACTION_SECONDS
