"""Which answer leads where: the links of the API's description (OpenAPI 3.1 §4.8.20), as one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Link:
    """What an answer gives to another operation: the operation's name, and its parameters by expression."""

    operation: str
    parameters: Mapping[str, str]

    @property
    def described(self) -> dict[str, Any]:
        """The link as OpenAPI writes it."""
        return {"operationId": self.operation, "parameters": dict(self.parameters)}


def _to(place: str, expression: str, *operations: str) -> tuple[Link, ...]:
    return tuple(Link(operation, MappingProxyType({place: expression})) for operation in operations)


_TASK: Final = "$response.body#/task_id"
_OF_A_TASK: Final = (
    *_to("path.task_id", _TASK, "find_task", "follow_task", "cancel_task", "pause_task", "resume_task"),
    *_to("path.task_id", _TASK, "retry_task"),
)
_OF_AN_ORDER: Final = (
    *_to("path.task_id", _TASK, "task_status", "task_status_in_short", "start_known_task"),
    *_to("path.task_id", _TASK, "current_state", "state_history"),
    *_to("query.task_id", _TASK, "list_reviews", "find_lines"),
)
_POLLED: Final = _to("path.dispatch_id", "$response.body#/dispatch_id", "dispatch_state")
_REVIEW: Final = "$response.body#/reviews/0/review_id"
_ALERT: Final = "$response.body#/alerts/0/alert_id"
_REJECT: Final = "$response.body#/rejects/0/reject_id"
_DELIVERY: Final = "$response.body#/deliveries/0/delivery_id"
_SUBSCRIBER: Final = "$response.body#/subscriber_id"
_AGENT: Final = "$response.body#/agent_id"

LINKS: Final[Mapping[tuple[str, str], tuple[Link, ...]]] = MappingProxyType(
    {
        ("start_task", "200"): (*_OF_A_TASK, *_OF_AN_ORDER),
        ("create_task", "200"): _OF_A_TASK,
        ("create_tasks", "200"): _to("path.task_id", "$response.body#/results/0/task_id", "find_task"),
        ("list_tasks", "200"): _to("path.task_id", "$response.body#/tasks/0/task_id", "find_task"),
        ("dispatch", "200"): _POLLED,
        ("initiate_contact", "202"): _POLLED,
        ("initiate_contact_short", "202"): _POLLED,
        ("classify", "202"): _POLLED,
        ("classify_short", "202"): _POLLED,
        ("execute_action", "202"): _POLLED,
        ("execute_action_short", "202"): _POLLED,
        ("make_transition", "200"): _to("path.task_id", _TASK, "current_state", "state_history"),
        ("make_transition", "202"): _POLLED,
        ("list_reviews", "200"): _to(
            "path.review_id", _REVIEW, "find_review", "claim_review", "release_review", "decide_review"
        ),
        ("list_alerts", "200"): _to("path.alert_id", _ALERT, "acknowledge_alert", "resolve_alert"),
        ("raise_alert", "200"): _to(
            "path.alert_id", "$response.body#/alert_id", "acknowledge_alert", "resolve_alert"
        ),
        ("list_rejects", "200"): _to(
            "path.reject_id", _REJECT, "find_reject", "replay_reject", "dismiss_reject"
        ),
        ("register_agent", "200"): _to("path.agent_id", _AGENT, "find_agent", "report_heartbeat"),
        ("add_subscriber", "201"): _to("path.subscriber_id", _SUBSCRIBER, "remove_subscriber"),
        ("list_deliveries", "200"): _to("path.delivery_id", _DELIVERY, "replay_delivery"),
    }
)
"""By the operation that answered, and with what status."""
