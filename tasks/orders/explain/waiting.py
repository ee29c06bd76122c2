"""What an open step waits for, by its state: scheduled, ready, published, leased, parked, offered. Pure."""

from datetime import timedelta
from typing import Any

from runtime.clock import Clock
from schemas.orders.explain.sentence import Name, Named, Reasons, Sentence, SentenceCode, When, say
from schemas.people.why import why_in
from statemachine.orders.intents import INTENTS, Level2
from statemachine.orders.states import State
from statemachine.workflow.definition import Kind
from storage.orders.contacts.contact import Contact
from storage.orders.order import Order
from storage.orders.order_view import OpenStep
from tasks.orders.explain.explanation import Wait
from tasks.orders.explain.situation import Situation
from tasks.orders.rules.followup import rule_of

Fields = dict[str, Any]
"""The fields of an `Explanation` that a step decides."""


def scheduled(situation: Situation, step: OpenStep) -> Fields:
    """A step whose time has not come, or has just come."""
    fields = _scheduled(situation, step)
    if step.due_at is None:
        return fields
    fields["until"] = When(step.due_at, _clock(step))
    if _is_due(situation, step):
        fields["next"] = say(SentenceCode.TIME_HAS_COME, next=fields["next"])
    return fields


def ready(situation: Situation, step: OpenStep) -> Fields:
    """A row in PostgreSQL that is to be published when its queue has room."""
    return {
        "wait": Wait.ROOM,
        "waiting_for": say(SentenceCode.ROOM, queue=step.queue, place=_place(step)),
        "since": When(step.ready_at, Clock.DATABASE) if step.ready_at else None,
        "next": say(SentenceCode.PUBLISHED_NEXT, step=situation.title(step.node), queue=step.queue),
    }


def published(situation: Situation, step: OpenStep) -> Fields:
    """A row whose message was sent and not taken yet."""
    return {
        "wait": Wait.WORKER,
        "waiting_for": say(SentenceCode.WORKER, queue=step.queue, place=_place(step)),
        "since": When(step.published_at, Clock.DATABASE) if step.published_at else None,
        "next": say(SentenceCode.DONE_NEXT, step=situation.title(step.node)),
    }


def leased(situation: Situation, step: OpenStep) -> Fields:
    """A row that a worker holds, or held until it fell silent."""
    title = situation.title(step.node)
    is_held = step.expires_at is not None and step.expires_at > situation.moments.database_now
    holder = step.holder or say(SentenceCode.ITS_WORKER)
    return {
        "wait": Wait.RESULT,
        "waiting_for": say(
            SentenceCode.AT_WORK if is_held else SentenceCode.SILENT_WORKER, step=title, holder=holder
        ),
        "since": When(step.started_at, Clock.DATABASE) if step.started_at else None,
        "until": When(step.expires_at, Clock.DATABASE) if step.expires_at else None,
        "next": say(SentenceCode.LEASE_RENEWED if is_held else SentenceCode.GIVEN_TO_ANOTHER),
    }


def parked(situation: Situation, step: OpenStep) -> Fields:
    """A step that waits for something outside: a call's result, a reply, a signal."""
    order, contact = situation.order, situation.contact
    if order is not None and order.status is State.PENDING:
        return {
            "wait": Wait.START,
            "waiting_for": say(SentenceCode.START),
            "since": When(step.created_at, Clock.DATABASE),
            "next": say(SentenceCode.STARTED_NEXT, task=order.task_id),
        }
    until = When(step.due_at, _clock(step)) if step.due_at else None
    if order is None or contact is None or contact.step_id != step.step_id:
        return {
            "wait": Wait.SIGNAL,
            "waiting_for": say(SentenceCode.SIGNAL, step=situation.title(step.node), because=_because(step)),
            "since": When(step.started_at, Clock.DATABASE) if step.started_at else None,
            "until": until,
            "next": say(SentenceCode.SIGNAL_OR_DEADLINE),
        }
    attempt = say(
        SentenceCode.ATTEMPT,
        attempt=contact.contact_no,
        most=order.max_contacts,
        channel=Name(Named.CHANNEL, contact.contact_method),
        contact=contact.contact_id,
    )
    by_phone = contact.contact_method == "phone"
    return {
        "wait": Wait.CALL_RESULT if by_phone else Wait.ANSWER,
        "waiting_for": say(SentenceCode.CALL_RESULT if by_phone else SentenceCode.ANSWER, attempt=attempt),
        "since": When(contact.contact_time),
        "until": until,
        "next": say(
            SentenceCode.CALL_NEXT if by_phone else SentenceCode.ANSWER_NEXT,
            in_vain=_after_silence(order, contact),
        ),
    }


def offered(situation: Situation, step: OpenStep) -> Fields:
    """A manual order's step, which an outside agent is to call for (SPEC.md §6)."""
    return {
        "wait": Wait.CALLER,
        "waiting_for": say(SentenceCode.CALLER, step=situation.title(step.node)),
        "since": _since_last_move(situation, step),
        "until": When(step.due_at, _clock(step)) if step.due_at else None,
        "next": say(SentenceCode.CALLED_NEXT, queue=step.queue),
    }


