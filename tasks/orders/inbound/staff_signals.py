"""What a person says about an order in place of upstream, with the reason."""

from engine.engine import Engine
from runtime.ids import Prefix, new_id
from schemas.orders.signals import PriorityChanged, Signal
from tasks.orders.inbound.signals import Receipt, receive
from tasks.orders.rules.context import Context


def change_priority(
    engine: Engine, context: Context, task_id: str, priority: int, *, by: str, reason: str
) -> Receipt:
    """Give an order another place in line, as upstream does with the signal `priority_changed`."""
    signal = Signal(
        signal_id=new_id(Prefix.SIGNAL), said=PriorityChanged(priority=priority), sent_by=by, reason=reason
    )
    return receive(engine, context, task_id, signal)
