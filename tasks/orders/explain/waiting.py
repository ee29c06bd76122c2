"""What an open step waits for, by its state: scheduled, ready, published, leased, parked, offered. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from runtime.clock import Clock
from statemachine.orders.intents import INTENTS, Level2
from statemachine.orders.states import State
from statemachine.workflow.definition import Kind
from storage.orders.contacts.contact import Contact
from storage.orders.order import Order
from storage.orders.order_view import OpenStep
from tasks.orders.explain.explanation import Wait, When
from tasks.orders.explain.situation import Situation
from tasks.orders.rules.followup import rule_in_words

CHANNELS: Final[Mapping[str, str]] = MappingProxyType({"phone": "电话", "sms": "短信", "im": "即时消息"})
"""What people call the channels."""

RESULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "answered": "已回应",
        "no_answer": "无人接听",
        "busy": "占线",
        "rejected": "拒接",
        "power_off": "关机",
        "invalid_number": "空号",
        "suspended_number": "停机",
        "voicemail": "语音信箱",
        "delivered": "已送达",
        "undelivered": "未送达",
        "expired": "未回复",
        "pending": "等待结果",
    }
)
"""What people call the results of a contact."""

Fields = dict[str, Any]
"""The fields of an `Explanation` that a step decides."""


def scheduled(situation: Situation, step: OpenStep) -> Fields:
    """A step whose time has not come, or has just come."""
    fields = _scheduled(situation, step)
    if step.due_at is None:
        return fields
    fields["until"] = When(step.due_at, _clock(step))
    if _is_due(situation, step):
        fields["next"] = f"Its time has come, the tick takes it up within about a second. {fields['next']}"
    return fields


def ready(situation: Situation, step: OpenStep) -> Fields:
    """A row in PostgreSQL that is to be published when its queue has room."""
    return {
        "wait": Wait.ROOM,
        "waiting_for": f"room in the queue {step.queue}, {_ahead(step)}",
        "since": When(step.ready_at, Clock.DATABASE) if step.ready_at else None,
        "next": f"Then {situation.title(step.node)} is published to a worker of {step.queue}; "
        "a row that has waited longer goes before a newer one in the end, whatever its priority.",
    }


def published(situation: Situation, step: OpenStep) -> Fields:
    """A row whose message was sent and not taken yet."""
    return {
        "wait": Wait.WORKER,
        "waiting_for": f"a worker of {step.queue} to take its message, {_ahead(step)}",
        "since": When(step.published_at, Clock.DATABASE) if step.published_at else None,
        "next": f"Then {situation.title(step.node)} is done; "
        "a message that is lost is published again by the tick.",
    }


def leased(situation: Situation, step: OpenStep) -> Fields:
    """A row that a worker holds, or held until it fell silent."""
    title = situation.title(step.node)
    since = When(step.started_at, Clock.DATABASE) if step.started_at else None
    now = situation.moments.database_now
    if step.expires_at is None or step.expires_at <= now:
        return {
            "wait": Wait.RESULT,
            "waiting_for": f"{title}, which {step.holder or 'its worker'} took and no longer renews",
            "since": since,
            "until": When(step.expires_at, Clock.DATABASE) if step.expires_at else None,
            "next": "The tick gives the row to another worker within about a second; "
            "a row that loses too many workers goes to a person.",
        }
    return {
        "wait": Wait.RESULT,
        "waiting_for": f"{title}, at work in {step.holder} under a lease",
        "since": since,
        "until": When(step.expires_at, Clock.DATABASE),
        "next": "The lease is renewed while the work lasts; the result is recorded together with what "
        "follows it, and if the worker dies another takes over when the lease has run out.",
    }


def parked(situation: Situation, step: OpenStep) -> Fields:
    """A step that waits for something outside: a call's result, a reply, a signal."""
    order, contact = situation.order, situation.contact
    if order is not None and order.status is State.PENDING:
        return {
            "wait": Wait.START,
            "waiting_for": "somebody to start it: it came with hold",
            "since": When(step.created_at, Clock.DATABASE),
            "next": f"`POST /v1/tasks/{order.task_id}/start` or `unpend task start {order.task_id}` begins it, "
            "however long that takes; "
            "nobody is contacted before.",
        }
    until = When(step.due_at, _clock(step)) if step.due_at else None
    if order is None or contact is None or contact.step_id != step.step_id:
        return {
            "wait": Wait.SIGNAL,
            "waiting_for": f"a signal that ends {situation.title(step.node)}{_because(step)}",
            "since": When(step.started_at, Clock.DATABASE) if step.started_at else None,
            "until": until,
            "next": "Whichever comes first, the signal or the deadline, ends the step.",
        }
    channel = CHANNELS.get(contact.contact_method, contact.contact_method)
    attempt = f"attempt {contact.contact_no} of {order.max_contacts} ({channel}, {contact.contact_id})"
    in_vain = _after_silence(order, contact)
    if contact.contact_method == "phone":
        return {
            "wait": Wait.CALL_RESULT,
            "waiting_for": f"the result of the call, {attempt}, which the channel reports",
            "since": When(contact.contact_time),
            "until": until,
            "next": f"An answer is classified, {in_vain}; "
            "without a report by then the channel is asked what became of the call.",
        }
    return {
        "wait": Wait.ANSWER,
        "waiting_for": f"the customer's answer to {attempt}",
        "since": When(contact.contact_time),
        "until": until,
        "next": f"An answer is classified, {in_vain}; silence until then counts as no answer.",
    }


