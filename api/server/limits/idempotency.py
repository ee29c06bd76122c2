"""`Idempotency-Key`: a repeated write is not done again, and gets the same answer (SPEC.md §6).

Three short transactions at most: the key is taken before the work, the answer kept after it, and none is open while
the work is done. A failure of ours frees the key, since whether anything was done is then for the route to know.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import anyio.to_thread
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from api.server.errors import answer_of, faults_of
from api.server.refusal import Refusal, invalid
from runtime.logs import logger
from schemas.core.error import Code
from storage.access.idempotency import ABANDONED, KEPT, Claim, IdempotencyKeys, Kept
from storage.access.keys import Key
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
LONGEST_KEY: Final = 255

PARAMETER: Final[dict[str, Any]] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": (
        "Names this request. Sent again under the same name within "
        f"{KEPT.total_seconds() / 3600:.0f} hours it is not done again: the answer is the first one, with the "
        f"header `{REPLAYED}: true`. Another request under the same name answers 409, and so does the same one "
        "while the first is under way, with `Retry-After`."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
"""The header in the API's description."""

_log = logger(__name__)

_USABLE: Final = re.compile(rf"[!-~]{{1,{LONGEST_KEY}}}")
_STORE_SECONDS: Final = 5.0
"""How long PostgreSQL may be away when an answer is to be kept."""
_KEPT_KINDS: Final = frozenset({2, 4})
"""Hundreds: what was done, and what was wrong with the request."""
_KEPT_HEADERS: Final = ("Location", "Cache-Control")
"""Of an answer's headers those that belong to what was done; the others are about the moment."""
_NOT_KEPT: Final = frozenset({401, 403, 408, 429})
"""Answers that are about the moment or the caller, not about the request."""

Handle = Callable[[Request], Awaitable[Response]]


async def answered_once(request: Request, handle: Handle, database: Database, caller: Key) -> Response:
    """What the route answers, or what it answered when this request came before.

    Raises:
        Refusal: the header cannot be used (422); its key names another request, or one under way (409).
        StorageUnavailable: PostgreSQL does not answer; nothing was done.
    """
    key = request.headers[HEADER]
    if not _USABLE.fullmatch(key):
        raise invalid([(HEADER, f"must be 1 to {LONGEST_KEY} visible ASCII characters")])
    digest = _digest(request, await request.body())
    found = await anyio.to_thread.run_sync(_begin, database, caller.agent_id, key, digest)
    if isinstance(found, Kept):
        return _repeated(found)
    try:
        response = await handle(request)
    except tuple(faults_of(request)) as error:
        response = answer_of(request, error)
    except BaseException as error:
        # A request that is given up while it is under way may still be carried out: its key frees itself later.
        if not isinstance(error, asyncio.CancelledError):
            await anyio.to_thread.run_sync(_free, database, found)
        raise
    await anyio.to_thread.run_sync(_settle, database, found, response)
    return response


def _begin(database: Database, agent_id: str, key: str, digest: bytes) -> Claim | Kept:
    with database.transaction() as work:
        return IdempotencyKeys(work).begin(agent_id, key, digest)


def _settle(database: Database, claim: Claim, response: Response) -> None:
    status = response.status_code
    if isinstance(response, StreamingResponse) or status // 100 not in _KEPT_KINDS or status in _NOT_KEPT:
        _free(database, claim)
        return
    body = bytes(response.body).decode()
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    try:
        database.durably(
            lambda work: IdempotencyKeys(work).store(claim, status, body, headers),
            seconds=_STORE_SECONDS,
        )
    except StorageUnavailable as error:
        _log.warning("the answer of an idempotent request could not be kept", error=str(error))


def _free(database: Database, claim: Claim) -> None:
    try:
        with database.transaction() as work:
            IdempotencyKeys(work).free(claim)
    except StorageUnavailable as error:
        _log.warning(
            "an idempotency key stays taken for a while",
            seconds=ABANDONED.total_seconds(),
            error=str(error),
        )


def _repeated(found: Kept) -> Response:
    """The answer that was kept.

    Raises:
        Refusal: there is none for this request (409).
    """
    if not found.same:
        raise Refusal(
            Code.STATE_CONFLICT,
            f"this {HEADER} was sent with another request; use a new one for each request",
            details={"header": HEADER, "reason": "another_request"},
        )
    if found.status is None:
        raise Refusal(
            Code.STATE_CONFLICT,
            "the first request under this key is still under way; ask again for its answer",
            details={"header": HEADER, "reason": "under_way"},
            headers={"Retry-After": "1"},
        )
    return Response(
        found.body,
        status_code=found.status,
        headers={**found.headers, REPLAYED: "true"},
        media_type="application/json" if found.body else None,
    )


def _digest(request: Request, body: bytes) -> bytes:
    """What tells this request from another: equal for JSON of equal meaning."""
    target = f"{request.method} {request.scope['path']}?"
    parts = (target.encode(errors="replace"), request.scope["query_string"], b"\n", _canonical(body))
    return hashlib.sha256(b"".join(parts)).digest()


def _canonical(body: bytes) -> bytes:
    try:
        return json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return body
