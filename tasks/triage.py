"""What the triage agent does: understands the customer's words, and says whether a person must look first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from engine.actions import Action, Batch, EffectClass
from engine.outcomes import Done, Outcome
from schemas.effects import AlertRaised, Effect, Move, OrderNoted
from statemachine.guards import LOWEST_CONFIDENCE
from statemachine.intents import INTENTS, Level1, Level2
from statemachine.states import Event
from storage.contacts import Contact
from storage.database import UnitOfWork
from storage.order import Order
from storage.steps import StepRow
from tasks.agreement import agree
from tasks.context import Context
from tasks.telling import audit, told
from tools.classifier.classifier import Classification
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
    text, order = heard.contact.transcript or "", heard.order
    found = context.classifier.classify(text, pending_reason=_reason_of(order))
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
