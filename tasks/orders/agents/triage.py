"""The triage agent: classifies the customer's words, and decides whether a person must review."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from engine.actions import ActionDeclaration, Batch, EffectClass
from engine.outcomes import Done, Outcome
from schemas.core.effects import Effect
from schemas.orders.effects import Move, OrderNoted
from schemas.orders.step_inputs import AnswerInput, GivenClassification
from schemas.outbound.product_events import ProductEventType
from schemas.people.effects import AlertRaised
from schemas.people.why import Why, WhyCode, documents_of
from statemachine.orders.guards import LOWEST_CONFIDENCE
from statemachine.orders.intents import INTENTS, Level1, Level2
from statemachine.orders.states import Event
from storage.core.unit_of_work import UnitOfWork
from storage.engine.steps import StepRow
from storage.orders.contacts.contact import Contact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order import Order
from storage.orders.orders import Orders
from tasks.orders.agents.caller_classification import GIVEN_BY_CALLER, caller_classification
from tasks.orders.agents.second_opinion import Reading, reconsidered
from tasks.orders.agents.understanding import (
    CLASSIFY,
    VALIDATE,
    classify_text,
    each_text,
    validate_classification,
)
from tasks.orders.rules.agreement import agree
from tasks.orders.rules.context import Context
from tasks.orders.rules.flags import effects_of_flags
from tasks.orders.rules.reasons import question_input
from tasks.orders.rules.traces import audit, product_event
from tools.classifier.classifier import Classification
from tools.limits import TOOLS
from tools.policies.shadow_mode import REASON as SHADOWED

AGENT: Final = "triage_agent"


@dataclass(frozen=True, slots=True)
class Reply:
    """An order and the contact in which the customer spoke."""

    order: Order
    contact: Contact
    past: list[datetime]
    given: GivenClassification | None = None
    """The classification that the caller of a manual order's step made."""

    @property
    def words(self) -> str:
        """What the customer said, as the agent who spoke with them noted it, else as transcribed."""
        return self.contact.user_feedback or self.contact.transcript or ""


def load_replies(_: object, work: UnitOfWork, steps: Sequence[StepRow]) -> Mapping[int, Reply]:
    """The orders of these steps with the contact that their input names."""
    ids = [step.subject_id for step in steps if step.subject_id]
    orders, history = Orders(work).find(ids), Contacts(work).history(ids)
    given = {step.step_id: AnswerInput.of(step.input) for step in steps}
    contacts = Contacts(work).by_ids([str(one.contact_id) for one in given.values()])
    return {
        step.step_id: Reply(
            orders[str(step.subject_id)],
            contacts[str(given[step.step_id].contact_id)],
            [past.at for past in history[str(step.subject_id)]],
            given[step.step_id].call.classification,
        )
        for step in steps
    }


def classify_intents(context: Context, batch: Batch) -> Mapping[int, Outcome]:
    """Classify what each customer of the batch said (seed step5)."""
    now = batch.moments.business_now
    readings = {step.step_id: _read(context, batch.subjects[step.step_id]) for step in batch.steps}
    found = reconsidered(context.language_model, readings)
    return {
        step.step_id: classify_intent(context, step, batch.subjects[step.step_id], found[step.step_id], now)
        for step in batch.steps
    }


def classify_intent(
    context: Context, step: StepRow, reply: Reply, found: Classification, now: datetime
) -> Outcome:
    """Return the outcome of a classification: by confidence, guards and shadow mode. Pure."""
    text, order = reply.words, reply.order
    level2 = found.level2
    agreement = agree(context, order, level2, text, now, reply.past)
    reasons = (*found.why, *((agreement.unclear,) if agreement.unclear else ()))
    accepted = found.confidence > LOWEST_CONFIDENCE
    shadowed = not reasons and _is_shadowed(context, reply, found)
    if shadowed:
        reasons = (Why(WhyCode.SHADOW_MODE, {"intent": level2, "confidence": found.confidence}),)
    contact_id = reply.contact.contact_id
    undo_until = now + context.policy.undo_window if INTENTS[level2].level1 is Level1.TERMINATE else None
    output = {
        "intent_level1": found.level1.value,
        "intent_level2": level2.value,
        "confidence": found.confidence,
        "requires_human_review": bool(reasons),
        "review_reason": _review_reason(accepted=accepted, shadowed=shadowed),
        **question_input(*reasons),
        "flags": [flag.value for flag in found.flags],
        "contact_id": contact_id,
        "model": found.model_hash,
        "suggested_action": INTENTS[level2].action,
        "action_not_before": undo_until,
        **agreement.as_output(),
    }
    effects = (
        *_effects(step, order, found, level2, reasons, accepted=accepted),
        *effects_of_flags(context, found.flags, order, contact_id),
    )
    return Done(output=output, effects=effects)


def _read(context: Context, reply: Reply) -> Reading:
    """How the caller of a manual order's step reads the words, else how the model does."""
    words, pending_reason = reply.words, _reason_of(reply.order)
    given = caller_classification(reply.given, words, pending_reason, context)
    found = given or context.classifier.classify(words, pending_reason=pending_reason)
    return Reading(text=words, pending_reason=pending_reason, found=found, is_own=given is None)


def _is_shadowed(context: Context, reply: Reply, found: Classification) -> bool:
    return found.model_hash != GIVEN_BY_CALLER and context.shadow_mode.takes(
        found.level2, task_id=reply.order.task_id, contact_id=reply.contact.contact_id
    )


def _review_reason(*, accepted: bool, shadowed: bool) -> str:
    if shadowed:
        return SHADOWED
    return "needs_confirmation" if accepted else "low_confidence"


def _effects(
    step: StepRow,
    order: Order,
    found: Classification,
    level2: Level2,
    reasons: Sequence[Why],
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
        why=documents_of(reasons),
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
            product_event(step, ProductEventType.INTENT_CLASSIFIED, "running", intent=level2.value),
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
        product_event(step, ProductEventType.INTENT_UNCLEAR, "waiting"),
    )


def _reason_of(order: Order) -> str | None:
    reason = order.metadata.get("pending_reason")
    return reason if isinstance(reason, str) else None


ACTIONS: Final[tuple[ActionDeclaration[Context], ...]] = (
    ActionDeclaration(
        name="triage.classify_intent",
        effect=EffectClass.PURE,
        retry=TOOLS["classify_intent"].retry,
        work_seconds=TOOLS["classify_intent"].timeout_seconds,
        load=load_replies,
        work=classify_intents,
        warm=lambda context: (context.classifier, context.language_model),
    ),
    ActionDeclaration(
        name="triage.classify_text",
        retry=TOOLS["classify_intent"].retry,
        work_seconds=TOOLS["classify_intent"].timeout_seconds,
        parameters=CLASSIFY,
        work=each_text(CLASSIFY, classify_text),
    ),
    ActionDeclaration(
        name="triage.validate_classification",
        retry=TOOLS["validate_classification"].retry,
        work_seconds=TOOLS["validate_classification"].timeout_seconds,
        parameters=VALIDATE,
        work=each_text(VALIDATE, validate_classification),
    ),
)
"""The triage agent's actions."""
