"""An agent as a Celery worker: its queue, its pool, and the binding of an action to a Celery task."""

from dataclasses import dataclass

from celery import Celery
from celery.exceptions import Ignore

from storage.engine.steps import StepKey
from workers.app import HARD_LIMIT_MARGIN, REQUEST, soft_limit
from workers.process import CurrentProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One agent: the queue it serves and how many processes serve it."""

    name: str
    concurrency: int = 1


def bind(app: Celery, current: CurrentProcess, action: str) -> None:
    """Register the Celery task that carries rows of this action into the engine.

    Its limits are the queue's: the soft one covers every item at its tool's timeout and the transactions.
    """
    queue = action.partition(".")[0]
    limit = soft_limit(queue)

    def run(keys: list[list[int]]) -> None:
        try:
            wanted = [StepKey(int(step_id), int(delivery)) for step_id, delivery in keys]
        except (TypeError, ValueError) as error:
            # A message that names no rows can lose none: PostgreSQL knows what is to be done.
            raise Ignore(f"a message of {action} does not name rows") from error
        process = current()
        process.pace.keep(len(wanted))
        process.engine.execute(action, wanted)

    app.task(run, name=action, soft_time_limit=limit, time_limit=limit + HARD_LIMIT_MARGIN, Request=REQUEST)
