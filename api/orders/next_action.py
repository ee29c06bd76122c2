"""The next action of an order and its agent, from one table (seed 000 section 四)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from statemachine.orders.intents import INTENTS, Level2
from statemachine.orders.states import State


class OrderFacts(Protocol):
    """What of an order decides on it."""

    @property
    def status(self) -> State:
        """Where the order is."""

    @property
    def user_intent_l2(self) -> str | None:
        """What its customer wants, once it is known."""


@dataclass(frozen=True, slots=True)
class NextAction:
    """A name of the seed's, and the agent it falls to; nobody when nothing is left to do."""

    name: str
    agent: str | None


_HUMAN_REVIEW: Final = NextAction("human_review", "orchestrator")

_BY_STATE: Final[Mapping[State, NextAction]] = MappingProxyType(
    {
        State.PENDING: NextAction("start_task", "orchestrator"),
        State.CONTACTING: NextAction("contact_user", "contact_agent"),
        State.NO_RESPONSE: NextAction("retry_contact", "orchestrator"),
        State.RESPONDED: NextAction("triage_classify", "triage_agent"),
        State.CLASSIFIED: _HUMAN_REVIEW,
        State.ACTION_TAKEN: NextAction("log_event", "audit_agent"),
        State.WAITING_FOLLOWUP: NextAction("wait_followup", "orchestrator"),
        State.CLOSED: NextAction("none", None),
    },
)
"""By state; a classified order's is its intent's action, and a person's where the intent has none."""

_BY_INTENT: Final[Mapping[str, NextAction]] = MappingProxyType(
    {
        level2.value: NextAction(intent.action, "action_agent")
        for level2, intent in INTENTS.items()
        if intent.action is not None
    },
)


def next_action(order: OrderFacts, *, review_open: bool) -> NextAction:
    """What happens next to this order; while a person is asked, whatever its state, that comes first."""
    if order.status is State.CLOSED:
        return _BY_STATE[State.CLOSED]
    if review_open:
        return _HUMAN_REVIEW
    if order.status is State.CLASSIFIED:
        return _BY_INTENT.get(order.user_intent_l2 or Level2.NEEDS_HUMAN, _HUMAN_REVIEW)
    return _BY_STATE[order.status]
