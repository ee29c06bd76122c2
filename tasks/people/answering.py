"""Answers a question of a general run: once enough people agree, its step ends with what they answered."""

from typing import Any

from engine.engine import Engine
from engine.outcomes import SignalResult
from engine.transaction import Transaction
from schemas.core.private_words import opened, sealed
from storage.access.system_audit import SystemAudit
from storage.people.answers import ReviewAnswers
from storage.people.reviews import Review, Reviews
from tasks.people.answers import (
    ANSWERED,
    Decided,
    GivenAnswer,
    agreement,
    lock,
    refusal,
    require_decision,
    require_form,
)


def answer(engine: Engine, review_id: str, given: GivenAnswer) -> tuple[Decided, Review | None]:
    """Answer a question in a transaction of its own.

    Raises:
        InvalidAnswer: it does not offer this decision, or asks for another form.
    """
    with engine.transaction() as transaction:
        review = lock(transaction.work, review_id)
        if review is None:
            return Decided.UNKNOWN, None
        return answer_within(transaction, review, given)


def answer_within(
    transaction: Transaction, review: Review, given: GivenAnswer
) -> tuple[Decided, Review | None]:
    """Answer a locked question; see `answer`."""
    work = transaction.work
    refused = refusal(work, review, given.by)
    if refused is not None:
        return refused, review
    if review.state != "open":
        same = review.decision is not None and _means(given) == _meaning(transaction, review, review.decision)
        return (Decided.REPEATED if same else Decided.OTHERWISE), review
    require_decision(review, given.decision)
    require_form(review, given.form)
    if review.quorum > 1 and _has_said_so(transaction, review, given):
        return Decided.REPEATED, review
    kept = GivenAnswer(
        decision=given.decision,
        by=given.by,
        note=given.note,
        form=sealed(given.form, review.form, review.run_id, work.cipher),
    )
    answers = agreement(work, review, kept, transaction.moments.business_now)
    if answers is not None:
        output: dict[str, Any] = {
            "decision": kept.decision,
            "by": kept.by.name,
            "note": kept.note,
            "form": dict(kept.form),
            "answers": [each.as_output for each in answers],
        }
        ended = transaction.complete({review.step_id: output})
        if ended.get(review.step_id) is not SignalResult.APPLIED:
            return Decided.OTHERWISE, review
        Reviews(work).decide(review.review_id, kept.by.name, output)
    detail = {
        "review_id": review.review_id,
        "execution_id": review.run_id,
        "decision": kept.decision,
        "note": kept.note,
        "decides": answers is not None,
    }
    SystemAudit(work).write(kept.by.name, ANSWERED, detail)
    result = Decided.COUNTED if answers is None else Decided.APPLIED
    return result, Reviews(work).find(review.review_id)


def _has_said_so(transaction: Transaction, review: Review, given: GivenAnswer) -> bool:
    """Whether this person's answer that counts is this one."""
    return any(
        each.person == given.by.name and _means(given) == _meaning(transaction, review, each.as_output)
        for each in ReviewAnswers(transaction.work).of(review.review_id)
    )


def _means(given: GivenAnswer) -> tuple[str, dict[str, Any]]:
    return given.decision, dict(given.form)


def _meaning(transaction: Transaction, review: Review, kept: Any) -> tuple[str, dict[str, Any]]:
    """What a kept answer says, private texts opened."""
    form = opened(kept.get("form") or {}, review.run_id, transaction.work.cipher)
    return str(kept["decision"]), form
