"""The routes of keys: who may call the API, and as whom."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.server.actor import actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts
from schemas.access.keys import (
    KeyAsked,
    KeyList,
    KeyMade,
    KeyRevoked,
    KeyRotated,
    KeyView,
    RevocationAsked,
    RotationAsked,
)
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.identifier import Identifier
from storage.access.keys import KeyRecord, NewKey
from tasks.access.keys import create_key, list_keys, revoke_key, rotate_key

router = APIRouter(prefix="/keys", tags=["keys"], route_class=Route)

KeyId = Annotated[Identifier, Path(description="The key's id, which is not the key.")]


@router.get("", summary="Who may call", dependencies=[requires(Scope.ADMIN)])
def list_all_keys(parts: GivenParts) -> KeyList:
    """Every key there is or was, by owner, the oldest first; nothing here lets anybody in."""
    return KeyList(keys=[_view(key) for key in list_keys(parts.database)])


@router.post(
    "",
    summary="Let somebody call",
    status_code=201,
    # No answer of this route is kept for a repetition: it holds the key.
    dependencies=[requires(Scope.ADMIN, repeatable=True)],
)
def make_key(body: KeyAsked, parts: GivenParts, caller: Caller, response: Response) -> KeyMade:
    """The key is in this answer and in no other: only a hash of it is stored."""
    if body.expires_at is not None and body.expires_at <= datetime.now(UTC):
        raise invalid([("expires_at", "lies in the past")])
    new = NewKey(
        agent_id=body.agent_id,
        scopes=frozenset(body.scopes),
        label=body.label,
        default_mode=body.default_mode,
        rate_limit=body.rate_limit,
        expires_at=body.expires_at,
    )
    record, key = create_key(parts.database, new, by=actor(caller, body.by))
    response.headers["Cache-Control"] = "no-store"
    return KeyMade(key=key, record=_view(record))


@router.post(
    "/{key_id}/revoke",
    summary="Let a key in no more",
    dependencies=[requires(Scope.ADMIN)],
    responses=documented(Code.NOT_FOUND),
)
def end_key(key_id: KeyId, body: RevocationAsked, parts: GivenParts, caller: Caller) -> KeyRevoked:
    """An API that has just used it lets it in for 5 seconds more at most. Again answers 200."""
    before = revoke_key(parts.database, key_id, by=actor(caller, body.by))
    if before is None:
        raise unknown("key", key_id)
    return KeyRevoked(
        outcome="repeated" if before.state == "revoked" else "applied",
        record=_view(before).model_copy(update={"state": "revoked"}),
    )


@router.post(
    "/{key_id}/rotate",
    summary="Follow a key by another",
    dependencies=[requires(Scope.ADMIN, repeatable=True)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def follow_key(
    key_id: KeyId, body: RotationAsked, parts: GivenParts, caller: Caller, response: Response
) -> KeyRotated:
    """The new one has the owner, scopes and settings of the old one, which is let in for the overlap still.

    409 where the old one has ended or was revoked: make a new one.
    """
    overlap = timedelta(seconds=body.overlap_seconds)
    rotated = rotate_key(parts.database, key_id, overlap=overlap, by=actor(caller, body.by))
    if rotated is None:
        raise unknown("key", key_id)
    if isinstance(rotated, KeyRecord):
        raise Refusal(
            Code.STATE_CONFLICT,
            f"the key is {rotated.state}; make a new one",
            details={"key_id": key_id, "key_state": rotated.state},
        )
    response.headers["Cache-Control"] = "no-store"
    return KeyRotated(key=rotated.key, old=_view(rotated.old), record=_view(rotated.new))


def _view(key: KeyRecord) -> KeyView:
    return KeyView.model_validate(key)
