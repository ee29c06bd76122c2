"""Claims of reviews: a person takes a review, so that no second one works on it, or releases it."""

from enum import StrEnum
from typing import Final

from storage.core.database import Database
from storage.people.answers import Respondent
from storage.people.reviews import Review, Reviews
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
    ENDED = "ended"
    """It is no longer open; nothing was changed."""
    UNKNOWN = "unknown"


def claim(database: Database, review_id: str, *, by: Respondent) -> tuple[Claimed, Review | None]:
    """Take an open question; it holds for `storage.people.reviews.CLAIM_MINUTES`, then anyone may take it."""
    with database.transaction() as work:
        review = Reviews(work).lock(review_id)
        if review is None:
            return Claimed.UNKNOWN, None
        if review.state != "open":
            return Claimed.ENDED, review
        if refusal(work, review, by) in (Decided.NOT_THEIRS, Decided.BARRED):
            return Claimed.NOT_THEIRS, review
        if review.claimed_by not in (None, by.name):
            return Claimed.TAKEN, review
        again = review.claimed_by == by.name
        review = Reviews(work).claim(review_id, by.name)
        if not again:
            write_line(work, review, CLAIMED, by.name)
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
        review = Reviews(work).claim(review_id, None)
        write_line(work, review, RELEASED, by)
        return Claimed.APPLIED, review
