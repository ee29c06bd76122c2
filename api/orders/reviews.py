"""The routes of a review that is about an order: what the customer said, and the decision (SPEC.md §6)."""

from contextlib import suppress
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Query

from api.orders.services import GivenOrdersParts
from api.people.reviews import ReviewId, refusal_of, respondent, view_of
from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.language import AskedLanguage
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts, RequestName
from runtime.cipher import UnreadableCiphertext
from schemas.access.scopes import Scope
from schemas.access.visibility import Content, visible_to
from schemas.core.error import Code
from schemas.orders.reviews import DecisionMade, DecisionTaken, ReviewShown
from storage.people.reviews import Reviews
from tasks.orders.people.deciding import Decision, decide
from tasks.orders.people.revealing import words_to_decide_on

router = APIRouter(prefix="/reviews", tags=["people"], route_class=Route)


@router.get(
    "/{review_id}",
    summary="A question to a person",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def find_review(
    review_id: ReviewId,
    parts: GivenParts,
    caller: Caller,
    actor: Actor,
    request_id: RequestName,
    language: AskedLanguage,
    *,
    words: Annotated[bool, Query(description="Also what the customer said, to who may decide it.")] = True,
) -> ReviewShown:
    """What is asked, why, and which decisions it accepts; to who may decide it also what the customer said.

    Each look at the customer's words is a line `personal_data_revealed` in the order's audit log.
    """
    with parts.database.transaction() as work:
        review = Reviews(work).find(review_id)
    if review is None:
        raise unknown("review", review_id)
    said = None
    if words and Content.WORDS_UNDER_REVIEW in visible_to(caller.scopes):
        # The question can be read, and decided by listening, when the key of the words is gone.
        with suppress(UnreadableCiphertext):
            said = words_to_decide_on(parts.database, review, by=actor, request_id=request_id)
    # What was kept of the words is where they stand: who may hear them reads the sentences with them.
    shown = view_of(review, language, None if said is None else said.worded)
    return ReviewShown(**dict(shown), words=said and said.shown)


@router.post(
    "/{review_id}/decide",
    summary="Decide",
    dependencies=[requires(Scope.REVIEWS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def decide_review(
    review_id: ReviewId, body: DecisionMade, parts: GivenOrdersParts, caller: Caller, language: AskedLanguage
) -> DecisionTaken:
    """The order goes on from here. The same decision again answers 200; another one answers 409.

    So does a decision on a question that another person has taken. 403 for whoever asked for the approval that
    it would give.
    """
    decision = Decision.of(body, respondent(caller, body.by))
    outcome, review = decide(parts.engine, parts.context, review_id, decision)
    if review is None:
        raise unknown("review", review_id)
    if refused := refusal_of(outcome, review):
        raise refused
    return DecisionTaken(
        outcome=cast("Literal['applied', 'counted', 'repeated']", outcome.value),
        review=view_of(review, language),
    )
