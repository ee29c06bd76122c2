"""What outside agents can call for: from a tool to the action that does it, from an action to its matcher."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from tasks.orders.calls import action, contact, triage
from tasks.orders.calls.action import ActionCall
from tasks.orders.calls.call import Call, Matcher
from tasks.orders.calls.contact import CHANNEL_OF, ContactCall
from tasks.orders.calls.triage import TriageCall

CLOSE: Final = "audit.log_and_close"
RETRY: Final = contact.RETRY
NEXT_ROUND: Final = contact.NEXT_ROUND

MATCHERS: Final[Mapping[str, Matcher[Any]]] = MappingProxyType(
    {
        contact.ACTION: contact.MATCHER,
        triage.ACTION: triage.MATCHER,
        action.ACTION: action.MATCHER,
        CLOSE: Matcher(),
        RETRY: Matcher(),
        NEXT_ROUND: Matcher(),
    }
)
"""How calls for an action are matched and answered, by the action."""


def call_of_tool(tool: str, *, task_id: str, agent_id: str, parameters: Mapping[str, Any]) -> Call[Any]:
    """The call for the step that this tool does, with nothing said of how but an action's parameters."""
    name, wanted = _step_of(tool, parameters)
    return Call(task_id=task_id, action=name, action_type=tool, agent_id=agent_id, wanted=wanted)


def _step_of(tool: str, parameters: Mapping[str, Any]) -> tuple[str, object]:
    if tool in CHANNEL_OF:
        return contact.ACTION, ContactCall(channel=CHANNEL_OF[tool])
    match tool:
        case "classify_intent":
            return triage.ACTION, TriageCall()
        case "log_event":
            return CLOSE, None
        case _:
            return action.ACTION, ActionCall(action_type=tool, parameters=parameters)
