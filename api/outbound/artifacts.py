"""The route of artifacts: what was kept whole, for who may see it, whole or in pieces."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Response

from api.outbound.byte_range import ByteRange, UnsatisfiableRange
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal
from api.server.route import Route
from api.server.services import Caller, GivenParts, RequestName
from schemas.access.scopes import Scope
from schemas.access.visibility import Content, visible_to
from schemas.core.error import Code
from storage.outbound.artifacts import StoredArtifact
from tasks.outbound.artifacts import ArtifactReader, ArtifactUnread, find, read

router = APIRouter(prefix="/artifacts", tags=["artifacts"], route_class=Route)

_BYTES: Final = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The whole of it, in its own media type.", "content": _BYTES},
    206: {"description": "The piece that `Range` asks for.", "content": _BYTES},
    304: {"description": "It is what `If-None-Match` names; it never changes."},
}
_REFUSALS: Final = {
    ArtifactUnread.UNKNOWN: (Code.NOT_FOUND, "there is no such artifact, or it is gone"),
    ArtifactUnread.FORBIDDEN: (
        Code.FORBIDDEN,
        "this artifact may hold what customers said; the scope 'reveal' shows it",
    ),
    ArtifactUnread.ELSEWHERE: (Code.STATE_CONFLICT, "this recording is its provider's and is not kept here"),
}


@router.get(
    "/{path:path}",
    summary="An artifact, whole or a piece of it",
    dependencies=[requires(Scope.READ)],
    response_class=Response,
    responses=_ANSWERS
    | documented(Code.FORBIDDEN, Code.NOT_FOUND, Code.STATE_CONFLICT, Code.RANGE_NOT_SATISFIABLE),
)
def find_artifact(
    path: Annotated[
        str,
        Path(
            max_length=200,
            pattern=r"^[A-Za-z0-9._/-]+$",
            description="What follows `workspace://artifacts/` in an `artifact_ref`.",
        ),
    ],
    parts: GivenParts,
    caller: Caller,
    request_id: RequestName,
    range_asked: Annotated[
        str | None,
        Header(alias="Range", max_length=200, description="`bytes=0-1023`, `bytes=1024-`, `bytes=-512`."),
    ] = None,
    if_range: Annotated[
        str | None,
        Header(alias="If-Range", max_length=200, description="The range counts for this version alone."),
    ] = None,
    if_none_match: Annotated[
        str | None,
        Header(alias="If-None-Match", max_length=1000, description="304 where it is one of these."),
    ] = None,
) -> Response:
    """It never changes. A sensitive one needs the scope `reveal`, and each look at it is on record.

    Of a range that is not as RFC 9110 has it, or of several, the whole is sent.
    """
    reader = ArtifactReader(caller.agent_id, request_id, Content.WORDS in visible_to(caller.scopes))
    found = find(parts.database, path, reader)
    if isinstance(found, ArtifactUnread):
        code, message = _REFUSALS[found]
        raise Refusal(code, message)
    headers = _headers_of(found)
    tag = headers["ETag"]
    if _names(if_none_match, tag):
        return Response(status_code=304, headers=headers)
    whole = found.size or 0
    try:
        piece = ByteRange.asked(range_asked, whole) if if_range in (None, tag) else None
    except UnsatisfiableRange as error:
        raise Refusal(
            Code.RANGE_NOT_SATISFIABLE,
            f"it has {whole} bytes, and nothing of what is asked for",
            headers={"Content-Range": f"bytes */{whole}"},
        ) from error
    wanted = piece or ByteRange(0, whole)
    content = read(parts.database, found, reader, first=wanted.first, size=wanted.size)
    if content is None:
        code, message = _REFUSALS[ArtifactUnread.UNKNOWN]
        raise Refusal(code, message)
    if piece is None:
        return Response(content, headers=headers)
    return Response(content, 206, headers=headers | {"Content-Range": piece.described(whole)})


def _headers_of(artifact: StoredArtifact) -> dict[str, str]:
    """What holds for the whole and for every piece. A page among the artifacts runs nothing, wherever it is opened."""
    return {
        "Content-Type": artifact.media_type,
        "ETag": f'"{(artifact.sha256 or b"").hex()}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store" if artifact.sensitive else "private, max-age=31536000, immutable",
        "Content-Disposition": f'attachment; filename="{artifact.path.rpartition("/")[2]}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }


def _names(header: str | None, tag: str) -> bool:
    """Whether an `If-None-Match` names this version, or any."""
    named = [each.strip().removeprefix("W/") for each in (header or "").split(",")]
    return tag in named or "*" in named
