"""The order of ready rows in a queue: by priority, by waiting time, and new work before what was waited for."""

from datetime import datetime, timedelta

from statemachine.workflow.options.agent_choice import OFFER_SECONDS
from storage.engine.states import OFFERED, READY

AGEING_SECONDS = 120
"""What one degree of priority is worth: a row of priority 1 that has waited 18 minutes goes before a new 10."""

BEHIND_NEW_WORK_SECONDS = 600
"""How far a row whose business time has come, and what follows it, stands behind new work. However many follow-ups are
due at one moment, a new order is begun at once; and none of them waits for new work longer than this."""

URGENCY = f"clock_timestamp() - make_interval(secs => priority * {AGEING_SECONDS})"
"""The moment by which the ready rows of a queue are ordered: the smallest goes first."""

READY_NOW = f"ready_at = clock_timestamp(), urgency = {URGENCY}"
"""Sets the place of a row that becomes ready."""

FOR_QUEUE_OR_OFFERED = f"""state = CASE WHEN wanted IS NULL THEN {READY} ELSE {OFFERED} END,
    due_at = CASE WHEN wanted IS NULL THEN due_at
                  ELSE (SELECT business_now()) + make_interval(secs => {OFFER_SECONDS}) END,
    due_clock = CASE WHEN wanted IS NULL THEN due_clock ELSE 'business' END"""
"""Lets a row be taken that nobody holds: ready for its queue, or offered anew where outside agents do it."""


def urgency(ready_at: datetime, priority: int) -> datetime:
    """The place of a ready row in its queue, as `URGENCY` computes it in SQL."""
    return ready_at - timedelta(seconds=priority * AGEING_SECONDS)


def still_behind(place: datetime | None, priority: int, now: datetime) -> timedelta:
    """How far a row with this place and priority still stands behind new work: what follows it does too."""
    if place is None:
        return timedelta()
    return max(place + timedelta(seconds=priority * AGEING_SECONDS) - now, timedelta())
