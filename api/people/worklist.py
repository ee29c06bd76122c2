"""The routes of the worklist: reviews are taken one after another, decisions are held and undone (CONSOLE.md §4)."""

from typing import Literal

from fastapi import APIRouter

from api.people.reviews import ReviewId, claimed, refusal_of, respondent, view_of
from api.server.actor import actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.language import AskedLanguage
from api.server.refusal import Refusal, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts
from api.task_intake import GivenIntake
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.language import Language
from schemas.people.holds import HoldMade, HoldState, HoldTaken, HoldView, ReviewTaken
from schemas.people.reviews import ClaimMade, ClaimTaken
from storage.people.holds import HeldDecision
from storage.people.reviews import TAKE_MINUTES
from tasks.people.claims import claim, take_next
from tasks.people.holding import Held, HoldResult, hold, undo_hold

router = APIRouter(prefix="/reviews", tags=["people"], route_class=Route)

_NOT_DONE = {
    Held.STANDS: "another decision on the review is held",
    Held.TOO_LATE: "the decision was applied already",
    Held.NOTHING: "no decision on the review is held",
}


@router.post("/next", summary="Take the next question", dependencies=[requires(Scope.REVIEWS)])
def take_next_review(
    body: ClaimMade, parts: GivenParts, caller: Caller, language: AskedLanguage
) -> ReviewTaken:
    """The first of the worklist that nobody has and the caller may decide, for 5 minutes; two never get the same.

    First what the customer's words flag, then what is overdue or has less than 30 minutes left, then by priority
    with ageing. Null where there is none.
    """
    review = take_next(parts.database, by=respondent(caller, body.by))
    return ReviewTaken(review=None if review is None else view_of(review, language))


@router.post(
    "/{review_id}/take",
    summary="Open a question",
    dependencies=[requires(Scope.REVIEWS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def take_review(
    review_id: ReviewId, body: ClaimMade, parts: GivenParts, caller: Caller, language: AskedLanguage
) -> ClaimTaken:
    """It is the caller's for 5 minutes, and again for 5 whenever it is asked for again; `claim` keeps it for 30.

    `release` lets it go. Another's answers 409.
    """
    by = respondent(caller, body.by)
    taken = claim(parts.database, review_id, by=by, minutes=TAKE_MINUTES)
    return claimed(review_id, *taken, language=language)


@router.post(
    "/{review_id}/take-over",
    summary="Take over another's question",
    dependencies=[requires(Scope.CLAIMS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def take_over_review(
    review_id: ReviewId, body: ClaimMade, parts: GivenParts, caller: Caller, language: AskedLanguage
) -> ClaimTaken:
    """It is the caller's for 30 minutes, whoever had it. 409 while a decision on it is held."""
    by = respondent(caller, body.by)
    taken = claim(parts.database, review_id, by=by, whoever_has_it=True)
    return claimed(review_id, *taken, language=language)


@router.post(
    "/{review_id}/hold",
    summary="Decide after a moment",
    dependencies=[requires(Scope.REVIEWS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def hold_decision(
    review_id: ReviewId,
    body: HoldMade,
    parts: GivenParts,
    intake: GivenIntake,
    caller: Caller,
    language: AskedLanguage,
) -> HoldTaken:
    """The decision is applied once its hold has ended (`UNPEND_HOLD_SECONDS`, 8); until then `undo` takes it back.

    What has changed by then refuses it: the review is back, and `refusal` says why. The same key again answers
    with the same hold.
    """
    result = hold(
        parts.database,
        intake.forms,
        review_id,
        body.payload,
        by=respondent(caller, body.by),
        key=body.idempotency_key,
        seconds=parts.settings.hold_seconds,
    )
    return _taken(review_id, result, language)


@router.post(
    "/{review_id}/undo",
    summary="Undo a held decision",
    dependencies=[requires(Scope.REVIEWS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def undo_decision(
    review_id: ReviewId, body: ClaimMade, parts: GivenParts, caller: Caller, language: AskedLanguage
) -> HoldTaken:
    """Until it is applied; the review is again whose decision it was. Another's decision needs the scope `claims`."""
    by = actor(caller, body.by)
    result = undo_hold(parts.database, review_id, by=by, whoever_has_it=Scope.CLAIMS in caller.scopes)
    return _taken(review_id, result, language)


def _taken(review_id: str, result: HoldResult, language: Language) -> HoldTaken:
    review, held = result.review, result.hold
    if review is None:
        raise unknown("review", review_id)
    if result.refused is not None and (refused := refusal_of(result.refused, review)):
        raise refused
    if held is None or result.outcome not in (Held.DONE, Held.REPEATED):
        raise _refusal(result.outcome, review_id, held)
    done: Literal["held", "undone"] = "undone" if held.state is HoldState.UNDONE else "held"
    outcome = "repeated" if result.outcome is Held.REPEATED else done
    return HoldTaken(outcome=outcome, hold=_view(held), review=view_of(review, language))


def _refusal(outcome: Held, review_id: str, held: HeldDecision | None) -> Refusal:
    message = _NOT_DONE.get(outcome, "another person has decided the review so")
    details = {
        "review_id": review_id,
        "hold_id": held and held.hold_id,
        "hold_state": held and held.state.value,
        "by": held and held.by,
    }
    return Refusal(Code.STATE_CONFLICT, message, details=details)


def _view(held: HeldDecision) -> HoldView:
    return HoldView(**{name: getattr(held, name) for name in HoldView.model_fields})
