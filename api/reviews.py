"""The routes for people: what waits for a decision, and deciding it (SPEC.md §6)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from api.authentication import requires
from api.errors import documented
from api.refusal import Refusal, unknown
from api.route import Route
from api.services import Caller, GivenParts
from schemas.http.error import Code
from schemas.http.reviews import DecisionMade, DecisionTaken, ReviewList, ReviewView
from schemas.intake import Identifier
from schemas.scopes import Scope
from storage.reviews import Review
from tasks.deciding import Decided, Decision, decide

router = APIRouter(prefix="/reviews", tags=["people"], route_class=Route)

ReviewId = Annotated[Identifier, Path(description="The review's id.")]


@router.get("", summary="What waits for a person", dependencies=[requires(Scope.READ)])
def list_reviews(
    parts: GivenParts,
    state: Annotated[Literal["open", "decided", "cancelled", "all"], Query()] = "open",
    task_id: Annotated[Identifier | None, Query(description="Of this order only.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ReviewList:
    """The longest waiting first."""
    with parts.database.transaction() as work:
        found = work.reviews.list(state=None if state == "all" else state, task_id=task_id, limit=limit)
    return ReviewList(reviews=[_view(review) for review in found])


@router.get(
    "/{review_id}",
    summary="A question to a person",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def find_review(review_id: ReviewId, parts: GivenParts) -> ReviewView:
    """What is asked, why, and which decisions it accepts."""
    with parts.database.transaction() as work:
        review = work.reviews.find(review_id)
    if review is None:
        raise unknown("review", review_id)
    return _view(review)


@router.post(
    "/{review_id}/decide",
    summary="Decide",
    dependencies=[requires(Scope.REVIEWS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def decide_review(
    review_id: ReviewId, body: DecisionMade, parts: GivenParts, caller: Caller
) -> DecisionTaken:
    """The order goes on from here. The same decision again answers 200; another one answers 409."""
    decision = Decision(
        decision=body.decision,
        decided_by=caller.agent_id,
        reason=body.reason,
        intent_level2=body.intent_level2,
        followup_at=body.followup_at,
        visit_at=body.visit_at,
    )
    outcome, review = decide(parts.engine, parts.context, review_id, decision)
    if review is None:
        raise unknown("review", review_id)
    if outcome is Decided.OTHERWISE:
        raise _decided_otherwise(review)
    return DecisionTaken(
        outcome="repeated" if outcome is Decided.REPEATED else "applied", review=_view(review)
    )


def _decided_otherwise(review: Review) -> Refusal:
    decision = (review.decision or {}).get("decision")
    return Refusal(
        Code.STATE_CONFLICT,
        f"the review was decided otherwise: '{decision}'"
        if decision
        else "the review no longer waits for this",
        details={"review_id": review.review_id, "review_state": review.state, "decision": decision},
    )


def _view(review: Review) -> ReviewView:
    return ReviewView(
        review_id=review.review_id,
        task_id=review.task_id,
        execution_id=review.run_id,
        step=review.node,
        reason=review.reason,
        question=review.question,
        context=dict(review.context),
        decisions=list(review.decisions),
        state=review.state,
        opened_at=review.opened_at,
        deadline_at=review.deadline_at,
        decided_at=review.decided_at,
        decided_by=review.decided_by,
        decision=None if review.decision is None else dict(review.decision),
    )
