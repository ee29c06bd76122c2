"""The routes of the do-not-call list. Numbers are found by their blind index; the list holds none."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.orders.services import GivenOrdersParts
from api.server.actor import actor
from api.server.authentication import requires
from api.server.cursor import Cursor, cursor_of, place_of
from api.server.errors import documented
from api.server.refusal import invalid, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts
from runtime.phone import Phone, normalise
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.identifier import Identifier
from schemas.orders.contact import Channel
from schemas.orders.do_not_call import (
    DoNotCallLifted,
    DoNotCallList,
    DoNotCallMade,
    DoNotCallSought,
    DoNotCallTaken,
    DoNotCallView,
)
from storage.orders.contacts.do_not_call import Entry
from tasks.orders.people.barring import AlreadyOver, allow_number, bar_number, list_barred

router = APIRouter(prefix="/contact/do-not-call", tags=["contact"], route_class=Route)

EntryId = Annotated[Identifier, Path(description="The entry's id.")]


@router.get("", summary="Who is not contacted", dependencies=[requires(Scope.STOPS)])
def list_do_not_call(
    parts: GivenParts,
    limit: Annotated[int, Query(ge=1, le=500, description="Entries a page may have.")] = 100,
    cursor: Cursor = None,
    *,
    ended: Annotated[bool, Query(description="Those that were lifted or are over, too.")] = False,
) -> DoNotCallList:
    """The newest first, page by page; numbers masked."""
    found = list_barred(parts.database, ended=ended, after=place_of(cursor), limit=limit + 1)
    page = found[:limit]
    return DoNotCallList(
        entries=[_view(entry) for entry in page],
        next_cursor=cursor_of((page[-1].added_at, page[-1].entry_id)) if len(found) > limit else None,
    )


@router.post(
    "/find",
    summary="Whether a number is contacted",
    dependencies=[requires(Scope.STOPS, repeatable=True)],
)
def find_do_not_call(body: DoNotCallSought, parts: GivenOrdersParts) -> DoNotCallList:
    """The entries of one number, the newest first. It is sent in the body, which is never logged."""
    marks = parts.context.blind_index.marks(_phone(body.phone))
    found = list_barred(parts.database, marks=marks, ended=body.ended)
    return DoNotCallList(entries=[_view(entry) for entry in found], next_cursor=None)


@router.post("", summary="Contact a number no more", dependencies=[requires(Scope.STOPS)])
def add_do_not_call(body: DoNotCallMade, parts: GivenOrdersParts, caller: Caller) -> DoNotCallTaken:
    """No contact of this number begins once this has answered, in whatever order it stands.

    Orders contact it by the channels that are left, or go to a person. The same entry again answers 200 with the one
    that holds; an end that has passed is refused.
    """
    try:
        entry, is_new = bar_number(
            parts.database,
            parts.context.blind_index,
            _phone(body.phone),
            channel=body.channel,
            reason=body.reason,
            until=body.until,
            by=actor(caller, body.by),
        )
    except AlreadyOver as error:
        raise invalid([("until", str(error))]) from error
    return DoNotCallTaken(outcome="applied" if is_new else "repeated", entry=_view(entry))


@router.post(
    "/{entry_id}/lift",
    summary="Allow a number again",
    dependencies=[requires(Scope.LIFT)],
    responses=documented(Code.NOT_FOUND),
)
def lift_do_not_call(
    entry_id: EntryId, body: DoNotCallLifted, parts: GivenParts, caller: Caller
) -> DoNotCallTaken:
    """The entry stays in the record, with who lifted it. Lifting it again answers 200."""
    entry, is_lifted = allow_number(parts.database, entry_id, by=actor(caller, body.by))
    if entry is None:
        raise unknown("entry", entry_id)
    return DoNotCallTaken(outcome="applied" if is_lifted else "repeated", entry=_view(entry))


def _phone(text: str) -> Phone:
    phone = normalise(text)
    if phone is None:
        raise invalid([("phone", "is no number that can be called: it is masked or malformed")])
    return phone


def _view(entry: Entry) -> DoNotCallView:
    return DoNotCallView(
        entry_id=entry.entry_id,
        phone=entry.masked,
        channel=None if entry.channel is None else Channel(entry.channel),
        reason=entry.reason,
        added_by=entry.added_by,
        task_id=entry.task_id,
        until=entry.until,
        added_at=entry.added_at,
        lifted_at=entry.lifted_at,
        lifted_by=entry.lifted_by,
        holds=entry.holds,
    )
