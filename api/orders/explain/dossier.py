"""The routes of orders as people look at them: the newest, and everything that is known of one."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.server.actor import Actor
from api.server.authentication import requires
from api.server.cursor import Cursor, cursor_of, place_of
from api.server.errors import documented
from api.server.refusal import Refusal, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts
from runtime.mask import mask_json
from runtime.personal import PersonalFields
from schemas.access.scopes import Scope
from schemas.access.visibility import Content, visible_to
from schemas.core.error import Code
from schemas.core.identifier import Identifier
from schemas.orders.explain.dossier import (
    ContactShown,
    DossierView,
    Happened,
    OrderList,
    OrderShown,
    OrderSummary,
    RunShown,
)
from statemachine.orders.states import State
from storage.orders.contacts.contact import Contact
from storage.orders.orders import Orders
from tasks.orders.explain.dossier import (
    Dossier,
    facts_of,
    phone_of,
    read_dossier,
    timeline_of,
    words_in,
)
from tasks.orders.explain.status import why
from tasks.orders.people.revealing import put_on_record

router = APIRouter(tags=["tasks"], route_class=Route)

TaskId = Annotated[Identifier, Path(description="An order's task_id.", examples=["HT20260313001"])]


@router.get("/orders", summary="Orders, the newest first", dependencies=[requires(Scope.READ)])
def list_orders(
    parts: GivenParts,
    state: Annotated[State | None, Query(description="In this state only.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Orders a page may have.")] = 100,
    cursor: Cursor = None,
) -> OrderList:
    """Each with its round, its attempt, what the customer wants, and when it is contacted next; page by page."""
    with parts.database.transaction() as work:
        rows = Orders(work).recent(state, limit + 1, after=place_of(cursor))
    page = rows[:limit]
    return OrderList(
        orders=[OrderSummary(**row) for row in page],
        next_cursor=cursor_of((page[-1]["created_at"], page[-1]["task_id"])) if len(rows) > limit else None,
    )


@router.get(
    "/tasks/{task_id}/dossier",
    summary="Everything that is known of an order",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def show_dossier(
    task_id: TaskId,
    parts: GivenParts,
    caller: Caller,
    actor: Actor,
    *,
    words: Annotated[
        bool, Query(description="Also what the customer said, numbers masked; needs the scope `reveal`.")
    ] = False,
) -> DossierView:
    """Its contacts, transitions, audit log, steps, reviews and alerts, and a timeline of all of them.

    With `words` each look is a line `personal_data_revealed` in the order's audit log.
    """
    if words:
        if Content.WORDS not in visible_to(caller.scopes):
            raise Refusal(Code.FORBIDDEN, "this key may not see what customers said")
        put_on_record(parts.database, task_id, by=actor)
    with parts.database.snapshot() as work:
        dossier = read_dossier(work, task_id, words=words)
    if dossier is None:
        raise unknown("task", task_id)
    return _view(dossier, parts.personal)


def _view(dossier: Dossier, personal: PersonalFields) -> DossierView:
    order, situation = dossier.order, dossier.situation
    named = {name: getattr(order, name) for name in OrderShown.model_fields if hasattr(order, name)}
    return DossierView(
        order=OrderShown(
            **named
            | {
                "phone": phone_of(order),
                "metadata": mask_json(personal.mask(order.metadata)),
                "execution_id": order.run_id,
                "status": order.status.value,
            }
        ),
        run=RunShown(state=situation.run.state.value, error=mask_json(situation.run.error)),
        contacts=[_contact(contact, words=dossier.words) for contact in dossier.contacts],
        transitions=[{**row, "metadata": mask_json(row["metadata"])} for row in dossier.transitions],
        audit=[{**row, "metadata": mask_json(row["metadata"])} for row in dossier.audit],
        steps=[
            {**row, "title": situation.title(row["node"]), "error": mask_json(row["error"])}
            for row in dossier.steps
        ],
        reviews=[
            asdict(review)
            | {
                "context": mask_json(review.context),
                "question": mask_json(review.question),
                "decision": mask_json(review.decision),
            }
            for review in dossier.reviews
        ],
        alerts=[
            {**row, "message": mask_json(row["message"]), "metadata": mask_json(row.get("metadata"))}
            for row in dossier.alerts
        ],
        why=why(situation),
        timezone=situation.zone.key,
        facts=facts_of(dossier),
        timeline=[
            Happened(at=at, what=what, detail=mask_json(detail)) for at, what, detail in timeline_of(dossier)
        ],
    )


def _contact(contact: Contact, *, words: bool) -> ContactShown:
    return ContactShown(
        contact_id=contact.contact_id,
        round=contact.round,
        contact_no=contact.contact_no,
        direction=contact.direction,
        method=contact.contact_method,
        status=contact.status,
        result=contact.contact_result,
        duration_seconds=contact.duration_seconds,
        transcript=words_in(contact, shown=words),
        at=contact.contact_time,
        key=contact.key,
    )
