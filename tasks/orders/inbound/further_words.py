"""Handles words of a customer while the order waits for something else: stored, with an alert for a person.

A person is alerted, of a danger whoever is on duty; a wish not to be contacted holds at once, and a cancellation that
waits out its window is taken back: whoever writes again may have changed their mind (SPEC.md §4, §8).
"""

from collections.abc import Mapping
from typing import Final

from engine.transaction import Transaction
from schemas.people.effects import AlertRaised
from schemas.people.why import Why, WhyCode
from storage.orders.order import Order
from tasks.orders.people.undo import Undone, take_back
from tasks.orders.rules.context import Context
from tasks.orders.rules.flags import effects_of_flags

ALERT: Final = "customer_called"
"""The alert that words wait for a person."""
_TITLES: Final = {"phone": "客户来电", "sms": "客户发来短信", "im": "客户发来消息"}


def title_of(method: str) -> str:
    """What people call it that a customer turned to us by this channel."""
    return _TITLES[method]


def act_on_words(
    transaction: Transaction,
    context: Context,
    order: Order,
    *,
    words: str,
    method: str,
    where: Mapping[str, object],
) -> bool:
    """Do what cannot wait, and alert a person to look at words that are kept already.

    Args:
        transaction: Holds the lock of the order's run.
        context: The tools and policies of the work.
        order: As it stands under that lock.
        words: What the customer said.
        method: The channel by which they said it.
        where: What the alert says of where the words are: `contact_id` and the like, never the words.

    Returns:
        Whether a cancellation was taken back.
    """
    taken_back = take_back(
        transaction,
        order,
        by="customer",
        reason=title_of(method),
        why=Why(WhyCode.SPOKE_BEFORE_CANCELLING, {"method": method}),
    )
    alert = AlertRaised(
        alert_type=ALERT,
        severity="warning",
        message=f"{title_of(method)}, 请查看内容并处理",
        task_id=order.task_id,
        metadata={
            **where,
            "status": order.status.value,
            "cancellation_taken_back": taken_back is Undone.DONE,
        },
    )
    flags, contact_id = context.classifier.classify(words).flags, str(where["contact_id"])
    transaction.write([alert, *effects_of_flags(context, flags, order, contact_id)])
    return taken_back is Undone.DONE
