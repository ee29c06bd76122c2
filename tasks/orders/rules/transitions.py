"""The transitions that an order's state allows, as refusals name them (seed 000 section 九)."""

from typing import Any

from statemachine.orders.machine import allowed_from
from statemachine.orders.states import State


def transitions_from(current: State | None, requested: State | None) -> dict[str, Any]:
    """Where an order is, if there is one, where it was to go, and where it may go."""
    return {
        "current_state": current.value if current else None,
        "requested_state": requested.value if requested else None,
        "allowed_transitions": ways_out(current) if current else [],
    }


def ways_out(state: State) -> list[dict[str, object]]:
    """Every transition that leaves this state."""
    return [
        {"event": row.event.value, "to_state": row.target.value, "guard": row.guard.value, "ours": row.ours}
        for row in allowed_from(state)
    ]
