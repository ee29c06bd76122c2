"""The routes of reviews: the questions that wait for people, and who has taken them (SPEC.md §6)."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query

from api.server.actor import actor
from api.server.authentication import requires
from api.server.cursor import Cursor, cursor_of, place_of
from api.server.errors import documented
from api.server.language import AskedLanguage
from api.server.refusal import Refusal, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.form import Text, in_utc
from schemas.core.identifier import Identifier
from schemas.core.language import Language
from schemas.core.private_words import masked
from schemas.people.reviews import (
    ClaimMade,
    ClaimTaken,
    ReviewList,
    ReviewView,
    WhyShown,
)
from storage.access.keys import Key
from storage.people.answers import Respondent
from storage.people.reviews import Review, Reviews
from tasks.people.answers import Decided
from tasks.people.claims import Claimed, claim, release
from tasks.people.review_question import ReviewQuestion

router = APIRouter(prefix="/reviews", tags=["people"], route_class=Route)

ReviewId = Annotated[Identifier, Path(description="The review's id.")]

_FORBIDDEN: Final = MappingProxyType(
    {
        Decided.OWN: "whoever asked for this approval does not give it; another person decides it",
        Decided.BARRED: "whoever began the run, or answered what this question names, does not answer it",
        Decided.NOT_THEIRS: "this question is for another person or role, with a key of their own",
    }
)


@router.get("", summary="What waits for a person", dependencies=[requires(Scope.READ)])
def list_reviews(
    parts: GivenParts,
    language: AskedLanguage,
    state: Annotated[
        Literal["open", "decided", "cancelled", "all"], Query(description="What became of them.")
    ] = "open",
    task_id: Annotated[Identifier | None, Query(description="Of this order only.")] = None,
    reason: Annotated[Text | None, Query(max_length=64, description="Asked for this reason only.")] = None,
    claimed: Annotated[bool | None, Query(description="Only those somebody has taken, or nobody.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Reviews a page may have.")] = 100,
    cursor: Cursor = None,
) -> ReviewList:
    """The longest waiting first, page by page."""
    with parts.database.transaction() as work:
        found = Reviews(work).list(
            state=None if state == "all" else state,
            task_id=task_id,
            reason=reason,
            claimed=claimed,
            after=place_of(cursor),
            limit=limit + 1,
        )
    page = found[:limit]
    more = len(found) > limit
    return ReviewList(
        reviews=[view_of(review, language) for review in page],
        next_cursor=cursor_of((page[-1].opened_at, page[-1].review_id)) if more else None,
    )


@router.post(
    "/{review_id}/claim",
    summary="Take a question",
    dependencies=[requires(Scope.REVIEWS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def claim_review(
    review_id: ReviewId, body: ClaimMade, parts: GivenParts, caller: Caller, language: AskedLanguage
) -> ClaimTaken:
    """Nobody else may decide it for 30 minutes. Taking it again renews that; another's answers 409.

    403 for whoever may not decide it.
    """
    return claimed(
        review_id, *claim(parts.database, review_id, by=respondent(caller, body.by)), language=language
    )


@router.post(
    "/{review_id}/release",
    summary="Give a question back",
    dependencies=[requires(Scope.REVIEWS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def release_review(
    review_id: ReviewId, body: ClaimMade, parts: GivenParts, caller: Caller, language: AskedLanguage
) -> ClaimTaken:
    """For whoever took it; with the scope `claims` for anyone. One that nobody has answers 200."""
    by = actor(caller, body.by)
    outcome, review = release(parts.database, review_id, by=by, whoever_has_it=Scope.CLAIMS in caller.scopes)
    return claimed(review_id, outcome, review, language=language)


def claimed(review_id: str, outcome: Claimed, review: Review | None, *, language: Language) -> ClaimTaken:
    """The answer to a claim, or to its end.

    Raises:
        Refusal: it was not taken.
    """
    if review is None:
        raise unknown("review", review_id)
    if refused := claim_refusal(outcome, review):
        raise refused
    return ClaimTaken(
        outcome="repeated" if outcome is Claimed.REPEATED else "applied", review=view_of(review, language)
    )


def claim_refusal(outcome: Claimed, review: Review) -> Refusal | None:
    """What is answered to a claim that was not taken; `None` where it was."""
    match outcome:
        case Claimed.TAKEN:
            return taken_refusal(review)
        case Claimed.HELD:
            return Refusal(
                Code.STATE_CONFLICT,
                "a decision on the review is held",
                details={"review_id": review.review_id, "review_state": review.state},
            )
        case Claimed.ENDED:
            return decided_otherwise(review)
        case Claimed.NOT_THEIRS:
            return refusal_of(Decided.NOT_THEIRS, review)
        case _:
            return None


def taken_refusal(review: Review) -> Refusal:
    """The 409 of a review that another person has taken."""
    return Refusal(
        Code.STATE_CONFLICT,
        f"the review is taken by '{review.claimed_by}'",
        details={
            "review_id": review.review_id,
            "review_state": review.state,
            "claimed_by": review.claimed_by,
            "claimed_at": in_utc(review.claimed_at) if review.claimed_at else None,
        },
    )


def decided_otherwise(review: Review) -> Refusal:
    """The 409 of a review that was decided otherwise, or no longer waits."""
    decision = (review.decision or {}).get("decision")
    return Refusal(
        Code.STATE_CONFLICT,
        f"the review was decided otherwise: '{decision}'"
        if decision
        else "the review no longer waits for this",
        details={
            "review_id": review.review_id,
            "review_state": review.state,
            "decision": decision,
            "decided_by": review.decided_by,
        },
    )


def refusal_of(outcome: Decided, review: Review) -> Refusal | None:
    """What is answered to an answer that was not taken; `None` where it was."""
    match outcome:
        case Decided.CLAIMED:
            return taken_refusal(review)
        case Decided.OTHERWISE:
            return decided_otherwise(review)
        case Decided.OWN | Decided.BARRED | Decided.NOT_THEIRS:
            return Refusal(
                Code.FORBIDDEN,
                _FORBIDDEN[outcome],
                details={
                    "review_id": review.review_id,
                    "roles": list(review.roles),
                    "person": review.person,
                    "not_by": list(review.not_by),
                },
            )
        case _:
            return None


def respondent(caller: Key, label: str | None) -> Respondent:
    """Who answers a question with this key."""
    return Respondent(name=actor(caller, label), roles=caller.roles, has_login=caller.user_id is not None)


def view_of(review: Review, language: Language, quoted: Callable[[Any], Any] | None = None) -> ReviewView:
    """The review as answers show it; `quoted` puts the customer's words where their places stand."""
    asked = ReviewQuestion.of(review, language, *([quoted] if quoted else []))
    return ReviewView(
        review_id=review.review_id,
        task_id=review.task_id,
        execution_id=review.run_id,
        step=review.node,
        reason=review.reason,
        question=asked.text,
        why=[WhyShown.of(why, language) for why in asked.why],
        context=quoted(review.context) if quoted else dict(review.context),
        decisions=list(review.decisions),
        state=review.state,
        opened_at=review.opened_at,
        deadline_at=review.deadline_at,
        decided_at=review.decided_at,
        decided_by=review.decided_by,
        decision=_decision_of(review),
        claimed_by=review.claimed_by,
        claimed_at=review.claimed_at,
        claimed_until=review.claimed_until,
    )


def _decision_of(review: Review) -> dict[str, Any] | None:
    """What was decided; of general work without the private texts of its form."""
    if review.decision is None:
        return None
    return dict(review.decision if review.task_id else masked(review.decision))