def offered(situation: Situation, step: OpenStep) -> Fields:
    """A manual order's step, which an outside agent is to call for (SPEC.md §6)."""
    title = situation.title(step.node)
    since = When(situation.last_move.at) if situation.last_move else When(step.created_at, Clock.DATABASE)
    return {
        "wait": Wait.CALLER,
        "waiting_for": f"an outside agent to call for {title} over the API: the order is in manual mode",
        "since": since,
        "until": When(step.due_at, _clock(step)) if step.due_at else None,
        "next": f"The call has {step.queue} do it; if nobody calls by then a person is asked.",
    }


def _scheduled(situation: Situation, step: OpenStep) -> Fields:
    code = str((step.error or {}).get("code", ""))
    title = situation.title(step.node)
    since = When(step.started_at, Clock.DATABASE) if step.started_at else None
    if code == "snoozed" and step.due_clock == Clock.BUSINESS:
        since = When(situation.last_move.at) if situation.last_move else since
        return {
            "wait": Wait.PERMITTED_TIME,
            "waiting_for": f"a time at which the customer may be contacted{_because(step)}",
            "since": since,
            "next": f"Then {title} makes the attempt, if the contact policy still permits it at that moment.",
        }
    if code == "snoozed":
        return {
            "wait": Wait.LOOK_AGAIN,
            "waiting_for": f"{title} to look again{_because(step)}",
            "since": since,
            "next": f"Then {title} runs again; that costs no retry.",
        }
    if code and step.tries:
        return {
            "wait": Wait.RETRY,
            "waiting_for": f"retry {step.tries} of {title} after a fault{_because(step)} [{code}]",
            "since": since,
            "next": "Then it is tried again; once its retries are used up, "
            f"{_after_failure(situation, step)}.",
        }
    return _time_set(situation, step)


def _time_set(situation: Situation, step: OpenStep) -> Fields:
    """A step that was created for a later time."""
    order, title = situation.order, situation.title(step.node)
    known = situation.workflow.steps.get(step.node)
    not_before = known.not_before if known else None
    since = When(situation.last_move.at) if situation.last_move else When(step.created_at, Clock.DATABASE)
    if order is not None and order.status is State.WAITING_FOLLOWUP:
        return {
            "wait": Wait.FOLLOWUP,
            "waiting_for": f"the follow-up time ({title})",
            "since": since,
            "next": f"Then round {order.round + 1} begins and the customer is contacted again; "
            f"an answer that comes earlier counts at once.{rule_in_words(order)}",
        }
    if order is not None and order.status is State.NO_RESPONSE:
        return {
            "wait": Wait.NEXT_ATTEMPT,
            "waiting_for": f"the next time at which the customer may be contacted ({title}), "
            f"after {_last_result(situation)}",
            "since": since,
            "next": f"Then attempt {order.contact_count + 1} of {order.max_contacts} begins.",
        }
    if order is not None and not_before == "action_not_before":
        return {
            "wait": Wait.UNDO_WINDOW,
            "waiting_for": "the undo window of the cancellation to pass",
            "since": since,
            "next": f"Then {title} carries out {_action_of(order)}, unless "
            f"`unpend task undo {order.task_id} --reason …` takes it back before: then a person decides the order.",
        }
    kind = "its time to pass" if step.kind == Kind.WAIT else "the time set for it"
    return {
        "wait": Wait.TIME,
        "waiting_for": f"{title}: {kind}",
        "since": since,
        "next": "Then what follows it begins." if step.kind == Kind.WAIT else f"Then {title} begins.",
    }


def _after_silence(order: Order, contact: Contact) -> str:
    if contact.contact_no < order.max_contacts:
        return f"no answer leads to attempt {contact.contact_no + 1}"
    return "no answer closes the task as contact_failed, for this is the last attempt"


def _after_failure(situation: Situation, step: OpenStep) -> str:
    known = situation.workflow.steps.get(step.node)
    target = (known.on_error if known else None) or situation.workflow.on_error
    if target is None or target == step.node:
        return "the run fails"
    return f"{situation.title(target)} follows"


def _last_result(situation: Situation) -> str:
    contact = situation.contact
    if contact is None:
        return "an attempt that reached nobody"
    channel = CHANNELS.get(contact.contact_method, contact.contact_method)
    result = RESULTS.get(contact.contact_result, contact.contact_result)
    return f"attempt {contact.contact_no} ({channel}: {result})"


def _action_of(order: Order) -> str:
    try:
        action = INTENTS[Level2(str(order.user_intent_l2))].action
    except ValueError:
        action = None
    return action or "it"


def _because(step: OpenStep) -> str:
    message = str((step.error or {}).get("message", "")).rstrip(".。")
    return f" ({message})" if message else ""


def _ahead(step: OpenStep) -> str:
    if step.ahead is None:
        return "its place in line unknown"
    if step.ahead == 0:
        return "first in line"
    return f"{step.ahead} row{'' if step.ahead == 1 else 's'} ahead of it"


def _clock(step: OpenStep) -> Clock:
    return Clock(step.due_clock) if step.due_clock else Clock.BUSINESS


def _is_due(situation: Situation, step: OpenStep) -> bool:
    moments = situation.moments
    now = moments.database_now if _clock(step) is Clock.DATABASE else moments.business_now
    return step.due_at is not None and step.due_at - now <= timedelta()
