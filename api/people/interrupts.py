"""The routes of interrupts: what runs of any kind ask of people, who may answer, and the answers (CONSOLE.md §7)."""

from datetime import timedelta
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Path, Query

from api.people.reviews import claim_refusal, refusal_of, respondent
from api.server.actor import actor
from api.server.authentication import requires
from api.server.cursor import Cursor, cursor_of, place_of
from api.server.errors import documented
from api.server.parts import Parts
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts
from api.task_intake import GivenIntake, TaskIntake
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.form import Text
from schemas.core.identifier import Identifier
from schemas.core.private_words import masked
from schemas.people.interrupts import (
    AnswerSent,
    AnswerTaken,
    AnswerView,
    Assignee,
    EscalationView,
    InterruptClaimed,
    InterruptList,
    InterruptSummary,
    InterruptView,
)
from schemas.people.reviews import ClaimMade
from storage.core.unit_of_work import UnitOfWork
from storage.people.answers import ReviewAnswers
from storage.people.interrupts import Interrupt, InterruptFilter, Interrupts
from storage.people.reviews import Review
from tasks.people.claims import Claimed, claim, release
from tasks.people.continuing import continue_with
from tasks.people.overdue import fails_unanswered

router = APIRouter(prefix="/interrupts", tags=["people"], route_class=Route)

InterruptId = Annotated[Identifier, Path(description="The interrupt's id.")]
State = Literal["open", "decided", "cancelled", "all"]


@router.get("", summary="What runs ask of people", dependencies=[requires(Scope.READ)])
def list_interrupts(
    parts: GivenParts,
    caller: Caller,
    state: Annotated[State, Query(description="What became of them.")] = "open",
    run: Annotated[Identifier | None, Query(description="Of this run only.")] = None,
    workflow: Annotated[
        Text | None, Query(max_length=64, description="Of runs of this workflow only.")
    ] = None,
    role: Annotated[
        Text | None, Query(max_length=64, description="Those that this role may answer now.")
    ] = None,
    *,
    mine: Annotated[bool, Query(description="Only those that the key's owner may answer.")] = False,
    limit: Annotated[int, Query(ge=1, le=500, description="Interrupts a page may have.")] = 100,
    cursor: Cursor = None,
) -> InterruptList:
    """The longest waiting first, page by page."""
    wanted = InterruptFilter(
        state=None if state == "all" else state,
        run_id=run,
        workflow=workflow,
        role=role,
        mine=respondent(caller, None) if mine else None,
    )
    with parts.database.transaction() as work:
        found = Interrupts(work).list(wanted, after=place_of(cursor), limit=limit + 1)
    page = found[:limit]
    more = len(found) > limit
    last = page[-1].review if page else None
    return InterruptList(
        interrupts=[InterruptSummary(**_summary(each)) for each in page],
        next_cursor=cursor_of((last.opened_at, last.review_id)) if more and last else None,
    )


