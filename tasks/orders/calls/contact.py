"""Calls for a contact: the attempt at hand, the one that a step on the way leads to, or one that was made before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from schemas.orders.agents.contact import ContactMade
from schemas.orders.contact import Channel, ContactResult
from schemas.orders.step_inputs import ContactInput
from statemachine.orders.states import State
from statemachine.workflow.states import StepState
from storage.core.unit_of_work import UnitOfWork
from storage.orders.contacts.contact import Contact
from storage.orders.contacts.contacts import Contacts
from storage.orders.dispatches import Dispatches
from storage.orders.order import Order
from storage.orders.order_view import StepResult, WaitingStep
from storage.orders.orders import Orders
from tasks.orders.calls.call import Asked, Call, Matcher
from tasks.orders.rules.conclusion import AGENT
from tools.contact_policy.ladder import channel_for
from tools.contact_policy.policy import ContactPolicy

ACTION: Final = "contact.initiate_contact"
RETRY: Final = "orchestrator.retry_contact"
NEXT_ROUND: Final = "orchestrator.open_round"

CHANNEL_OF: Final[Mapping[str, Channel]] = MappingProxyType(
    {"contact_user": Channel.PHONE, "send_sms": Channel.SMS, "send_im": Channel.IM}
)
"""The channel of each tool that contacts a customer (seed 000 section 五)."""
TOOL_OF: Final[Mapping[Channel, str]] = MappingProxyType({CHANNEL_OF[tool]: tool for tool in CHANNEL_OF})
"""The tool of each channel."""

_KNOWN_RESULTS: Final = frozenset(ContactResult)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCall:
    """How a customer is to be contacted: by this channel, in the words of this script where one is named."""

    channel: Channel
    script: str | None = None
    """The script's name, or `name:version`."""
    attempt: int | None = None
    """Counts within the round; once a follow-up is due, 1 is the first of the round it leads into."""

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


def _gives(wanted: ContactCall) -> Mapping[str, object]:
    script = {} if wanted.script is None else {"script_id": wanted.script}
    return {"channel": wanted.channel, **script}


def _refuses(asked: Asked[ContactCall], step: WaitingStep) -> str | None:
    order, wanted = asked.order, asked.wanted
    if wanted.attempt not in (None, order.contact_count):
        return f"the order is at attempt {order.contact_count}, not {wanted.attempt}"
    if step.state is StepState.OFFERED:
        return None
    begun = _contact_at_hand(asked.work, order)
    if begun is not None and begun.status != "refused":
        return wanted.against(begun)
    taken = ContactInput.of(step.input).call
    chosen = taken.channel or _usual_channel(asked.work, order, asked.context.policy)
    if chosen in (None, wanted.channel):
        return None
    return f"this attempt is to be made by {chosen}, not by {wanted.channel}"


def _recognises(asked: Asked[ContactCall], step: StepResult) -> bool:
    order, attempt = asked.order, asked.wanted.attempt
    contact = _contact_of(asked.work, step)
    if contact is None or contact.round != order.round or asked.wanted.against(contact):
        return False
    next_round = order.mode == "manual" and _followup_is_due(asked)
    if attempt is None:
        # Who does not count attempts wants the next one where this one has had its time.
        return order.status is not State.NO_RESPONSE and not next_round
    return contact.contact_no == attempt and not (next_round and attempt == 1)


def _leads(asked: Asked[ContactCall], step: WaitingStep) -> Call[ContactCall] | None:
    following = asked.order.contact_count + 1
    if step.action == RETRY and following <= asked.order.max_contacts:
        return _counted(asked.call, following)
    if step.action == NEXT_ROUND and _followup_is_due(asked):
        return _counted(asked.call, 1)
    return None


def _answers(work: UnitOfWork, call: Call[ContactCall], step: StepResult) -> ContactMade | None:
    """What came of the contact of a step; `None` when it was made otherwise than was wanted."""
    contact = _contact_of(work, step)
    if contact is None or call.wanted.against(contact):
        return None
    made_it = _maker(work, call, step) == call.agent_id
    return ContactMade(
        contact_id=contact.contact_id,
        result=contact.contact_result,
        duration_seconds=contact.duration_seconds,
        recording_url=contact.recording_url if made_it else None,
        transcript=contact.transcript if made_it else None,
    )


def _maker(work: UnitOfWork, call: Call[ContactCall], step: StepResult) -> str | None:
    """Who made the contact: in a manual order whoever took its step by a call, else the fleet's own agent.

    `None` for a contact that was made without us and only recorded: its words go back to nobody by this way.
    """
    if Orders(work).find([call.task_id])[call.task_id].mode != "manual":
        return AGENT
    if "call" not in step.input:
        return None
    # Whoever calls later shares the call that took the step.
    taken = Dispatches(work).last_of(step.step_id)
    return None if taken is None else taken.agent_id


def _counted(call: Call[ContactCall], number: int) -> Call[ContactCall] | None:
    """The same call for this attempt and no other: one that is made meanwhile is what was asked for."""
    if call.wanted.attempt not in (None, number):
        return None
    return replace(call, wanted=replace(call.wanted, attempt=number))


def _usual_channel(work: UnitOfWork, order: Order, policy: ContactPolicy) -> Channel | None:
    """The channel that the policy gives the order's present attempt."""
    history = Contacts(work).history([order.task_id])[order.task_id]
    results = [ContactResult(past.result) for past in history if past.result in _KNOWN_RESULTS]
    return channel_for(order.contact_count, results, policy=policy)


def _followup_is_due(asked: Asked[ContactCall]) -> bool:
    """Whether the agreed time of a follow-up has come."""
    now, agreed = asked.transaction.moments.business_now, asked.order.next_contact_time
    return asked.order.status is State.WAITING_FOLLOWUP and agreed is not None and agreed <= now


def _contact_of(work: UnitOfWork, step: StepResult) -> Contact | None:
    """The contact that a contact step made; `None` before it has concluded."""
    contact_id = (step.output or {}).get("contact_id")
    return Contacts(work).by_ids([str(contact_id)]).get(str(contact_id)) if contact_id else None


def _contact_at_hand(work: UnitOfWork, order: Order) -> Contact | None:
    """The contact of the order's present attempt, as far as it was begun."""
    latest = Contacts(work).latest([order.task_id]).get(order.task_id)
    at_hand = latest is not None and (latest.round, latest.contact_no) == (order.round, order.contact_count)
    return latest if at_hand else None


MATCHER: Final = Matcher(
    gives=_gives, refuses=_refuses, recognises=_recognises, leads=_leads, answers=_answers
)
"""How calls for a contact are matched and answered."""
