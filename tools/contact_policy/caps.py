"""Caps of one phone number over all orders: from when on another contact keeps within every one of them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tools.contact_policy.policy import NumberCap


def free_again(contacts: Sequence[datetime], caps: Sequence[NumberCap]) -> datetime | None:
    """Return the earliest moment at which a further contact breaks no cap; None when no cap is used up. In UTC.

    A cap of n contacts in a period is kept when the n-th newest contact lies a whole period back. A contact
    that lies ahead (another process was faster by a moment) counts like any other.

    Args:
        contacts: Moments of the number's contacts, aware, in any order.
        caps: The policy's caps.
    """
    newest_first = sorted(contacts, reverse=True)
    moments = [
        newest_first[cap.limit - 1].astimezone(UTC) + cap.period
        for cap in caps
        if len(newest_first) >= cap.limit
    ]
    return max(moments, default=None)
