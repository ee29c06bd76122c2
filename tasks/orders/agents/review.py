"""Opens reviews, and applies people's decisions."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.actions import Entering, Resumption
from engine.outcomes import Done, Outcome, Park
from runtime.clock import Clock
from schemas.core.effects import Effect
from schemas.orders.effects import Audit, Move, OrderNoted
from schemas.orders.step_inputs import ReviewInput, StepError
from schemas.outbound.effects import ProductEvent
from schemas.outbound.product_events import ProductEventType
from schemas.people.effects import AlertRaised
from statemachine.orders.guards import Facts
from statemachine.orders.intents import INTENTS, Level1, Level2
from statemachine.orders.machine import transition
from statemachine.orders.states import Event, State
from storage.orders.order import Order
from tasks.orders.rules.traces import audit, product_event

_RESUMES: Final = "orchestrator"
_WHEN: Final = ("followup_at", "followup_days", "followup_rule", "visit_at")
"""What a person may say about time; it is kept as it was said."""


def ask_person(entering: Entering) -> Sequence[Effect]:
    """What is recorded when a question to a person is opened."""
    about = ReviewInput.of(entering.input)
    error = about.error or StepError()
    reason = error.code or about.review_reason or entering.node
    return (
        Audit(
            task_id=str(entering.subject_id),
            event_type="review_opened",
            agent_id=_RESUMES,
            action=entering.node,
            metadata={"reason": reason, "message": error.message},
        ),
        ProductEvent(
            execution_id=entering.run_id,
            task_id=entering.subject_id,
            event_type=ProductEventType.REVIEW_OPENED.value,
            stage=ProductEventType.REVIEW_OPENED.stage.value,
            title=ProductEventType.REVIEW_OPENED.value,
            status="waiting",
            interrupt_id=entering.interrupt_id,
            until=entering.until,
        ),
    )


def decide(_: object, resumption: Resumption) -> Outcome:
    """Return the outcome of a person's decision, or of a deadline that has passed.

    Raises:
        IllegalTransition: the order's state does not allow this decision; the question stays open.
    """
    if resumption.signal.get("type") == "deadline":
        return _overdue(resumption)
    order: Order = resumption.subject
    match resumption.signal.get("decision"):
        case "classify":
            return _classified(resumption, order)
        case "recontact":
            return _moved(resumption, order, Event.REVIEW_RECONTACT, {})
        case "close":
            return _moved(resumption, order, Event.REVIEW_CLOSE, {"finish_reason": "closed_by_person"})
        case _:
            return Done(output=resumption.signal, effects=(_line(resumption),))


def _overdue(resumption: Resumption) -> Park:
    """Nobody decided in time: say so once, and go on waiting."""
    return Park(
        until=None,
        clock=Clock.BUSINESS,
        reason="review overdue",
        effects=(
            AlertRaised(
                alert_type="review_overdue",
                severity="warning",
                message="人工复核超过时限仍未处理",
                task_id=resumption.step.subject_id,
                metadata={"step": resumption.step.node},
            ),
        ),
    )


def _classified(resumption: Resumption, order: Order) -> Done:
    signal = resumption.signal
    level2 = Level2(signal["intent_level2"])
    level1 = INTENTS[level2].level1
    changes = {"user_intent_l1": level1.value, "user_intent_l2": level2.value}
    effect: Effect
    if order.status is State.CLASSIFIED:
        effect = OrderNoted(task_id=order.task_id, changes=changes)
    else:
        move = Move(
            task_id=order.task_id,
            event=Event.TRIAGE_COMPLETE,
            agent_id=str(signal["decided_by"]),
            decided_by_person=True,
            changes=changes,
            metadata={"level2": level2.value},
        )
        _check(resumption, order, move)
        effect = move
    return Done(
        output={
            **{
                k: v
                for k, v in resumption.step.input.items()
                if k in ("contact_id", "visit_at", "date_words")
            },
            "decision": "classify",
            "intent_level1": level1.value,
            "intent_level2": level2.value,
            **_followup(signal, resumption.step.input, level2),
            "visit_at": signal.get("visit_at") or resumption.step.input.get("visit_at"),
            "action_not_before": signal.get("action_not_before"),
            "decided_by": signal["decided_by"],
        },
        effects=(
            effect,
            _line(resumption),
            product_event(resumption.step, ProductEventType.REVIEW_DECIDED, "running"),
        ),
    )


def _followup(signal: Mapping[str, Any], read: Mapping[str, Any], level2: Level2) -> dict[str, Any]:
    """When to contact the customer again: as decided, else as read in their words, else the intent's days."""
    days = signal.get("followup_days")
    read_by_default = read.get("followup_by_default", read.get("followup_days") is not None)
    decided = signal.get("followup_at") or (signal.get("default_followup_at") if days else None)
    read_at = read.get("followup_at")
    at = decided or read_at
    if at is None and INTENTS[level2].level1 is Level1.POSTPONE:
        at = signal.get("default_followup_at")
    return {
        "followup_at": at,
        "followup_days": days or INTENTS[level2].followup_days,
        "followup_by_default": decided is None and (read_at is None or bool(read_by_default)),
        "followup_rule": signal.get("followup_rule"),
    }


def _moved(resumption: Resumption, order: Order, event: Event, changes: Mapping[str, object]) -> Done:
    move = Move(
        task_id=order.task_id,
        event=event,
        agent_id=str(resumption.signal["decided_by"]),
        decided_by_person=True,
        reason=resumption.signal.get("reason"),
        changes=changes,
        metadata={"reason": resumption.signal.get("reason")},
    )
    _check(resumption, order, move)
    closes = event is Event.REVIEW_CLOSE
    return Done(
        output={"decision": resumption.signal["decision"], "decided_by": resumption.signal["decided_by"]},
        effects=(
            move,
            _line(resumption),
            product_event(
                resumption.step,
                ProductEventType.TASK_CLOSED if closes else ProductEventType.REVIEW_DECIDED,
                "ready" if closes else "running",
                "closed_by_person" if closes else "recontact",
            ),
        ),
    )


def _check(resumption: Resumption, order: Order, move: Move) -> None:
    """Refuse at once what the table would refuse, so that the person is told and the question stays open."""
    transition(
        order.status,
        move.event,
        Facts(
            contact_count=order.contact_count,
            max_contacts=order.max_contacts,
            confidence=order.confidence,
            decided_by_person=True,
            next_contact_time=order.next_contact_time,
            now=resumption.moments.business_now,
            review_open=True,
            reason=move.reason,
        ),
    )


def _line(resumption: Resumption) -> Audit:
    signal = resumption.signal
    return audit(
        resumption.step,
        "review_decided",
        str(signal["decided_by"]),
        str(signal["decision"]),
        reason=signal.get("reason"),
        intent_level2=signal.get("intent_level2"),
        **{name: signal[name] for name in _WHEN if signal.get(name)},
    )
