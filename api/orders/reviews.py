"""The routes of a review that is about an order: what the customer said, and the decision (SPEC.md §6)."""

from contextlib import suppress
from typing import Annotated, Final, Literal, cast

from fastapi import APIRouter, Query

from api.orders.services import GivenOrdersParts
from api.people.places import worklist_cursor_of, worklist_place_of
from api.people.reviews import ReviewId, refusal_of, respondent, view_of
from api.server.actor import Actor
from api.server.authentication import requires
from api.server.cursor import Cursor
from api.server.errors import documented
from api.server.language import AskedLanguage
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts, RequestName
from runtime.cipher import UnreadableCiphertext
from schemas.access.scopes import Scope
from schemas.access.visibility import Content, visible_to
from schemas.core.error import Code
from schemas.core.form import Text
from schemas.orders.reviews import (
    DecisionMade,
    DecisionTaken,
    ReviewShown,
    WorklistCount,
    WorklistRowView,
    WorklistView,
)
from storage.people.reviews import Reviews
from storage.people.worklist import Holder, WorklistFilter
from tasks.orders.people.deciding import Decision, decide
from tasks.orders.people.revealing import words_to_decide_on
from tasks.orders.people.worklist import WorklistRow, worklist_page

_Facet = Text | None
_AS_THEY_ARE: Final = WorklistRowView.model_fields.keys() - {"execution_id", "step", "seconds_left"}

router = APIRouter(prefix="/reviews", tags=["people"], route_class=Route)


@router.get("/worklist", summary="The worklist", dependencies=[requires(Scope.READ)])
def list_worklist(
    parts: GivenOrdersParts,
    caller: Caller,
    language: AskedLanguage,
    reason: Annotated[_Facet, Query(max_length=64, description="Asked for this reason.")] = None,
    suggestion: Annotated[_Facet, Query(max_length=64, description="With this suggestion.")] = None,
    product: Annotated[_Facet, Query(max_length=64, description="About this product.")] = None,
    region: Annotated[_Facet, Query(max_length=64, description="Of this region.")] = None,
    workflow: Annotated[_Facet, Query(max_length=136, description="Asked by runs of this workflow.")] = None,
    flagged: Annotated[bool | None, Query(description="Only those that cannot wait, or the others.")] = None,
    holder: Annotated[Holder, Query(description="Who has taken them.")] = Holder.ANYONE,
    limit: Annotated[int, Query(ge=1, le=500, description="Reviews a page may have.")] = 100,
    cursor: Cursor = None,
) -> WorklistView:
    """What waits, in the order in which `POST /v1/reviews/next` takes it, page by page, with counts.

    An empty filter asks for those that have no such value, as it is counted. `mine` are those of the key's owner.
    Counts and page are as of one moment.
    """
    chosen = WorklistFilter(
        reason=reason,
        suggestion=suggestion,
        product=product,
        region=region,
        workflow=workflow,
        flagged=flagged,
        holder=holder,
        by=caller.agent_id,
    )
    page = worklist_page(
        parts.engine.database, parts.context, chosen, worklist_place_of(cursor), limit, language
    )
    return WorklistView(
        reviews=[_row(row) for row in page.rows],
        total=page.total,
        counts={
            name: [WorklistCount(value=value, reviews=amount) for value, amount in by.items()]
            for name, by in page.counts.items()
        },
        next_cursor=None if page.next is None else worklist_cursor_of(page.next),
    )


def _row(row: WorklistRow) -> WorklistRowView:
    return WorklistRowView(
        execution_id=row.run_id,
        step=row.node,
        seconds_left=None if row.left is None else int(row.left.total_seconds()),
        **{name: getattr(row, name) for name in _AS_THEY_ARE},
    )


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
