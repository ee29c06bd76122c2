"""A preview of an order's next contact: time, channel and words."""

from dataclasses import dataclass
from datetime import datetime

from engine.outcomes import Failed
from runtime.mask import mask_phone
from schemas.orders.contact import Channel
from storage.core.unit_of_work import UnitOfWork
from storage.orders.orders import Orders
from tasks.orders.explain.next_step import next_step_of
from tasks.orders.rules.context import Context
from tasks.orders.rules.wording import ScriptText, script_text_for


@dataclass(frozen=True, slots=True, kw_only=True)
class NextContact:
    """The contact that would follow.

    Attributes:
        to: The number, masked; None where the order has none.
        earliest: The earliest permitted moment; None when no waiting helps.
        agreed_at: When the order itself wants its customer contacted next.
        why_not_now: None when it is permitted now.
        script: Name and version of the script; None when it cannot be used.
        text: The words; None when there are none, and `problem` says why.
    """

    task_id: str
    attempt: int
    max_attempts: int
    round: int
    channel: Channel | None
    to: str | None
    zone: str
    earliest: datetime | None
    agreed_at: datetime | None
    why_not_now: str | None
    script: str | None
    text: str | None
    problem: str | None


def next_contact(work: UnitOfWork, context: Context, task_id: str) -> NextContact | None:
    """What the policy and the scripts make of this order now; `None` when there is no such order."""
    order, next_step = Orders(work).find([task_id]).get(task_id), next_step_of(work, context, task_id)
    if order is None or next_step is None:
        return None
    said = None if next_step.channel is None else script_text_for(context, order, next_step.channel)
    script = said if isinstance(said, ScriptText) else None
    return NextContact(
        task_id=order.task_id,
        attempt=next_step.attempt,
        max_attempts=next_step.max_attempts,
        round=next_step.round,
        channel=next_step.channel,
        to=None if order.phone is None else mask_phone(order.phone),
        zone=next_step.zone,
        earliest=next_step.earliest,
        agreed_at=next_step.agreed_at,
        why_not_now=next_step.reason,
        script=None if script is None else f"{script.script_id}:{script.script_version}",
        text=None if script is None else script.text,
        problem=said.message if isinstance(said, Failed) else None,
    )
