"""The routes of BPMN files: taken in, given out, drawn."""

from collections.abc import Iterable
from itertools import islice
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from api.flows.workflows import Name, Version
from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.scopes import Scope
from schemas.core.bpmn.problems import BpmnProblem
from schemas.core.error import Code
from schemas.flows.bpmn import BpmnImported, BpmnRemark, ImportedDefinitionView
from tasks.flows.bpmn_export import bpmn_of, picture_of
from tasks.flows.bpmn_import import BpmnImport, ImportReport
from tasks.flows.definitions.registered import registered

router = APIRouter(prefix="/workflows", tags=["workflows"], route_class=Route)

IMPORT_PATH: Final = f"{router.prefix}/import"
LARGEST_FILE: Final = 5 * 1_048_576
"""Bytes a BPMN file may have (WORKFLOWS.md §6)."""
MOST_REMARKS: Final = 1000
"""Remarks of a kind that one answer lists."""

BPMN: Final = "application/xml"
SVG: Final = "image/svg+xml"
BINARY: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_BODY: Final[dict[str, Any]] = {"requestBody": {"required": True, "content": {BPMN: BINARY}}}
_TYPES: Final = frozenset({BPMN, "text/xml", "application/bpmn+xml", "application/octet-stream"})


async def sent_file(request: Request) -> bytes:
    """The body, when it is XML.

    Raises:
        Refusal: it is something else (415).
    """
    kind = request.headers.get("content-type", BPMN).partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, f"send a BPMN file with Content-Type: {BPMN}")
    return await request.body()


@router.post(
    "/import",
    summary="Take a BPMN file in",
    # The same file again is known by its definitions.
    dependencies=[requires(Scope.WORKFLOWS, repeatable=True)],
    responses=documented(Code.STATE_CONFLICT, Code.PAYLOAD_TOO_LARGE, Code.UNSUPPORTED_MEDIA_TYPE),
    openapi_extra=_BODY,
)
def import_workflows(
    text: Annotated[bytes, Depends(sent_file)],
    parts: GivenParts,
    actor: Actor,
    *,
    check: Annotated[bool, Query(description="Only say what would become of it; nothing is kept.")] = False,
) -> BpmnImported:
    """Every process of it is kept as a draft, or nothing of the file. What is open in it stands in `open_points`.

    A file that is rejected is answered 200 with `problems`, since nothing is wrong with the request; nothing is kept.
    """
    taken = BpmnImport(parts.database, parts.engine.definition_rules).take(
        text, actor=None if check else actor
    )
    return _report(taken)


@router.get(
    "/{name}/{version}/bpmn",
    summary="A version as a BPMN file",
    dependencies=[requires(Scope.READ)],
    response_class=Response,
    responses={**documented(Code.NOT_FOUND), 200: {"content": {BPMN: BINARY}}},
)
def export_workflow(name: Name, version: Version, parts: GivenParts) -> Response:
    """With what came with the file that it was imported from, and with its diagram or a new one."""
    return Response(bpmn_of(registered(parts.database, name, version).body), media_type=BPMN)


@router.get(
    "/{name}/{version}/diagram.svg",
    summary="A picture of a version",
    dependencies=[requires(Scope.READ)],
    response_class=Response,
    responses={**documented(Code.NOT_FOUND), 200: {"content": {SVG: BINARY}}},
)
def draw_workflow(name: Name, version: Version, parts: GivenParts) -> Response:
    """By the diagram of the file that it was imported from, or laid out anew."""
    return Response(picture_of(registered(parts.database, name, version).body), media_type=SVG)


def _report(taken: ImportReport) -> BpmnImported:
    return BpmnImported(
        outcome=taken.outcome.value,
        definitions=[
            ImportedDefinitionView(
                workflow=str(each.body["workflow"]),
                version=str(each.body["version"]),
                ready=not taken.open_points[str(each.body["workflow"])],
                flow_nodes=each.flow_nodes,
            )
            for each in taken.definitions
        ],
        open_points=_remarks(point for several in taken.open_points.values() for point in several),
        notes=_remarks(taken.notes),
        problems=_remarks(taken.problems),
    )


def _remarks(problems: Iterable[BpmnProblem]) -> list[BpmnRemark]:
    return [
        BpmnRemark(message=each.message, line=each.line, element=each.element)
        for each in islice(problems, MOST_REMARKS)
    ]
