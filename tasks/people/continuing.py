"""The one way in which a question is answered, whatever brings the answer: the API, or a card in a messenger."""

from collections.abc import Mapping
from typing import Any, Final

from engine.engine import Engine
from statemachine.orders.machine import IllegalTransition
from statemachine.workflow.planner import UnknownDecision
from storage.people.answers import Respondent
from storage.people.reviews import Review
from tasks.forms import TaskForms
from tasks.people.answers import Decided, InvalidAnswer, lock

__all__ = ["NOT_ALLOWED", "Decided", "Respondent", "continue_with"]

NOT_ALLOWED: Final = (IllegalTransition, UnknownDecision, InvalidAnswer)
"""Raised where a question cannot be answered so as things stand; nothing was changed."""


def continue_with(
    engine: Engine,
    forms: TaskForms,
    interrupt_id: str,
    payload: Mapping[str, Any],
    by: Respondent,
    *,
    seen: int | None = None,
) -> tuple[Decided, Review | None]:
    """Answer a question; the run goes on from there, once as many people as it takes have given the same answer.

    Args:
        engine: Carries the run on.
        forms: The products, each with what its questions ask for.
        interrupt_id: The question.
        payload: As the question's `answer_schema` has it.
        by: Who answers, and as what.
        seen: What was known of the task when they were asked, as its form's `seen` counts it; `None` where they
            look at it as it is.

    Raises:
        InvalidAnswer: the payload is not what the question asks for.
        UnknownDecision, IllegalTransition: it cannot be decided so as things stand.
    """
    with engine.transaction() as transaction:
        work = transaction.work
        review = lock(work, interrupt_id)
        if review is None:
            return Decided.UNKNOWN, None
        form = forms.form_of(work, review)
        if seen is not None and review.state == "open" and form.seen(work, review) != seen:
            return Decided.NEWS, review
        return form.answer_within(transaction, review, payload, by)
