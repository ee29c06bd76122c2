"""Claims of reviews: a person takes a review, so that no second one works on it, or releases it."""

from enum import StrEnum
from typing import Final

from storage.core.database import Database
from storage.people.answers import Respondent
from storage.people.holds import HeldDecisions
from storage.people.reviews import CLAIM_MINUTES, Review, Reviews
from storage.people.worklist import EVERYTHING, Worklist, WorklistFilter
from tasks.people.answers import Decided, refusal
from tasks.people.history import write_line

CLAIMED: Final = "review_claimed"
RELEASED: Final = "review_released"


class Claimed(StrEnum):
    """The result of claiming or releasing a review."""

    APPLIED = "applied"
    REPEATED = "repeated"
    """It was so before: taken by this person, whose claim is renewed, or taken by nobody."""
    TAKEN = "taken"
    """Another person has it; nothing was changed."""
    NOT_THEIRS = "not_theirs"
    """They may not answer it; nothing was changed."""
    HELD = "held"
    """A decision on it is held; nothing was changed."""
    ENDED = "ended"
    """It is no longer open; nothing was changed."""
    UNKNOWN = "unknown"


def claim(
    database: Database,
    review_id: str,
    *,
    by: Respondent,
    minutes: int = CLAIM_MINUTES,
    whoever_has_it: bool = False,
) -> tuple[Claimed, Review | None]:
    """Take an open question for so long, then anyone may take it; another person's only with `whoever_has_it`."""
    with database.transaction() as work:
        review = Reviews(work).lock(review_id)
        if review is None:
            return Claimed.UNKNOWN, None
        if review.state != "open":
            return Claimed.ENDED, review
        if refusal(work, review, by) in (Decided.NOT_THEIRS, Decided.BARRED):
            return Claimed.NOT_THEIRS, review
        before = review.claimed_by
        if before not in (None, by.name):
            if not whoever_has_it:
                return Claimed.TAKEN, review
            if HeldDecisions(work).in_force(review_id) is not None:
                return Claimed.HELD, review
        again = before == by.name
        review = Reviews(work).claim(review_id, by.name, minutes)
        if not again:
            write_line(work, review, CLAIMED, by.name, {"taken_from": before} if before else None)
        return (Claimed.REPEATED if again else Claimed.APPLIED), review


def release(
    database: Database, review_id: str, *, by: str, whoever_has_it: bool = False
) -> tuple[Claimed, Review | None]:
    """Give a question back; another person's only with `whoever_has_it`."""
    with database.transaction() as work:
        review = Reviews(work).lock(review_id)
        if review is None:
            return Claimed.UNKNOWN, None
        if review.state != "open":
            return Claimed.ENDED, review
        if review.claimed_by is None:
            return Claimed.REPEATED, review
        if review.claimed_by != by and not whoever_has_it:
            return Claimed.TAKEN, review
        if HeldDecisions(work).in_force(review_id) is not None:
            return Claimed.HELD, review
        review = Reviews(work).free(review_id)
        write_line(work, review, RELEASED, by)
        return Claimed.APPLIED, review


def take_next(database: Database, *, by: Respondent, chosen: WorklistFilter = EVERYTHING) -> Review | None:
    """Take the first question of the worklist that nobody has and this person may answer; `None` where there is none.

    `chosen` narrows the worklist first.

    One statement: of two who ask at once neither waits, and each gets another question.
    """
    with database.transaction() as work:
        review = Worklist(work).take_first(by, chosen)
        if review is not None:
            write_line(work, review, CLAIMED, by.name)
        return review
