"""What flags in a customer's words lead to at once: an alert for danger (煤气漏了), a barred number (别再打了)."""

from collections.abc import Collection
from typing import Final

from runtime.phone import normalise
from schemas.core.effects import Effect
from schemas.orders.effects import DoNotCallAdded
from schemas.people.effects import AlertRaised
from storage.orders.order import Order
from tasks.orders.rules.constraints import number_of
from tasks.orders.rules.context import Context
from tasks.people.escalation import escalated_to
from tools.classifier.taxonomy import Flag

ADDED_BY: Final = "customer"
REASON: Final = "客户要求不要再联系"
"""The gist; the words themselves stay with the contact they were said in."""


_EMERGENCY: Final = "emergency"
_SEVERITY: Final = "critical"


def effects_of_flags(
    context: Context, flags: Collection[Flag], order: Order, contact_id: str
) -> tuple[Effect, ...]:
    """What words with these flags lead to, whatever else becomes of them; a review alone may wait too long."""
    danger = (_emergency(order, contact_id),) if Flag.EMERGENCY in flags else ()
    barred = barred_by_customer(context, order, contact_id) if Flag.DO_NOT_CONTACT in flags else ()
    return (*danger, *barred)


def _emergency(order: Order, contact_id: str) -> AlertRaised:
    return AlertRaised(
        alert_type=_EMERGENCY,
        severity=_SEVERITY,
        message="客户描述的情况可能危及人身安全, 请立即处理",
        task_id=order.task_id,
        escalated_to=escalated_to(_EMERGENCY, _SEVERITY),
        metadata={"contact_id": contact_id},
    )


def barred_by_customer(context: Context, order: Order, contact_id: str) -> tuple[Effect, ...]:
    """Bar the order's number for every order and channel, and alert people.

    Of a number that is masked to us nothing can be barred; the alert says so.
    """
    number = number_of(context, order)
    phone = normalise(order.phone or "")
    listed = number is not None and phone is not None
    alert = AlertRaised(
        alert_type="do_not_contact",
        severity="warning",
        message=REASON if listed else f"{REASON}; 号码已脱敏, 无法列入免打扰名单",
        task_id=order.task_id,
        metadata={"contact_id": contact_id, "listed": listed},
    )
    if number is None or phone is None:
        return (alert,)
    entry = DoNotCallAdded(
        phone_index=number,
        masked=phone.masked(),
        reason=REASON,
        added_by=ADDED_BY,
        task_id=order.task_id,
    )
    return (entry, alert)