def _scheduled(situation: Situation, step: OpenStep) -> Fields:
    code = str((step.error or {}).get("code", ""))
    title = situation.title(step.node)
    since = When(step.started_at, Clock.DATABASE) if step.started_at else None
    if code == "snoozed" and step.due_clock == Clock.BUSINESS:
        return {
            "wait": Wait.PERMITTED_TIME,
            "waiting_for": say(SentenceCode.PERMITTED_TIME, because=_because(step)),
            "since": When(situation.last_move.at) if situation.last_move else since,
            "next": say(SentenceCode.ATTEMPT_IF_PERMITTED, step=title),
        }
    if code == "snoozed":
        return {
            "wait": Wait.LOOK_AGAIN,
            "waiting_for": say(SentenceCode.LOOK_AGAIN, step=title, because=_because(step)),
            "since": since,
            "next": say(SentenceCode.RUNS_AGAIN, step=title),
        }
    if code and step.tries:
        return {
            "wait": Wait.RETRY,
            "waiting_for": say(
                SentenceCode.RETRY, tries=step.tries, step=title, because=_because(step), code=code
            ),
            "since": since,
            "next": say(SentenceCode.TRIED_AGAIN, after=_after_failure(situation, step)),
        }
    return _time_set(situation, step)


def _time_set(situation: Situation, step: OpenStep) -> Fields:
    """A step that was created for a later time."""
    order, title = situation.order, situation.title(step.node)
    known = situation.workflow.steps.get(step.node)
    not_before = known.not_before if known else None
    fields: Fields = {"since": _since_last_move(situation, step)}
    if order is not None and order.status is State.WAITING_FOLLOWUP:
        return fields | {
            "wait": Wait.FOLLOWUP,
            "waiting_for": say(SentenceCode.FOLLOWUP_TIME, step=title),
            "next": say(SentenceCode.ROUND_NEXT, round=order.round + 1, rule=_rule(order)),
        }
    if order is not None and order.status is State.NO_RESPONSE:
        return fields | {
            "wait": Wait.NEXT_ATTEMPT,
            "waiting_for": say(SentenceCode.NEXT_CONTACT_TIME, step=title, last=_last_result(situation)),
            "next": say(SentenceCode.ATTEMPT_NEXT, attempt=order.contact_count + 1, most=order.max_contacts),
        }
    if order is not None and not_before == "action_not_before":
        return fields | {
            "wait": Wait.UNDO_WINDOW,
            "waiting_for": say(SentenceCode.UNDO_WINDOW),
            "next": say(SentenceCode.UNDO_NEXT, step=title, action=_action_of(order), task=order.task_id),
        }
    is_wait = step.kind == Kind.WAIT
    return fields | {
        "wait": Wait.TIME,
        "waiting_for": say(SentenceCode.TIME_TO_PASS if is_wait else SentenceCode.TIME_SET, step=title),
        "next": say(SentenceCode.WHAT_FOLLOWS) if is_wait else say(SentenceCode.BEGINS_NEXT, step=title),
    }


def _since_last_move(situation: Situation, step: OpenStep) -> When:
    return When(situation.last_move.at) if situation.last_move else When(step.created_at, Clock.DATABASE)


def _rule(order: Order) -> Sentence | None:
    rule = rule_of(order)
    if rule is None:
        return None
    if rule.ended_by:
        return say(SentenceCode.RULE_ENDED, by=rule.ended_by)
    if rule.used == 1:
        return say(SentenceCode.RULE_USED_ONCE, rule=rule.rule.words)
    return say(SentenceCode.RULE_USED, rule=rule.rule.words, times=rule.used)


def _after_silence(order: Order, contact: Contact) -> Sentence:
    if contact.contact_no < order.max_contacts:
        return say(SentenceCode.ANOTHER_ATTEMPT, attempt=contact.contact_no + 1)
    return say(SentenceCode.NO_ATTEMPT)


def _after_failure(situation: Situation, step: OpenStep) -> Sentence:
    known = situation.workflow.steps.get(step.node)
    target = (known.on_error if known else None) or situation.workflow.on_error
    if target is None or target == step.node:
        return say(SentenceCode.RUN_FAILS)
    return say(SentenceCode.STEP_FOLLOWS, step=situation.title(target))


def _last_result(situation: Situation) -> Sentence:
    contact = situation.contact
    if contact is None:
        return say(SentenceCode.NOBODY_REACHED)
    return say(
        SentenceCode.LAST_RESULT,
        attempt=contact.contact_no,
        channel=Name(Named.CHANNEL, contact.contact_method),
        result=Name(Named.RESULT, contact.contact_result),
    )


def _action_of(order: Order) -> str | Sentence:
    try:
        action = INTENTS[Level2(str(order.user_intent_l2))].action
    except ValueError:
        action = None
    return action or say(SentenceCode.ITS_ACTION)


def _because(step: OpenStep) -> Sentence | None:
    error = step.error or {}
    message, why = str(error.get("message", "")).rstrip(".。"), why_in(error.get("why"))
    return say(SentenceCode.BECAUSE, reasons=Reasons(tuple(why), message)) if message or why else None


def _place(step: OpenStep) -> Sentence:
    match step.ahead:
        case None:
            return say(SentenceCode.PLACE_UNKNOWN)
        case 0:
            return say(SentenceCode.PLACE_FIRST)
        case 1:
            return say(SentenceCode.PLACE_SECOND)
        case rows:
            return say(SentenceCode.PLACE_AFTER, rows=rows)


def _clock(step: OpenStep) -> Clock:
    return Clock(step.due_clock) if step.due_clock else Clock.BUSINESS


def _is_due(situation: Situation, step: OpenStep) -> bool:
    moments = situation.moments
    now = moments.database_now if _clock(step) is Clock.DATABASE else moments.business_now
    return step.due_at is not None and step.due_at - now <= timedelta()
