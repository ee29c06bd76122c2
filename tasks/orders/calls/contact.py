"""A contact as an agent calls for it, and the contact that came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.transaction import Transaction
from schemas.orders.contact import Channel, ContactResult
from statemachine.orders.states import State
from storage.core.unit_of_work import UnitOfWork
from storage.orders.calls import CalledStep, WaitingStep
from storage.orders.contacts.contact import Contact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order import Order
from tasks.orders.calls.calling import Call
from tools.contact_policy.ladder import channel_for
from tools.contact_policy.policy import ContactPolicy

ACTION = "contact.initiate_contact"
_RETRY = "orchestrator.retry_contact"
_NEXT_ROUND = "orchestrator.open_round"
_KNOWN_RESULTS: Final = frozenset(ContactResult)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactWanted:
    """How a customer is to be contacted: by this channel, in the words of this script where one is named."""

    channel: str
    script: str | None = None
    """The script's name, or `name:version`."""

    def against(self, contact: Contact) -> str | None:
        """Why this contact is not the one that is wanted; `None` when it is.

        An outside agent's own words are no version of a script, and are not compared with one.
        """
        if contact.contact_method != self.channel:
            return f"this attempt is made by {contact.contact_method}, not by {self.channel}"
        if self.script is None or contact.script_version is None:
            return None
        name, _, version = self.script.partition(":")
        if name != contact.script_id or version not in ("", contact.script_version):
            return f"this attempt uses the script {contact.script_id}, not {self.script}"
        return None


def contact_call(
    *,
    task_id: str,
    agent_id: str,
    tool: str,
    wanted: ContactWanted,
    attempt: int | None,
    policy: ContactPolicy,
) -> Call:
    """Contact the customer once (seed 000 section 四, Contact).

    Args:
        task_id: The order.
        agent_id: Who calls.
        tool: The tool that the caller named.
        wanted: How; it must be what is under way, or what came of this attempt before.
        attempt: Counts within the round; once a follow-up is due, 1 is the first of the round it leads into.
        policy: Chooses the channel where the fleet makes the contact.
    """
    return _Contacting(
        task_id=task_id, agent_id=agent_id, tool=tool, wanted=wanted, attempt=attempt, policy=policy
    ).as_call()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contacting:
    """What a call for a contact makes of an order's steps."""

    task_id: str
    agent_id: str
    tool: str
    wanted: ContactWanted
    attempt: int | None
    policy: ContactPolicy

    def as_call(self) -> Call:
        """The step that is called for."""
        script = {} if self.wanted.script is None else {"script_id": self.wanted.script}
        return Call(
            task_id=self.task_id,
            action=ACTION,
            action_type=self.tool,
            agent_id=self.agent_id,
            given={"channel": self.wanted.channel, **script},
            leads=self._leads,
            refuses=self._refuses,
            recognises=self._recognises,
        )

    def _refuses(self, transaction: Transaction, order: Order, step: WaitingStep) -> str | None:
        if self.attempt not in (None, order.contact_count):
            return f"the order is at attempt {order.contact_count}, not {self.attempt}"
        if step.state == "offered":
            return None
        begun = contact_at_hand(transaction.work, order)
        if begun is not None and begun.status != "refused":
            return self.wanted.against(begun)
        taken = step.input.get("call") or {}
        chosen = taken.get("channel") or _usual(transaction.work, order, self.policy)
        if chosen in (None, self.wanted.channel):
            return None
        return f"this attempt is to be made by {chosen}, not by {self.wanted.channel}"

    def _recognises(self, transaction: Transaction, order: Order, step: CalledStep) -> bool:
        contact = contact_of(transaction.work, step)
        if contact is None or contact.round != order.round or self.wanted.against(contact):
            return False
        next_round = order.mode == "manual" and _due(transaction, order)
        if self.attempt is None:
            # Who does not count attempts wants the next one where this one has had its time.
            return order.status is not State.NO_RESPONSE and not next_round
        return contact.contact_no == self.attempt and not (next_round and self.attempt == 1)

    def _leads(self, transaction: Transaction, order: Order, step: WaitingStep) -> Call | None:
        following = order.contact_count + 1
        if step.action == _RETRY and following <= order.max_contacts:
            return self._counted(following)
        if step.action == _NEXT_ROUND and _due(transaction, order):
            return self._counted(1)
        return None

    def _counted(self, number: int) -> Call | None:
        """The same call for this attempt and no other: one that is made meanwhile is what was asked for."""
        return replace(self, attempt=number).as_call() if self.attempt in (None, number) else None


def _usual(work: UnitOfWork, order: Order, policy: ContactPolicy) -> Channel | None:
    """The channel that the policy gives the order's present attempt."""
    history = Contacts(work).history([order.task_id])[order.task_id]
    results = [ContactResult(past.result) for past in history if past.result in _KNOWN_RESULTS]
    return channel_for(order.contact_count, results, policy=policy)


def _due(transaction: Transaction, order: Order) -> bool:
    """Whether the agreed time of a follow-up has come."""
    now, agreed = transaction.moments.business_now, order.next_contact_time
    return order.status is State.WAITING_FOLLOWUP and agreed is not None and agreed <= now


def contact_of(work: UnitOfWork, step: CalledStep) -> Contact | None:
    """The contact that a contact step made; `None` before it has concluded."""
    output: Mapping[str, Any] = step.output or {}
    contact_id = output.get("contact_id")
    return Contacts(work).by_ids([str(contact_id)]).get(str(contact_id)) if contact_id else None


def contact_at_hand(work: UnitOfWork, order: Order) -> Contact | None:
    """The contact of the order's present attempt, as far as it was begun."""
    latest = Contacts(work).latest([order.task_id]).get(order.task_id)
    at_hand = latest is not None and (latest.round, latest.contact_no) == (order.round, order.contact_count)
    return latest if at_hand else None
