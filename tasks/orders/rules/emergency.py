"""The alert for words that speak of danger (煤气漏了): raised at once, since a review alone may wait too long."""

from collections.abc import Collection
from typing import Final

from schemas.people.effects import AlertRaised
from storage.orders.order import Order
from tasks.people.escalation import escalated_to
from tools.classifier.taxonomy import Flag

ALERT: Final = "emergency"
_SEVERITY: Final = "critical"


def emergency_in(flags: Collection[Flag], order: Order, contact_id: str) -> tuple[AlertRaised, ...]:
    """The critical alert that words with these flags call for, and none where they tell of no danger."""
    if Flag.EMERGENCY not in flags:
        return ()
    return (
        AlertRaised(
            alert_type=ALERT,
            severity=_SEVERITY,
            message="客户描述的情况可能危及人身安全, 请立即处理",
            task_id=order.task_id,
            escalated_to=escalated_to(ALERT, _SEVERITY),
            metadata={"contact_id": contact_id},
        ),
    )
