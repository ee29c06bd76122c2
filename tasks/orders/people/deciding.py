"""Applies a person's decision to the waiting step: once, with the same answer when repeated."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from engine.engine import Engine
from engine.outcomes import SignalResult
from statemachine.orders.intents import INTENTS, Level1, Level2
from storage.core.unit_of_work import UnitOfWork
from storage.engine.steps import Steps
from storage.orders.labels import Labels
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders
from storage.people.reviews import Review, Reviews
from tasks.orders.agents.action_request import APPROVAL_REQUIRED
from tasks.orders.people.labelling import label_of
from tasks.orders.rules.agreement import postponed
from tasks.orders.rules.context import Context

APPROVAL_REQUESTED: Final = "approval_requested"
"""The audit line of an agent that asked a person to agree to an action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided, and why."""

    decision: str
    decided_by: str
    reason: str | None = None
    intent_level2: Level2 | None = None
    followup_at: datetime | None = None
    followup_days: int | None = None
    followup_rule: Mapping[str, Any] | None = None
    """As the API takes it, its expression checked."""
    visit_at: datetime | None = None


class Decided(StrEnum):
    """What became of a decision."""

    APPLIED = "applied"
    REPEATED = "repeated"
    """The same decision was made before; nothing was done twice."""
    OTHERWISE = "otherwise"
    """It was decided otherwise before, or withdrawn."""
    CLAIMED = "claimed"
    """Another person has taken it; nothing was changed."""
    OWN = "own"
    """Whoever asked for the approval does not give it; nothing was changed."""
    UNKNOWN = "unknown"


def decide(
    engine: Engine, context: Context, review_id: str, decision: Decision
) -> tuple[Decided, Review | None]:
    """Answer a review.

    Raises:
        UnknownDecision: the review does not offer this decision.
        IllegalTransition: the order's state does not allow it; the review stays open.
    """
    with engine.transaction() as transaction:
        work = transaction.work
        review = _lock(work, review_id)
        if review is None:
            return Decided.UNKNOWN, None
        signal = _signal(decision)
        if review.state != "open":
            same = review.decision is not None and _meaning(review.decision) == _meaning(signal)
            return (Decided.REPEATED if same else Decided.OTHERWISE), review
        if review.claimed_by not in (None, decision.decided_by):
            return Decided.CLAIMED, review
        if _asked_for_by(work, review) == decision.decided_by:
            return Decided.OWN, review
        if decision.intent_level2 and review.task_id:
            signal["default_followup_at"] = _default_followup(
                context, transaction.moments.business_now, Orders(work).find([review.task_id])[review.task_id],
                decision.intent_level2, decision.followup_days,
            )  # fmt: skip
            signal["action_not_before"] = _undo_until(
                context, transaction.moments.business_now, decision.intent_level2
            )
        verdicts = transaction.complete({review.step_id: signal})
        if verdicts.get(review.step_id) is not SignalResult.APPLIED:
            return Decided.OTHERWISE, review
        Reviews(work).decide(review_id, decision.decided_by, signal)
        if decision.intent_level2:
            label = label_of(work, review, decision.intent_level2, decision.decided_by)
            Labels(work).keep([label] if label else [])
        return Decided.APPLIED, Reviews(work).find(review_id)


def _lock(work: UnitOfWork, review_id: str) -> Review | None:
    """The review, locked behind its step as everywhere, so that no claim comes between the look and the answer."""
    review = Reviews(work).find(review_id)
    if review is None:
        return None
    Steps(work).lock([review.step_id])
    return Reviews(work).lock(review_id)


def _asked_for_by(work: UnitOfWork, review: Review) -> str | None:
    """Who asked for the approval that this review is to give; `None` for any other review."""
    if review.task_id is None or review.reason != APPROVAL_REQUIRED:
        return None
    asked = OrderView(work).last_audit_line(review.task_id, APPROVAL_REQUESTED)
    return asked.by if asked is not None and asked.metadata.get("review_id") == review.review_id else None


def _signal(decision: Decision) -> dict[str, Any]:
    return {
        "decision": decision.decision,
        "decided_by": decision.decided_by,
        "reason": decision.reason,
        "intent_level2": decision.intent_level2.value if decision.intent_level2 else None,
        "followup_at": decision.followup_at.isoformat() if decision.followup_at else None,
        "followup_days": decision.followup_days,
        "followup_rule": dict(decision.followup_rule) if decision.followup_rule else None,
        "visit_at": decision.visit_at.isoformat() if decision.visit_at else None,
    }


def _meaning(signal: Any) -> tuple[object, ...]:
    names = ("decision", "intent_level2", "followup_at", "followup_days", "followup_rule", "visit_at")
    return tuple(signal.get(name) for name in names)


def _undo_until(context: Context, now: datetime, level2: Level2) -> str | None:
    """Until when a cancellation that a person decided can be taken back, as one that the customer's words led to."""
    is_cancelled = INTENTS[level2].level1 is Level1.TERMINATE
    return (now + context.policy.undo_window).isoformat() if is_cancelled else None


def _default_followup(
    context: Context, now: datetime, order: Any, level2: Level2, named: int | None
) -> str | None:
    days = named or INTENTS[level2].followup_days
    return None if days is None else postponed(context, order, days, now, []).isoformat()
