"""The workflow routes: definitions are sent, checked, activated, retired, and looked at."""

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from api.flows.definition_text import (
    DEFINITION_BODY,
    MOST_PROBLEMS,
    Sent,
    refusal_of,
    view_of,
)
from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.parts import Parts
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import GivenParts
from engine.definitions.states import current_of
from schemas.access.scopes import Scope
from schemas.core.definition.text import as_yaml
from schemas.core.error import Code
from schemas.flows.workflows import (
    DefinitionAdded,
    DefinitionChecked,
    DefinitionMoved,
    DefinitionView,
    VersionName,
    WorkflowList,
    WorkflowName,
    WorkflowVersionView,
    WorkflowView,
)
from statemachine.workflow.states import DefinitionEvent
from storage.engine.definitions import DefinitionVersion
from tasks.flows.definitions.registered import move_version, registered, versions_of
from tasks.flows.definitions.sent_text import examined, keep_draft

router = APIRouter(prefix="/workflows", tags=["workflows"], route_class=Route)

Name = Annotated[WorkflowName, Path(description="The workflow's name.", examples=["pending_task"])]
Version = Annotated[VersionName, Path(description="One of its versions.", examples=["1.0"])]


@router.post(
    "",
    summary="Keep a version of a workflow as a draft",
    # The same version again is known by its body.
    dependencies=[requires(Scope.WORKFLOWS, repeatable=True)],
    responses=documented(Code.STATE_CONFLICT, Code.PAYLOAD_TOO_LARGE, Code.UNSUPPORTED_MEDIA_TYPE),
    openapi_extra=DEFINITION_BODY,
)
def add_workflow(sent: Sent, parts: GivenParts, actor: Actor) -> DefinitionAdded:
    """Nothing begins with it before it is activated. The same body again answers the same, another body 409.

    What is wrong with it is answered all at once, in `details.fields`. The steps that the product of its trigger
    needs may be missing until it is activated.
    """
    written, problems = examined(sent, parts.database, parts.engine.definition_rules, active=False)
    if problems:
        raise refusal_of(problems)
    kept = keep_draft(parts.database, written, by=actor)
    return DefinitionAdded(outcome="added" if kept.is_new else "existing", version=_version(kept.version))


@router.post(
    "/check",
    summary="Say what is wrong with a definition",
    dependencies=[requires(Scope.WORKFLOWS, repeatable=True)],
    responses=documented(Code.PAYLOAD_TOO_LARGE, Code.UNSUPPORTED_MEDIA_TYPE),
    openapi_extra=DEFINITION_BODY,
)
def check_workflow(sent: Sent, parts: GivenParts) -> DefinitionChecked:
    """Answers 200 whether it could be activated or not, and says so; nothing is kept."""
    written, problems = examined(sent, parts.database, parts.engine.definition_rules, active=True)
    return DefinitionChecked(
        valid=not problems,
        workflow=_text(written.body.get("workflow")),
        version=_text(written.body.get("version")),
        problems=[view_of(problem) for problem in problems[:MOST_PROBLEMS]],
    )


@router.get("", summary="Every workflow", dependencies=[requires(Scope.READ)])
def list_workflows(parts: GivenParts) -> WorkflowList:
    """By name, each with its versions and their states."""
    versions = versions_of(parts.database)
    return WorkflowList(
        workflows=[
            _workflow(name, list(several)) for name, several in groupby(versions, lambda each: each.workflow)
        ]
    )


@router.get(
    "/{name}",
    summary="A workflow with its versions",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def find_workflow(name: Name, parts: GivenParts) -> WorkflowView:
    """New runs begin with `current_version`: of the active versions the one that was activated last."""
    versions = versions_of(parts.database, name)
    if not versions:
        raise unknown("workflow", name)
    return _workflow(name, versions)


@router.get(
    "/{name}/{version}",
    summary="A version with its definition",
    response_model=DefinitionView,
    dependencies=[requires(Scope.READ)],
    responses={
        **documented(Code.NOT_FOUND),
        200: {"content": {"application/yaml": {"schema": {"type": "object"}}}},
    },
)
def find_definition(
    name: Name,
    version: Version,
    parts: GivenParts,
    form: Annotated[
        Literal["json", "yaml"],
        Query(alias="format", description="`yaml`: the definition alone, as YAML."),
    ] = "json",
) -> DefinitionView | Response:
    """Its fields in the order in which they were written."""
    found = registered(parts.database, name, version)
    if form == "yaml":
        return Response(as_yaml(found.body), media_type="application/yaml")
    return DefinitionView(**_version(found.version).model_dump(), definition=dict(found.body))


@router.post(
    "/{name}/{version}/activate",
    summary="Let new runs begin with a version",
    # Once it is active, the same again changes nothing.
    dependencies=[requires(Scope.WORKFLOWS, repeatable=True)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def activate_workflow(name: Name, version: Version, parts: GivenParts, actor: Actor) -> DefinitionMoved:
    """Every process begins new runs with it within 2 seconds; runs that have begun keep their version.

    Refused when it names what there is no more, or lacks a step that the product of its trigger needs.
    """
    return _moved(name, version, DefinitionEvent.ACTIVATE, parts, actor)


@router.post(
    "/{name}/{version}/retire",
    summary="Let no new run begin with a version",
    dependencies=[requires(Scope.WORKFLOWS, repeatable=True)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def retire_workflow(name: Name, version: Version, parts: GivenParts, actor: Actor) -> DefinitionMoved:
    """Runs that have begun go on; new ones begin with the active version that was activated before, if there is one."""
    return _moved(name, version, DefinitionEvent.RETIRE, parts, actor)


def _moved(name: str, version: str, event: DefinitionEvent, parts: Parts, actor: str) -> DefinitionMoved:
    moved = move_version(parts.database, parts.engine, name, version, event, by=actor)
    return DefinitionMoved(outcome="repeated" if moved.repeated else "applied", version=_version(moved.found))


def _workflow(name: str, versions: Sequence[DefinitionVersion]) -> WorkflowView:
    return WorkflowView(
        workflow=name, current_version=current_of(versions), versions=[_version(each) for each in versions]
    )


def _version(found: DefinitionVersion) -> WorkflowVersionView:
    return WorkflowVersionView(
        workflow=found.workflow,
        version=found.version,
        state=found.state.value,
        registered_at=found.registered_at,
        activated_at=found.activated_at,
        retired_at=found.retired_at,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
