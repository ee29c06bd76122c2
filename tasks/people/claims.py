"""Claims of reviews: a person takes a review, so that no second one works on it, or releases it."""

from enum import StrEnum
from typing import Final

from schemas.orders.effects import Audit
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from storage.orders.orders import Orders
from storage.orders.timeline import Timeline
from storage.people.reviews import Review, Reviews

CLAIMED: Final = "review_claimed"
RELEASED: Final = "review_released"


class Claimed(StrEnum):
    """The result of claiming or releasing a review."""

    APPLIED = "applied"
    REPEATED = "repeated"
    """It was so before: taken by this person, whose claim is renewed, or taken by nobody."""
    TAKEN = "taken"
    """Another person has it; nothing was changed."""
    ENDED = "ended"
    """It is no longer open; nothing was changed."""
    UNKNOWN = "unknown"


def claim(database: Database, review_id: str, *, by: str) -> tuple[Claimed, Review | None]:
    """Take an open question; it holds for `storage.people.reviews.CLAIM_MINUTES`, then anyone may take it."""
    with database.transaction() as work:
        review = Reviews(work).lock(review_id)
        if review is None:
            return Claimed.UNKNOWN, None
        if review.state != "open":
            return Claimed.ENDED, review
        if review.claimed_by not in (None, by):
            return Claimed.TAKEN, review
        again = review.claimed_by == by
        review = Reviews(work).claim(review_id, by)
        if not again:
            _write_line(work, review, CLAIMED, by)
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
        _write_line(work, review, RELEASED, by)
        return Claimed.APPLIED, review


def _write_line(work: UnitOfWork, review: Review, what: str, by: str) -> None:
    detail: dict[str, object] = {"review_id": review.review_id, "reason": review.reason}
    if review.task_id is not None and Orders(work).find([review.task_id]):
        line = Audit(task_id=review.task_id, event_type=what, agent_id=by, action="review", metadata=detail)
        Timeline(work).audit([line])
    else:
        SystemAudit(work).write(by, what, detail | {"execution_id": review.run_id})
