"""What people answer to questions of any product: who may, what an answer carries, and when enough agree."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError

from schemas.core.parameters import problems_with
from schemas.core.problems import Problem, problems_of
from schemas.people.interrupts import AnswerPayload
from storage.core.bulk import dump_json
from storage.core.unit_of_work import UnitOfWork
from storage.engine.steps import Steps
from storage.people.answers import KeptAnswer, Respondent, ReviewAnswers
from storage.people.reviews import Review, Reviews

ANSWERED: Final = "review_answered"
"""The line of history of an answer."""
_SEALED: Final = '"enc1.'
"""How a sealed text begins; one that a person writes would be taken for ours."""


class Decided(StrEnum):
    """What became of an answer."""

    APPLIED = "applied"
    """The step has ended by it."""
    COUNTED = "counted"
    """It is kept; the question waits until enough people give the same answer."""
    REPEATED = "repeated"
    """The same answer was given before; nothing was done twice."""
    OTHERWISE = "otherwise"
    """It was decided otherwise before, or withdrawn."""
    CLAIMED = "claimed"
    """Another person has taken it; nothing was changed."""
    OWN = "own"
    """Whoever asked for the approval does not give it; nothing was changed."""
    NOT_THEIRS = "not_theirs"
    """It is for another person, or for people with another role; nothing was changed."""
    BARRED = "barred"
    """They began the run, or answered a question of it, so that another must answer this one; nothing was changed."""
    NEWS = "news"
    """Something has come since they were asked that a person should know first; nothing was changed."""
    UNKNOWN = "unknown"


class InvalidAnswer(ValueError):
    """The answer lacks something, or has what it may not; `problems` say what, field by field."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{each.field} {each.message}" for each in problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAnswer:
    """What one person answers."""

    decision: str
    by: Respondent
    note: str | None = None
    form: Mapping[str, Any] = field(default_factory=dict)


def given_answer(payload: Mapping[str, Any], by: Respondent) -> GivenAnswer:
    """The answer that a payload is: a decision, a note and a form.

    Raises:
        InvalidAnswer: it is something else.
    """
    try:
        read = AnswerPayload.model_validate(dict(payload))
    except ValidationError as error:
        raise InvalidAnswer(problems_of(error, "an answer")) from error
    return GivenAnswer(decision=read.decision, by=by, note=read.note, form=read.form)


def lock(work: UnitOfWork, review_id: str) -> Review | None:
    """The review, locked behind its step as everywhere, so that no claim comes between the look and the answer."""
    review = Reviews(work).find(review_id)
    if review is None:
        return None
    Steps(work).lock([review.step_id])
    return Reviews(work).lock(review_id)


def refusal(work: UnitOfWork, review: Review, by: Respondent) -> Decided | None:
    """Why this person may not answer a locked question; `None` when they may."""
    if not review.is_anybodys:
        may, barred = ReviewAnswers(work).permission(review.review_id, by)
        if not may:
            return Decided.NOT_THEIRS
        if barred:
            return Decided.BARRED
    taken = review.state == "open" and review.claimed_by not in (None, by.name)
    return Decided.CLAIMED if taken else None


def require_decision(review: Review, decision: str) -> None:
    """Accept a decision that the question offers.

    Raises:
        InvalidAnswer: it does not.
    """
    if decision not in review.decisions:
        offered = ", ".join(review.decisions)
        raise InvalidAnswer([Problem(field="decision", message=f"must be one of {offered}")])


def require_form(review: Review, form: Mapping[str, Any]) -> None:
    """Accept what an answer carries.

    Raises:
        InvalidAnswer: the question asks for something else.
    """
    schema = review.form or {"additionalProperties": False}
    problems = problems_with(form, schema, "form", "field of this form")
    if _SEALED in dump_json(form):
        problems.append(Problem(field="form", message="holds a text that reads as an encrypted one"))
    if problems:
        raise InvalidAnswer(problems)


def agreement(
    work: UnitOfWork, review: Review, given: GivenAnswer, now: datetime, *, alike_in: Collection[str] = ()
) -> Sequence[KeptAnswer] | None:
    """Keep an answer to a locked question; all of them once enough people agree, `None` before.

    What somebody answers again replaces what they answered before: people who disagree may come to agree.

    Args:
        work: Where it is kept.
        review: The question.
        given: The answer; what its form holds that is private is sealed.
        now: The business time.
        alike_in: What of the form those must give alike who agree; the rest is each one's own.

    Raises:
        InvalidAnswer: the question does not offer this decision.
    """
    if review.quorum == 1:
        return [
            KeptAnswer(
                person=given.by.name, decision=given.decision, note=given.note, form=given.form, at=now
            )
        ]
    require_decision(review, given.decision)
    answers = ReviewAnswers(work)
    answers.keep(review.review_id, given.by.name, given.decision, given.note, given.form)
    kept = answers.of(review.review_id)
    agree = [
        each
        for each in kept
        if each.decision == given.decision
        and all(each.form.get(name) == given.form.get(name) for name in alike_in)
    ]
    if len(agree) >= review.quorum:
        return kept
    if review.claimed_by == given.by.name:
        # The next person is to answer, not this one again.
        Reviews(work).free(review.review_id)
    return None
