"""Held decisions: a decision waits for a few seconds, so that it can be undone, and is then applied by the tick."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from schemas.people.holds import HoldState
from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from storage.people.answers import Respondent
from storage.people.holds import HeldDecision, HeldDecisions, NewHold
from storage.people.reviews import TAKE_MINUTES, Review, Reviews
from tasks.forms import TaskForms
from tasks.people.answers import Decided, lock
from tasks.people.history import write_line

HELD: Final = "decision_held"
UNDONE: Final = "decision_undone"
MOST_UNDONE: Final = 50
"""Held decisions of one person that are shown at once."""


class Held(StrEnum):
    """What became of the wish to hold a decision, or to undo one that is held."""

    DONE = "done"
    REPEATED = "repeated"
    """It was so before: held under the same key, or undone."""
    STANDS = "stands"
    """Another decision on the question is held; nothing was changed."""
    REFUSED = "refused"
    """It cannot be decided so; `refused` says why, and nothing was changed."""
    TOO_LATE = "too_late"
    """It was applied; nothing was changed."""
    ANOTHERS = "anothers"
    """Another person has decided it so; nothing was changed."""
    NOTHING = "nothing"
    """No decision on it is held; nothing was changed."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class HoldResult:
    """What became of it, with the question and its hold as they stand."""

    outcome: Held
    review: Review | None = None
    hold: HeldDecision | None = None
    refused: Decided | None = None


def hold(
    database: Database,
    forms: TaskForms,
    review_id: str,
    payload: Mapping[str, Any],
    *,
    by: Respondent,
    key: str,
    seconds: float,
) -> HoldResult:
    """Hold a decision for so long; nothing acts before, and the question stays its holder's meanwhile.

    Raises:
        InvalidAnswer: the question does not offer this decision, or asks for another form.
    """
    with database.transaction() as work:
        review = lock(work, review_id)
        if review is None:
            return HoldResult(Held.UNKNOWN)
        holds = HeldDecisions(work)
        same = holds.under_key(review_id, key)
        if same is not None:
            outcome = Held.REPEATED if same.by == by.name else Held.ANOTHERS
            return HoldResult(outcome, review, same)
        form = forms.form_of(work, review)
        refused = form.refusal_of(work, review, payload, by)
        if refused is not None:
            return HoldResult(Held.REFUSED, review, refused=refused)
        in_force = holds.in_force(review_id)
        if in_force is not None:
            return HoldResult(Held.STANDS, review, in_force)
        held = holds.hold(
            NewHold(
                review_id=review_id,
                key=key,
                by=by,
                decision=str(payload["decision"]),
                payload=payload,
                seen=form.seen(work, review),
                seconds=seconds,
            )
        )
        review = hand_to(work, review, by.name)
        write_line(work, review, HELD, by.name, {"decision": held.decision, "hold_id": held.hold_id})
        return HoldResult(Held.DONE, review, held)


def undo_hold(database: Database, review_id: str, *, by: str, whoever_has_it: bool = False) -> HoldResult:
    """Undo the decision that is held; the question is its holder's again. Another's only with `whoever_has_it`."""
    with database.transaction() as work:
        review = lock(work, review_id)
        if review is None:
            return HoldResult(Held.UNKNOWN)
        last = HeldDecisions(work).last(review_id)
        if last is None or last.state is HoldState.REFUSED:
            return HoldResult(Held.NOTHING, review, last)
        if last.by != by and not whoever_has_it:
            return HoldResult(Held.ANOTHERS, review, last)
        if last.state is not HoldState.HELD:
            outcome = Held.REPEATED if last.state is HoldState.UNDONE else Held.TOO_LATE
            return HoldResult(outcome, review, last)
        undone = HeldDecisions(work).end(last.hold_id, HoldState.UNDONE)
        review = hand_to(work, review, last.by)
        write_line(work, review, UNDONE, by, {"decision": last.decision, "hold_id": last.hold_id})
        return HoldResult(Held.DONE, review, undone)


def held_by(database: Database, name: str) -> Sequence[tuple[HeldDecision, float]]:
    """What a person has decided and can undo, the newest first, each with the seconds it is held yet."""
    with database.transaction() as work:
        return HeldDecisions(work).of_person(name, MOST_UNDONE)


def last_hold(database: Database, review_id: str) -> HeldDecision | None:
    """The decision of a review that was held last, whatever became of it."""
    with database.transaction() as work:
        return HeldDecisions(work).last(review_id)


def hand_to(work: UnitOfWork, review: Review, holder: str) -> Review:
    """Let a locked question that waits be this person's, for as long as one that was just opened."""
    if review.state != "open" or review.claimed_by not in (None, holder):
        return review
    return Reviews(work).claim(review.review_id, holder, TAKE_MINUTES)
