"""What the triage agent does: understands the customer's words, and says whether a person must look first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from engine.actions import Action, Batch, EffectClass
from engine.outcomes import Done, Outcome
from schemas.effects import AlertRaised, Effect, Move, OrderNoted
from statemachine.guards import LOWEST_CONFIDENCE
from statemachine.intents import INTENTS, Level1, Level2
from statemachine.states import Event
from storage.contacts import Contact
from storage.order import Order
from storage.steps import StepRow
from storage.unit_of_work import UnitOfWork
from tasks.agreement import agree
from tasks.context import Context
from tasks.telling import audit, told
from tasks.understanding import CLASSIFY, VALIDATE, classify_text, each_text, validate_classification
from tools.classifier.classifier import Classification
from tools.classifier.guards import AUTOMATIC_CONFIDENCE, CANCEL_CONFIDENCE
from tools.limits import TOOLS

AGENT: Final = "triage_agent"


@dataclass(frozen=True, slots=True)
class Heard:
    """An order and the contact in which the customer spoke."""

    order: Order
    contact: Contact
    past: list[datetime]


def actions(context: Context) -> tuple[Action, ...]:
    """The triage agent's actions."""
    return (
        Action(
            name="triage.classify_intent",
            effect=EffectClass.PURE,
            retry=TOOLS["classify_intent"].retry,
            load=load_heard,
            work=partial(classify_intents, context),
        ),
        Action(
            name="triage.classify_text",
            retry=TOOLS["classify_intent"].retry,
            parameters=CLASSIFY,
            work=lambda batch: each_text(batch, CLASSIFY, partial(classify_text, context.classifier)),
        ),
        Action(
            name="triage.validate_classification",
            retry=TOOLS["validate_classification"].retry,
            parameters=VALIDATE,
            work=lambda batch: each_text(
                batch, VALIDATE, partial(validate_classification, context.classifier)
            ),
        ),
    )


def load_heard(work: UnitOfWork, steps: Sequence[StepRow]) -> Mapping[int, Heard]:
    """The orders of these steps with the contact that their input names."""
    ids = [step.subject_id for step in steps if step.subject_id]
    orders, history = work.orders.find(ids), work.contacts.history(ids)
    contacts = work.contacts.by_ids([str(step.input.get("contact_id")) for step in steps])
    return {
        step.step_id: Heard(
            orders[str(step.subject_id)],
            contacts[str(step.input["contact_id"])],
            [past.at for past in history[str(step.subject_id)]],
        )
        for step in steps
    }


def classify_intents(context: Context, batch: Batch) -> Mapping[int, Outcome]:
    """Classify what each customer of the batch said (seed step5)."""
    now = batch.moments.business_now
    return {
        step.step_id: classify_intent(context, step, batch.subjects[step.step_id], now)
        for step in batch.steps
    }


def classify_intent(context: Context, step: StepRow, heard: Heard, now: datetime) -> Outcome:
    """The intent, its confidence, and the whole verdict of confidence and guards. Pure."""
    text, order = heard.contact.user_feedback or heard.contact.transcript or "", heard.order
    found = _given(step.call) or context.classifier.classify(text, pending_reason=_reason_of(order))
    level2 = found.level2
    agreement = agree(context, order, level2, text, now, heard.past)
    reasons = (*found.reasons, *((agreement.unclear,) if agreement.unclear else ()))
    accepted = found.confidence > LOWEST_CONFIDENCE
    undo_until = now + context.policy.undo_window if INTENTS[level2].level1 is Level1.TERMINATE else None
    output = {
        "intent_level1": found.level1.value,
        "intent_level2": level2.value,
        "confidence": found.confidence,
        "requires_human_review": bool(reasons),
        "review_reason": "low_confidence" if not accepted else "needs_confirmation",
        "review_message": "；".join(reasons),
        "flags": [flag.value for flag in found.flags],
        "contact_id": heard.contact.contact_id,
        "suggested_action": INTENTS[level2].action,
        "action_not_before": undo_until,
        **agreement.as_output(),
    }
    return Done(output=output, effects=_effects(step, order, found, level2, reasons, accepted=accepted))


def _given(call: Mapping[str, Any]) -> Classification | None:
    """The classification that the caller of a manual order's step made; held to the same confidences."""
    given = call.get("classification")
    if not isinstance(given, Mapping):
        return None
    level2, confidence = Level2(given["level2_intent"]), round(float(given["confidence"]), 4)
    level1 = INTENTS[level2].level1
    needed = CANCEL_CONFIDENCE if level1 is Level1.TERMINATE else AUTOMATIC_CONFIDENCE
    reasons = []
    if confidence < needed:
        reasons.append(f"调用方给出的置信度 {confidence:.0%} 低于 {needed:.0%}")
    if INTENTS[level2].action is None:
        reasons.append("调用方认为意图不明确")
    return Classification(
        level1=level1,
        level2=level2,
        confidence=confidence,
        requires_human_review=bool(reasons),
        flags=(),
        reasons=tuple(reasons),
        model_hash="given by the caller",
    )


def _effects(
    step: StepRow,
    order: Order,
    found: Classification,
    level2: Level2,
    reasons: Sequence[str],
    *,
    accepted: bool,
) -> tuple[Effect, ...]:
    changes = {
        "user_intent_l1": found.level1.value,
        "user_intent_l2": level2.value,
        "confidence": found.confidence,
    }
    line = audit(
        step,
        "intent_classified",
        AGENT,
        "classify_intent",
        **changes,
        flags=[flag.value for flag in found.flags],
        model=found.model_hash[:12],
        requires_human_review=bool(reasons),
        reasons=list(reasons),
    )
    if accepted:
        move = Move(
            task_id=order.task_id,
            event=Event.TRIAGE_COMPLETE,
            agent_id=AGENT,
            changes=changes,
            metadata={"confidence": found.confidence, "level2": level2.value},
        )
        return (
            move,
            line,
            told(step, "intent_classified", "triage", f"识别意图: {level2.value}", "running"),
        )
    alert = AlertRaised(
        alert_type="low_confidence",
        severity="warning",
        message=f"意图识别置信度不高于 {LOWEST_CONFIDENCE:.0%}",
        task_id=order.task_id,
        metadata={"confidence": found.confidence, "classified_intent": found.level1.value},
    )
    return (
        OrderNoted(task_id=order.task_id, changes=changes),
        line,
        alert,
        told(step, "intent_unclear", "triage", "意图不明确, 转人工", "waiting"),
    )


def _reason_of(order: Order) -> str | None:
    reason = order.metadata.get("pending_reason")
    return reason if isinstance(reason, str) else None
