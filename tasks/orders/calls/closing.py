"""The end of an order as an agent calls for it: the last line is written and the order closed."""

from tasks.orders.calls.calling import Call

ACTION = "audit.log_and_close"


def closing_call(*, task_id: str, agent_id: str) -> Call:
    """Close the order that has had its action carried out (seed 000 section 六)."""
    return Call(task_id=task_id, action=ACTION, action_type="log_event", agent_id=agent_id)
