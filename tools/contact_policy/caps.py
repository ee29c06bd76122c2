"""Limits on contacts per phone number over all orders: the earliest moment within all of them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tools.contact_policy.policy import NumberCap


def free_again(contacts: Sequence[datetime], caps: Sequence[NumberCap]) -> datetime | None:
    """Return the earliest moment at which another contact exceeds no limit, in UTC; None when no limit is reached.

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
