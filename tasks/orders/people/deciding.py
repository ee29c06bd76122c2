"""Applies a person's decision to the waiting step: once, with the same answer when repeated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

from engine.engine import Engine
from engine.outcomes import SignalResult
from engine.transaction import Transaction
from schemas.core.private_words import sealed
from schemas.orders.reviews import DecisionMade
from statemachine.orders.intents import INTENTS, Level1, Level2
from storage.core.unit_of_work import UnitOfWork
from storage.orders.labels import Labels
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders
from storage.people.answers import Respondent
from storage.people.reviews import Review, Reviews
from tasks.orders.agents.action_request import APPROVAL_REQUIRED
from tasks.orders.people.labelling import label_of
from tasks.orders.rules.agreement import postponed
from tasks.orders.rules.context import Context
from tasks.people import answers
from tasks.people.answering import answer_within
from tasks.people.answers import (
    ANSWERED,
    Decided,
    GivenAnswer,
    agreement,
    lock,
    require_form,
)
from tasks.people.history import write_line

APPROVAL_REQUESTED: Final = "approval_requested"
"""The audit line of an agent that asked a person to agree to an action."""
_MEANING: Final = ("intent_level2", "followup_at", "followup_days", "followup_rule", "visit_at")
"""What makes two decisions of the same name the same."""


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
    form: Mapping[str, Any] = field(default_factory=dict)
    """What the question asks for beside the decision, where it has a form."""
    roles: frozenset[str] = frozenset()
    """What the person is who decides."""
    has_login: bool = False
    """Whether the key is the person's own."""

    @classmethod
    def of(cls, made: DecisionMade, by: Respondent) -> Self:
        """The decision that this person has sent."""
        rule = made.followup_rule
        return cls(
            decision=made.decision,
            decided_by=by.name,
            reason=made.reason,
            intent_level2=made.intent_level2,
            followup_at=made.followup_at,
            followup_days=made.followup_days,
            followup_rule=None if rule is None else rule.model_dump(mode="json", exclude_none=True),
            visit_at=made.visit_at,
            form=made.form,
            roles=by.roles,
            has_login=by.has_login,
        )

    @property
    def by(self) -> Respondent:
        """Who decides."""
        return Respondent(name=self.decided_by, roles=self.roles, has_login=self.has_login)


def decide(
    engine: Engine, context: Context, review_id: str, decision: Decision
) -> tuple[Decided, Review | None]:
    """Answer a review.

    Raises:
        UnknownDecision: the review does not offer this decision.
        InvalidAnswer: the question asks for another form.
        IllegalTransition: the order's state does not allow it; the review stays open.
    """
    with engine.transaction() as transaction:
        work = transaction.work
        review = lock(work, review_id)
        if review is None:
            return Decided.UNKNOWN, None
        return decide_within(transaction, context, review, decision)


def decide_within(
    transaction: Transaction, context: Context, review: Review, decision: Decision
) -> tuple[Decided, Review | None]:
    """Answer a locked review; see `decide`."""
    if review.task_id is None:
        return answer_within(transaction, review, _given(decision, decision.form))
    refused = refusal(transaction.work, review, decision)
    return (refused, review) if refused is not None else _apply(transaction, context, review, decision)


def refusal(work: UnitOfWork, review: Review, decision: Decision) -> Decided | None:
    """Why a locked review is not decided so; `None` when it is."""
    if review.state != "open":
        same = review.decision is not None and _meaning(review.decision) == _meaning(_signal(decision))
        return Decided.REPEATED if same else Decided.OTHERWISE
    refused = answers.refusal(work, review, decision.by)
    if refused is None and _asked_for_by(work, review) == decision.decided_by:
        return Decided.OWN
    return refused


def _apply(
    transaction: Transaction, context: Context, review: Review, decision: Decision
) -> tuple[Decided, Review | None]:
    """Keep the decision, and end the step by it once enough people have decided so."""
    work, signal = transaction.work, _signal(decision)
    if decision.intent_level2 and review.task_id:
        signal["default_followup_at"] = _default_followup(
            context, transaction.moments.business_now, Orders(work).find([review.task_id])[review.task_id],
            decision.intent_level2, decision.followup_days,
        )  # fmt: skip
        signal["action_not_before"] = _undo_until(
            context, transaction.moments.business_now, decision.intent_level2
        )
    require_form(review, decision.form)
    form = sealed(decision.form, review.form, review.run_id, work.cipher)
    if form:
        signal["form"] = form
    given = _given(decision, {**form, **{name: signal[name] for name in _MEANING}})
    agreed = agreement(work, review, given, transaction.moments.business_now, alike_in=_MEANING)
    if agreed is None:
        write_line(work, review, ANSWERED, decision.decided_by, {"decision": decision.decision})
        return Decided.COUNTED, Reviews(work).find(review.review_id)
    verdicts = transaction.complete({review.step_id: signal})
    if verdicts.get(review.step_id) is not SignalResult.APPLIED:
        return Decided.OTHERWISE, review
    Reviews(work).decide(review.review_id, decision.decided_by, signal)
    if decision.intent_level2:
        label = label_of(work, review, decision.intent_level2, decision.decided_by)
        Labels(work).keep([label] if label else [])
    return Decided.APPLIED, Reviews(work).find(review.review_id)


def _given(decision: Decision, form: Mapping[str, Any]) -> GivenAnswer:
    return GivenAnswer(decision=decision.decision, by=decision.by, note=decision.reason, form=form)


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
    return tuple(signal.get(name) for name in ("decision", *_MEANING))


def _undo_until(context: Context, now: datetime, level2: Level2) -> str | None:
    """Until when a cancellation that a person decided can be taken back, as one that the customer's words led to."""
    is_cancelled = INTENTS[level2].level1 is Level1.TERMINATE
    return (now + context.policy.undo_window).isoformat() if is_cancelled else None


def _default_followup(
    context: Context, now: datetime, order: Any, level2: Level2, named: int | None
) -> str | None:
    days = named or INTENTS[level2].followup_days
    return None if days is None else postponed(context, order, days, now, []).isoformat()
