"""A contact as an agent calls for it, and the contact that came of it."""

from collections.abc import Mapping
from typing import Any

from engine.transaction import Transaction
from statemachine.states import State
from storage.calls import CalledStep, WaitingStep
from storage.contact import Contact
from storage.order import Order
from storage.unit_of_work import UnitOfWork
from tasks.calling import Call

ACTION = "contact.initiate_contact"
_RETRY = "orchestrator.retry_contact"
_NEXT_ROUND = "orchestrator.open_round"


def contact_call(
    *, task_id: str, agent_id: str, tool: str, channel: str, script_id: str | None, attempt: int | None
) -> Call:
    """Contact the customer once (seed 000 section 四, Contact); `attempt` counts within the round."""
    given: dict[str, Any] = {"channel": channel}
    if script_id is not None:
        given["script_id"] = script_id
    if attempt is not None:
        given["attempt"] = attempt

    def refuses(order: Order, _: WaitingStep) -> str | None:
        if attempt is not None and attempt != order.contact_count:
            return f"the order is at attempt {order.contact_count}, not {attempt}"
        return None

    def recognises(transaction: Transaction, order: Order, step: CalledStep) -> bool:
        contact = contact_of(transaction.work, step)
        if contact is None or (contact.round, contact.contact_method) != (order.round, channel):
            return False
        if attempt is None:
            # Who does not count attempts wants the next one where this one has had its time.
            next_round = order.mode == "manual" and _due(transaction, order)
            return order.status is not State.NO_RESPONSE and not next_round
        return contact.contact_no == attempt

    def leads(transaction: Transaction, order: Order, step: WaitingStep) -> bool:
        if step.action == _RETRY:
            attempts_left = order.contact_count < order.max_contacts
            return attempts_left and attempt in (None, order.contact_count + 1)
        return step.action == _NEXT_ROUND and attempt is None and _due(transaction, order)

    return Call(
        task_id=task_id,
        action=ACTION,
        action_type=tool,
        agent_id=agent_id,
        given=given,
        leads=leads,
        refuses=refuses,
        recognises=recognises,
    )


def _due(transaction: Transaction, order: Order) -> bool:
    """Whether the agreed time of a follow-up has come."""
    now, agreed = transaction.moments.business_now, order.next_contact_time
    return order.status is State.WAITING_FOLLOWUP and agreed is not None and agreed <= now


def contact_of(work: UnitOfWork, step: CalledStep) -> Contact | None:
    """The contact that a contact step made; `None` before it has concluded."""
    output: Mapping[str, Any] = step.output or {}
    contact_id = output.get("contact_id")
    return work.contacts.by_ids([str(contact_id)]).get(str(contact_id)) if contact_id else None


def contact_at_hand(work: UnitOfWork, order: Order) -> Contact | None:
    """The contact of the order's present attempt, as far as it was begun."""
    latest = work.contacts.latest([order.task_id]).get(order.task_id)
    at_hand = latest is not None and (latest.round, latest.contact_no) == (order.round, order.contact_count)
    return latest if at_hand else None