@router.get(
    "/{interrupt_id}",
    summary="What a run asks of people",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def find_interrupt(interrupt_id: InterruptId, parts: GivenParts, intake: GivenIntake) -> InterruptView:
    """What is asked, why, whose it is, what an answer holds, and what people have answered so far."""
    return _view(interrupt_id, parts, intake)


@router.post(
    "/{interrupt_id}/continue",
    summary="Answer what a run asks",
    dependencies=[requires(Scope.REVIEWS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT, Code.FORBIDDEN),
)
def continue_interrupt(
    interrupt_id: InterruptId, body: AnswerSent, parts: GivenParts, intake: GivenIntake, caller: Caller
) -> AnswerTaken:
    """The run goes on from here, once as many people as it takes have given the same answer.

    The same answer again answers 200. 409 where it was answered otherwise, is withdrawn, or another person has
    taken it; 403 where it is for others, or the caller began the run or answered a question that this one names;
    422 with a message for each field.
    """
    outcome, became = continue_with(
        parts.engine, intake.forms, interrupt_id, body.payload, respondent(caller, body.by)
    )
    if became is None:
        raise unknown("interrupt", interrupt_id)
    if refused := refusal_of(outcome, became):
        raise refused
    return AnswerTaken(
        outcome=cast("Literal['applied', 'counted', 'repeated']", outcome.value),
        interrupt=_view(interrupt_id, parts, intake),
    )


@router.post(
    "/{interrupt_id}/claim",
    summary="Take what a run asks",
    dependencies=[requires(Scope.REVIEWS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT, Code.FORBIDDEN),
)
def claim_interrupt(
    interrupt_id: InterruptId, body: ClaimMade, parts: GivenParts, caller: Caller
) -> InterruptClaimed:
    """Nobody else may answer it for 30 minutes. Taking it again renews that; another's answers 409.

    403 for whoever may not answer it.
    """
    return _claimed(interrupt_id, *claim(parts.database, interrupt_id, by=respondent(caller, body.by)), parts)


@router.post(
    "/{interrupt_id}/release",
    summary="Give back what a run asks",
    dependencies=[requires(Scope.REVIEWS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def release_interrupt(
    interrupt_id: InterruptId, body: ClaimMade, parts: GivenParts, caller: Caller
) -> InterruptClaimed:
    """For whoever took it; with the scope `claims` for anyone. One that nobody has answers 200."""
    by = actor(caller, body.by)
    given = release(parts.database, interrupt_id, by=by, whoever_has_it=Scope.CLAIMS in caller.scopes)
    return _claimed(interrupt_id, *given, parts)


def _found(interrupt_id: str, parts: Parts) -> Interrupt:
    with parts.database.transaction() as work:
        found = Interrupts(work).find(interrupt_id)
    if found is None:
        raise unknown("interrupt", interrupt_id)
    return found


def _claimed(interrupt_id: str, outcome: Claimed, review: Review | None, parts: Parts) -> InterruptClaimed:
    if review is None:
        raise unknown("interrupt", interrupt_id)
    if refused := claim_refusal(outcome, review):
        raise refused
    return InterruptClaimed(
        outcome="repeated" if outcome is Claimed.REPEATED else "applied",
        interrupt=InterruptSummary(**_summary(_found(interrupt_id, parts))),
    )


def _view(interrupt_id: str, parts: Parts, intake: TaskIntake) -> InterruptView:
    found = _found(interrupt_id, parts)
    review = found.review
    with parts.database.transaction() as work:
        answers = _answers(work, review)
        schema = intake.forms.form_of(work, review).answer_schema(review)
        fails = fails_unanswered(parts.engine.catalogue, work, found)
    return InterruptView(
        **_summary(found),
        context=masked(review.context),
        on_deadline="fail" if fails else "wait",
        answer_schema=schema,
        escalations=[
            EscalationView(
                role=str(each["role"]),
                at=review.opened_at + timedelta(seconds=int(each["after_seconds"])),
                has_come=nth < review.escalated,
            )
            for nth, each in enumerate(review.escalations)
        ],
        answers=answers,
    )


def _answers(work: UnitOfWork, review: Review) -> list[AnswerView]:
    """The answers so far: of a question of one answer that of its own row."""
    if review.quorum > 1:
        kept = [each.as_output for each in ReviewAnswers(work).of(review.review_id)]
    else:
        kept = list((review.decision or {}).get("answers", ()))
    return [AnswerView(**{**each, "form": masked(each["form"])}) for each in kept]


def _summary(found: Interrupt) -> dict[str, Any]:
    review = found.review
    return {
        "interrupt_id": review.review_id,
        "type": "review" if review.form is None else "form",
        "task_id": review.task_id,
        "execution_id": review.run_id,
        "workflow": found.workflow,
        "step": review.node,
        "who": Assignee(
            roles=list(review.roles),
            person=review.person,
            not_by=list(review.not_by),
            quorum=review.quorum,
        ),
        "answered_by": review.decided_by,
        "answered_at": review.decided_at,
        **{
            name: getattr(review, name)
            for name in (
                "reason", "question", "decisions", "state", "opened_at", "deadline_at", "claimed_by",
                "claimed_at",
            )
        },
    }  # fmt: skip
