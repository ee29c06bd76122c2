"""What people may do to an order at any moment, each with its audit line: cancel, pause, resume."""

from enum import StrEnum
from typing import Final

from engine.engine import Engine
from schemas.effects import Audit
from storage.order import Order
from tasks.situation import PAUSED

RESUMED: Final = "task_resumed"
"""The audit line of an order that was let go on."""


class Intervened(StrEnum):
    """What became of an intervention."""

    DONE = "done"
    NOTHING_TO_DO = "nothing_to_do"
    """The order was so before: cancelled, paused, or not paused; nothing was changed."""
    ENDED = "ended"
    """The order, or the run that would move it, has ended otherwise."""
    UNKNOWN = "unknown"


def cancel(engine: Engine, task_id: str, *, by: str, reason: str) -> tuple[Intervened, Order | None]:
    """Cancel an order with everything open in it; work under way is refused when it is to be recorded."""
    with engine.transaction() as transaction:
        work = transaction.work
        order = work.orders.find([task_id]).get(task_id)
        if order is None:
            return Intervened.UNKNOWN, None
        ended = transaction.end([order.run_id], "cancelled", agent_id=by, reason=reason)
        order = work.orders.find([task_id])[task_id]
        if ended:
            return Intervened.DONE, order
        same = order.finish_reason == "cancelled"
        return Intervened.NOTHING_TO_DO if same else Intervened.ENDED, order


def pause(engine: Engine, task_id: str, *, by: str) -> tuple[Intervened, Order | None]:
    """Let nothing new begin in an order; times that were set stay as they are."""
    return _hold(engine, task_id, by=by, held=True)


def resume(engine: Engine, task_id: str, *, by: str) -> tuple[Intervened, Order | None]:
    """Let a paused order go on; what came due meanwhile is due now."""
    return _hold(engine, task_id, by=by, held=False)


def _hold(engine: Engine, task_id: str, *, by: str, held: bool) -> tuple[Intervened, Order | None]:
    with engine.transaction() as transaction:
        work = transaction.work
        order = work.orders.find([task_id]).get(task_id)
        if order is None:
            return Intervened.UNKNOWN, None
        changed = transaction.pause([order.run_id]) if held else transaction.resume([order.run_id])
        if not changed:
            run = work.overview.run(order.run_id)
            stands_so = run is not None and run.state == ("paused" if held else "running")
            return Intervened.NOTHING_TO_DO if stands_so else Intervened.ENDED, order
        line = Audit(
            task_id=task_id,
            event_type=PAUSED if held else RESUMED,
            agent_id=by,
            action="pause" if held else "resume",
            metadata={"status": order.status.value},
        )
        work.timeline.audit([line])
        return Intervened.DONE, order
