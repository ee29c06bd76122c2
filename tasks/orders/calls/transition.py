"""Finds the step or the contact result that makes a requested transition."""

import re
from collections.abc import Mapping
from typing import Any, Final

from runtime.blind_index import BlindIndex
from runtime.ids import Prefix, new_id
from schemas.orders.contact import Channel, ContactResult
from statemachine.orders.intents import INTENTS, Level2
from statemachine.orders.states import Event
from storage.orders.order import Order
from tasks.orders.calls import action, triage
from tasks.orders.calls.action import ActionCall
from tasks.orders.calls.call import Call
from tasks.orders.calls.contact_record import ContactRecord
from tasks.orders.calls.table import NEXT_ROUND, RETRY, call_of_tool
from tasks.orders.calls.triage import CustomerWords, TriageCall

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,31}")
_ORCHESTRATED: Final[Mapping[Event, str]] = {
    Event.CONTACT_RETRY: RETRY,
    Event.CONTACT_MAX_REACHED: RETRY,
    Event.FOLLOWUP_TIME_REACHED: NEXT_ROUND,
}
_CONTACTED: Final[Mapping[Event, ContactResult]] = {
    Event.USER_RESPONDED: ContactResult.ANSWERED,
    Event.USER_NO_ANSWER: ContactResult.NO_ANSWER,
}
_ELSEWHERE: Final[Mapping[Event, str]] = {
    Event.INTENT_POSTPONE: "the follow-up is set together with action.execute",
    Event.REVIEW_CLOSE: "a person decides it at /v1/reviews",
    Event.REVIEW_RECONTACT: "a person decides it at /v1/reviews",
    Event.TIMEOUT: "the fleet ends an order whose time is up",
}


class CannotBeCalled(Exception):
    """This event cannot be requested, or its data are incomplete; the message says what to do."""


def call_for(
    order: Order, event: Event, agent_id: str, metadata: Mapping[str, Any], blind_index: BlindIndex
) -> Call[Any] | ContactRecord:
    """What makes this event happen: a call for a step, or the result of a contact.

    Raises:
        CannotBeCalled: nothing that can be called does, or the metadata lack what it takes.
    """
    if event in _ELSEWHERE:
        raise CannotBeCalled(_ELSEWHERE[event])
    if event in _ORCHESTRATED:
        return Call(
            task_id=order.task_id,
            action=_ORCHESTRATED[event],
            action_type=event,
            agent_id=agent_id,
            wanted=None,
        )
    if event in _CONTACTED:
        return _contact(order, _CONTACTED[event], metadata)
    if event is Event.TRIAGE_COMPLETE:
        return _triage(order, agent_id, metadata, blind_index)
    if event is Event.ACTION_EXECUTE:
        return _action(order, agent_id, metadata)
    if event != f"intent={order.user_intent_l1}":
        raise CannotBeCalled(f"the order was classified as {order.user_intent_l1}, which '{event}' is not")
    return call_of_tool("log_event", task_id=order.task_id, agent_id=agent_id, parameters={})


def _contact(order: Order, result: ContactResult, metadata: Mapping[str, Any]) -> ContactRecord:
    words = _words(metadata)
    if result is ContactResult.ANSWERED and not words:
        raise CannotBeCalled("metadata.transcript must hold what the customer said")
    method = metadata.get("contact_method")
    contact_id = _text(metadata, "contact_id")
    if contact_id is not None and not _IDENTIFIER.fullmatch(contact_id):
        raise CannotBeCalled("metadata.contact_id is no identifier of at most 32 characters")
    return ContactRecord(
        task_id=order.task_id,
        contact_id=contact_id or new_id(Prefix.CONTACT),
        result=result,
        channel=Channel(method) if method in list(Channel) else Channel.PHONE,
        feedback=None,
        transcript=words,
        at=None,
    )


def _triage(
    order: Order, agent_id: str, metadata: Mapping[str, Any], blind_index: BlindIndex
) -> Call[TriageCall]:
    """The classification that the caller made, where it gives one; else the fleet's own, of the caller's words."""
    words = _words(metadata)
    level2, confidence = metadata.get("level2_intent"), metadata.get("confidence")
    given = None
    if level2 is not None:
        if level2 not in list(Level2) or not isinstance(confidence, float | int) or not 0 <= confidence <= 1:
            known = "、".join(Level2)
            raise CannotBeCalled(f"metadata needs level2_intent (one of {known}) and confidence from 0 to 1")
        given = {"level2_intent": level2, "confidence": confidence}
    return Call(
        task_id=order.task_id,
        action=triage.ACTION,
        action_type="classify_intent",
        agent_id=agent_id,
        wanted=TriageCall(
            words=CustomerWords.of(words, order.task_id, blind_index) if words else None, classification=given
        ),
    )


def _action(order: Order, agent_id: str, metadata: Mapping[str, Any]) -> Call[Any]:
    intent = INTENTS.get(Level2(order.user_intent_l2)) if order.user_intent_l2 else None
    action_type = _text(metadata, "action_type") or (intent.action if intent else None)
    if action_type is None:
        raise CannotBeCalled("metadata.action_type must name the action")
    given = metadata.get("action_params")
    wanted = ActionCall(action_type=action_type, parameters=given if isinstance(given, Mapping) else {})
    return Call(
        task_id=order.task_id, action=action.ACTION, action_type=action_type, agent_id=agent_id, wanted=wanted
    )


def _words(metadata: Mapping[str, Any]) -> str | None:
    """What the customer said, by either name."""
    return _text(metadata, "transcript") or _text(metadata, "user_input")


def _text(metadata: Mapping[str, Any], name: str) -> str | None:
    value = metadata.get(name)
    return value[:4000] if isinstance(value, str) and value else None
