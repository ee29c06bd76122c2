"""The routes about personal data: seeing it in clear with a reason, and removing it."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.orders.services import GivenOrdersParts
from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts, RequestName
from runtime.cipher import UnreadableCiphertext
from runtime.phone import normalise
from schemas.access.scopes import Scope
from schemas.core.configuration import PolicyFileError
from schemas.core.error import Code
from schemas.core.identifier import Identifier
from schemas.orders.privacy import (
    ErasureAsked,
    ErasureMade,
    ReencryptionMade,
    RetentionAsked,
    RetentionMade,
    RevealAsked,
    RevealMade,
)
from tasks.orders.people.revealing import Field, Hidden, RevealRequest, reveal
from tasks.orders.upkeep.declaration import take_out
from tasks.orders.upkeep.erasure import Customer, erase, orders_of
from tasks.orders.upkeep.key_change import renew_all, renew_marks
from tasks.orders.upkeep.retention import counted, retain
from tools.policies.retention import load_retention

router = APIRouter(tags=["privacy"], route_class=Route)

TaskId = Annotated[Identifier, Path(description="An order's task_id.")]


@router.post(
    "/tasks/{task_id}/reveal",
    summary="See a number, a transcript, or names and addresses in clear",
    # No answer of this route is kept for a repetition: each look is a look, and is on record.
    dependencies=[requires(Scope.REVEAL, repeatable=True)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def reveal_field(
    task_id: TaskId, body: RevealAsked, parts: GivenParts, caller: Caller, request_id: RequestName
) -> RevealMade:
    """Elsewhere they are masked or left out. Each look is a line `personal_data_revealed` in the order's audit log."""
    request = RevealRequest(
        task_id=task_id,
        field=Field(body.field),
        reason=body.reason,
        by=caller.agent_id,
        request_id=request_id,
        contact_id=body.contact_id,
    )
    try:
        found = reveal(parts.database, request)
    except UnreadableCiphertext as error:
        raise Refusal(
            Code.STATE_CONFLICT, "it was encrypted with a key that this fleet no longer has"
        ) from error
    match found:
        case Hidden.NO_TASK:
            raise unknown("task", task_id)
        case Hidden.NO_CONTACT:
            raise unknown("contact", str(body.contact_id))
        case Hidden.NOTHING:
            raise Refusal(Code.STATE_CONFLICT, f"there is no {body.field} to reveal, or it was erased")
    value = found.value if isinstance(found.value, str) else dict(found.value)
    return RevealMade(task_id=task_id, field=body.field, contact_id=found.contact_id, value=value)


@router.post(
    "/privacy/erase",
    summary="Forget a customer",
    dependencies=[requires(Scope.ADMIN)],
    responses=documented(Code.STATE_CONFLICT),
)
def erase_customer(body: ErasureAsked, parts: GivenOrdersParts, actor: Actor) -> ErasureMade:
    """Removes numbers, words, recordings and free texts of all their orders. Rows, times and who did what stay.

    The do-not-call list holds no number and stays as it is. Nobody known answers with no task.
    """
    phone = None if body.phone is None else normalise(body.phone)
    if body.phone is not None and phone is None:
        raise invalid([("phone", "is no number that can be called: it is masked or malformed")])
    customer = Customer(customer_id=body.customer_id, phone=phone)
    if body.dry_run:
        found = orders_of(parts.engine, parts.context.blind_index, customer)
        return ErasureMade(task_ids=found, cancelled=[], rows={})
    erased = erase(
        parts.engine,
        parts.context.blind_index,
        customer,
        by=actor,
        cancel_open=body.cancel,
        database=parts.retention_database,
    )
    if erased.still_open:
        raise Refusal(
            Code.STATE_CONFLICT,
            "the customer has open orders; end them first, or send cancel: true",
            details={"open": list(erased.still_open), "cancelled": list(erased.cancelled)},
        )
    return ErasureMade(
        task_ids=list(erased.task_ids), cancelled=list(erased.cancelled), rows=dict(erased.counts)
    )


@router.post(
    "/privacy/retain",
    summary="Remove what has been kept long enough",
    dependencies=[requires(Scope.ADMIN, repeatable=True)],
    responses=documented(Code.STATE_CONFLICT),
)
def retain_data(body: RetentionAsked, parts: GivenParts) -> RetentionMade:
    """What config/policies/retention.yaml says, now; the fleet does so daily. 409 where the file cannot be used."""
    try:
        kept = load_retention(parts.settings.config_folder / "policies" / "retention.yaml")
    except PolicyFileError as error:
        raise Refusal(Code.STATE_CONFLICT, str(error)) from error
    rows = counted(parts.database, kept) if body.dry_run else retain(parts.retention_database, kept)
    return RetentionMade(
        rows={kind.value: amount for kind, amount in rows.items()},
        days={kind.value: kept[kind].days for kind in rows},
    )


@router.post(
    "/privacy/reencrypt",
    summary="Write anew what is of former keys",
    dependencies=[requires(Scope.ADMIN, repeatable=True)],
)
def reencrypt_data(parts: GivenOrdersParts) -> ReencryptionMade:
    """Everything that is not of the current keys; broken off and sent again, it goes on where it was.

    What is declared personal since an order was accepted is taken out of its metadata: `tasks.metadata` counts these.
    """
    renewed = renew_all(parts.retention_database)
    marks = renew_marks(parts.retention_database, parts.context.blind_index, parts.context.policy)
    taken_out = take_out(parts.retention_database, parts.personal)
    return ReencryptionMade(
        written=dict(renewed.written) | ({"tasks.metadata": taken_out} if taken_out else {}),
        left=dict(renewed.left),
        unreadable=len(renewed.unreadable),
        marks=dict(marks.written),
        marks_left=dict(marks.left),
    )
