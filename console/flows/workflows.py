"""Workflows: the list, one version with its diagram and text, and what is done with it (CONSOLE.md §5)."""

from itertools import groupby
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from api.server.refusal import unknown
from console.flows.workflow_view import ListedWorkflow, Remark, WorkflowPage, WorkflowsPage
from console.server.route import change, page
from console.server.visit import Visit, see
from engine.definitions.states import IllegalMove, UnknownVersion, UnservedTrigger, current_of
from schemas.access.scopes import Scope
from schemas.core.definition.text import as_yaml
from statemachine.workflow.definition import MalformedWorkflow
from statemachine.workflow.states import DefinitionEvent, DefinitionState
from tasks.flows.bpmn_export import bpmn_of, picture_of
from tasks.flows.definitions.registered import RegisteredDefinition, move_version, registered, versions_of
from tasks.flows.definitions.sent_text import SentText, examined

SVG: Final = "image/svg+xml"
_BPMN: Final = "application/xml"
_CONFLICT: Final = 409


def show_workflows(visit: Visit) -> Response:
    """Every workflow, by name."""
    versions = versions_of(visit.parts.database)
    several = [(name, list(each)) for name, each in groupby(versions, lambda version: version.workflow)]
    rows = [ListedWorkflow(name=name, current=current_of(each), versions=each) for name, each in several]
    return visit.page(WorkflowsPage(rows=rows))


def show_workflow(visit: Visit) -> Response:
    """A version with its definition."""
    return visit.page(_page(visit))


def draw_workflow(visit: Visit) -> Response:
    """Its diagram."""
    return Response(picture_of(_found(visit).body), media_type=SVG)


def export_workflow(visit: Visit) -> Response:
    """The version as a BPMN file."""
    found = _found(visit)
    name = f"{found.version.workflow}_{found.version.version}.bpmn"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(bpmn_of(found.body), media_type=_BPMN, headers=headers)


def activate(visit: Visit) -> Response:
    """Let new runs begin with it."""
    return _moved(visit, DefinitionEvent.ACTIVATE)


def retire(visit: Visit) -> Response:
    """Let no new run begin with it."""
    return _moved(visit, DefinitionEvent.RETIRE)


def _moved(visit: Visit, event: DefinitionEvent) -> Response:
    name, version = visit.path["name"], visit.path["version"]
    try:
        move_version(visit.parts.database, visit.parts.engine, name, version, event, by=visit.login)
    except UnknownVersion:
        raise unknown("workflow", name) from None
    except (IllegalMove, MalformedWorkflow, UnservedTrigger) as error:
        return visit.page(_page(visit, f"flows.workflow.refusal.{event.value}", str(error)), _CONFLICT)
    return see(f"/workflows/{name}/{version}")


def _found(visit: Visit) -> RegisteredDefinition:
    """The version that the address names.

    Raises:
        Refusal: there is none.
    """
    name, version = visit.path["name"], visit.path["version"]
    try:
        return registered(visit.parts.database, name, version)
    except UnknownVersion:
        raise unknown("workflow", f"{name} {version}") from None


def _page(visit: Visit, refusal: str | None = None, detail: str = "") -> WorkflowPage:
    found = _found(visit)
    versions = versions_of(visit.parts.database, found.version.workflow)
    text = as_yaml(found.body)
    return WorkflowPage(
        version=found.version,
        current=current_of(versions),
        others=[each for each in versions if each.version != found.version.version],
        title=str(found.body.get("title") or ""),
        steps=[(str(step.get("id")), _says(step)) for step in found.body.get("steps", ())],
        lines=text.rstrip("\n").split("\n"),
        open_points=_open_points(visit, text) if found.version.state is DefinitionState.DRAFT else (),
        refusal=refusal,
        detail=detail,
    )


def _says(step: Any) -> str:
    """What a step is called, or what it does."""
    return str(step.get("title") or step.get("action") or step.get("tool") or step.get("type") or "")


def _open_points(visit: Visit, text: str) -> list[Remark]:
    """What keeps a draft from being activated, by the lines of the text that is shown."""
    sent = SentText(text.encode(), is_yaml=True)
    _, problems = examined(sent, visit.parts.database, visit.parts.engine.definition_rules, active=True)
    return [Remark(message=each.message, line=each.line, element=each.pointer) for each in problems]


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/workflows", show_workflows),
    page("/workflows/{name}/{version}", show_workflow),
    page("/workflows/{name}/{version}/diagram.svg", draw_workflow),
    page("/workflows/{name}/{version}/bpmn", export_workflow),
    change("/workflows/{name}/{version}/activate", activate, scope=Scope.WORKFLOWS),
    change("/workflows/{name}/{version}/retire", retire, scope=Scope.WORKFLOWS),
)
"""The routes of workflows."""
