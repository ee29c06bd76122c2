"""The calls whose answer depends on an order's state, by the names that `docs/routes_by_state.yaml` has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from statemachine.orders.machine import TRANSITIONS
from statemachine.orders.states import Event
from tests.support.api.stopped_orders import StoppedOrder, fitting
from tests.support.factories import PARTS_MISSING

_ASYNC: Final = MappingProxyType({"Prefer": "respond-async"})
_OWN_NUMBER: Final = "13800138000"


@dataclass(frozen=True, slots=True)
class StateCall:
    """One request about an order."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Making = Callable[[StoppedOrder], StateCall | None]
"""The call about this order; `None` where there is nothing it could name."""


def _posted(path: str, **body: Any) -> Making:
    """The same body about every order; in one the fleet drives the caller would rather not wait."""
    return lambda order: StateCall("POST", path, {"task_id": order.task_id, **body}, _ASYNC)


def _acted(path: str, *, fits: bool, **body: Any) -> Making:
    def make(order: StoppedOrder) -> StateCall:
        given = {"task_id": order.task_id, "action_type": fitting(order) if fits else "cancel_order"}
        return StateCall("POST", path, given | body, _ASYNC)

    return make


def _dispatched(agent: str, action: str | None = None) -> Making:
    def make(order: StoppedOrder) -> StateCall:
        given = {"task_id": order.task_id, "target_agent": agent, "action_type": action or fitting(order)}
        return StateCall("POST", "/agents/orchestrator/tasks/dispatch", given)

    return make


def _of_contact(order: StoppedOrder) -> StateCall | None:
    contacts = order.contacts()
    if not contacts:
        return None
    body = {"task_id": order.task_id, "contact_id": contacts[-1].contact_id, "result": "busy"}
    return StateCall("POST", "/agents/contact/result/record", body)


def _of_own_contact(order: StoppedOrder) -> StateCall:
    body = {"task_id": order.task_id, "contact_id": f"OWN-{order.task_id}", "result": "no_answer"}
    return StateCall("POST", "/agents/contact/result/record", body)


def _moved(event: Event) -> Making:
    def make(order: StoppedOrder) -> StateCall:
        state = order.state
        row = TRANSITIONS.get((state, event))
        elsewhere = next((each.target for (_, known), each in TRANSITIONS.items() if known is event))
        body = {
            "task_id": order.task_id,
            "from_state": state,
            "to_state": row.target if row else elsewhere,
            "event": event,
            "metadata": {"transcript": PARTS_MISSING, "reason": "客户要求"},
        }
        return StateCall("POST", "/states/transition", body, _ASYNC)

    return make


def _steered(verb: str) -> Making:
    return lambda order: StateCall("POST", f"/tasks/{order.task_id}/{verb}")


def _told(kind: str, **data: Any) -> Making:
    return lambda order: StateCall("POST", f"/tasks/{order.task_id}/signals", {"type": kind, "data": data})


def _asked(path: str) -> Making:
    return lambda order: StateCall("GET", path.format(order.task_id))


def _decided(decision: str, **more: Any) -> Making:
    def make(order: StoppedOrder) -> StateCall | None:
        review = order.review()
        if review is None:
            return None
        return StateCall("POST", f"/reviews/{review.review_id}/decide", {"decision": decision, **more})

    return make


CALLS: Final[Mapping[str, Making]] = MappingProxyType(
    {
        "contact": _posted("/agents/contact/initiate", contact_method="phone"),
        "contact, short": _posted("/contact/initiate", contact_method="phone"),
        "contact by another channel": _posted("/agents/contact/initiate", contact_method="sms"),
        "result of our contact": _of_contact,
        "result of an own contact": _of_own_contact,
        "classify": _posted("/agents/triage/classify"),
        "classify, short": _posted("/triage/classify"),
        "classify with words": _posted("/agents/triage/classify", user_input=PARTS_MISSING),
        "validate": _posted(
            "/agents/triage/validate",
            classification={"level1_intent": "暂缓", "level2_intent": "配件未到", "confidence": 0.9},
        ),
        "execute": _acted("/agents/actions/execute", fits=True),
        "execute, short": _acted("/actions/execute", fits=True),
        "execute another action": _acted("/agents/actions/execute", fits=False),
        "execute with approval": _acted("/agents/actions/execute", fits=True, requires_approval=True),
        "log": _posted("/agents/audit/log", event_type="note", agent_id="audit_agent"),
        "log, short": _posted("/audit/log", event_type="note", agent_id="audit_agent"),
        "dispatch to contact_agent": _dispatched("contact_agent", "contact_user"),
        "dispatch to triage_agent": _dispatched("triage_agent", "classify_intent"),
        "dispatch to action_agent": _dispatched("action_agent"),
        "dispatch to audit_agent": _dispatched("audit_agent", "log_event"),
        **{f"transition {event}": _moved(event) for event in Event},
        **{verb: _steered(verb) for verb in ("cancel", "pause", "resume", "retry", "start")},
        "status": _asked("/agents/orchestrator/tasks/{}/status"),
        "status, short": _asked("/tasks/{}/status"),
        "state": _asked("/states/{}"),
        "signal part_arrived": _told("part_arrived"),
        "signal phone_changed": _told("phone_changed", phone=_OWN_NUMBER),
        "signal priority_changed": _told("priority_changed", priority=9),
        "signal order_cancelled": _told("order_cancelled"),
        "signal customer_called": _told("customer_called", words=PARTS_MISSING),
        "signal continue": _told("continue", step="step9_followup"),
        "decide close": _decided("close", reason="客户已在门店处理"),
        "decide classify": _decided("classify", intent_level2="可上门"),
        "decide recontact": _decided("recontact"),
        "decide retry": _decided("retry"),
    }
)
"""Every call of the table."""
