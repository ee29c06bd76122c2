"""What a customer's wish not to be contacted (别再打了) leads to: the number is barred at once, with an alert."""

from runtime.phone import normalise
from schemas.core.effects import Effect
from schemas.orders.effects import DoNotCallAdded
from schemas.people.effects import AlertRaised
from storage.orders.order import Order
from tasks.orders.rules.constraints import number_of
from tasks.orders.rules.context import Context

ADDED_BY = "customer"
REASON = "客户要求不要再联系"
"""The gist; the words themselves stay with the contact they were said in."""


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
