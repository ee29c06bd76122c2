"""The fields of a run's hash in Redis: a `LiveState` as text, and back."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import Any, Final

from schemas.flows.live_states import WaitingFor
from statemachine.workflow.states import RUN_ENDS, RunState
from storage.flows.live_states import LiveState

GENERAL: Final = "general"
"""What general work is counted under, where orders are counted under their product."""

_READ: Final[Mapping[str, Any]] = {
    "status": RunState,
    "priority": int,
    "attempt": int,
    "updated_at": datetime.fromisoformat,
    "event_id": int,
    "event_at": datetime.fromisoformat,
    "waiting_for": WaitingFor,
    "next_at": datetime.fromisoformat,
    "horizon": int,
}

_REQUIRED: Final = frozenset({"run_id", "task_id", "status", "priority", "updated_at", "event_id", "horizon"})


def counted_as(state: LiveState) -> str | None:
    """The product and the state it is counted under; `None` when it has ended."""
    if state.status in RUN_ENDS:
        return None
    return f"{state.product or GENERAL}:{state.state or state.status.value}"


def written(state: LiveState) -> dict[str, Any]:
    """A run as the script that writes its hash takes it; what is not known has no field."""
    given = ((field.name, getattr(state, field.name)) for field in fields(LiveState))
    group = counted_as(state)
    return {
        "id": state.run_id,
        "event": state.event_id,
        "horizon": state.horizon,
        "fields": [part for name, value in given if value is not None for part in (name, _text(value))],
    } | ({} if group is None else {"counted_as": group})


def read(stored: Mapping[str, str]) -> LiveState | None:
    """The run that a hash describes; `None` when it was not written in this form."""
    given: dict[str, Any] = dict.fromkeys((field.name for field in fields(LiveState)), None)
    try:
        given |= {name: _READ.get(name, str)(stored[name]) for name in given if name in stored}
    except ValueError:
        return None
    return LiveState(**given) if stored.keys() >= _REQUIRED else None


def _text(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    return value.isoformat() if isinstance(value, datetime) else str(value)
