"""The order of ready rows in a queue: by priority, and by waiting time."""

from datetime import datetime, timedelta

AGEING_SECONDS = 120
"""What one degree of priority is worth: a row of priority 1 that has waited 18 minutes goes before a new 10."""

URGENCY = f"clock_timestamp() - make_interval(secs => priority * {AGEING_SECONDS})"
"""The moment by which the ready rows of a queue are ordered: the smallest goes first."""


def urgency(ready_at: datetime, priority: int) -> datetime:
    """The place of a ready row in its queue, as `URGENCY` computes it in SQL."""
    return ready_at - timedelta(seconds=priority * AGEING_SECONDS)
