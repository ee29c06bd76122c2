"""Executions: the list, one with why it waits and where it stands, and what is done to it (CONSOLE.md §5)."""

from datetime import date, datetime, time
from typing import Final
from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.responses import Response
from starlette.routing import BaseRoute

from api.server.cursor import cursor_of, place_of
from api.server.refusal import invalid, unknown
from console.flows.execution_view import ExecutionsPage, ShownExecution
from console.flows.workflows import SVG
from console.server.form import EMPTY, Form
from console.server.route import change, page
from console.server.times import ZONE
from console.server.visit import Visit, see
from engine.catalogue import workflow_named
from schemas.access.scopes import Scope
from schemas.core.form import plausible, storable
from schemas.flows.executions import Intervened
from statemachine.workflow.states import RunState
from storage.flows.task_list import TaskFilter
from tasks.flows.definitions.registered import versions_of
from tasks.flows.executions.looking import ExecutionReader
from tasks.verbs import Verb, VerbResult

ROWS: Final = 50
"""Executions a page."""
STEPS: Final = 100
"""Steps a page."""
_MOST_CHILDREN: Final = 100
_LONGEST_NUMBER: Final = 18
"""Digits of a step's id, so that it is one that PostgreSQL has."""
_FILTERS: Final = ("workflow", "status", "since")
_CONFLICT: Final = 409


def show_executions(visit: Visit) -> Response:
    """A page of those that pass the filters of the address."""
    chosen = {name: visit.query.get(name, "") for name in _FILTERS}
    place = place_of(visit.query.get("after") or None)
    rows = _reader(visit).page(_filter(chosen), after=place, limit=ROWS + 1)
    kept = {name: value for name, value in chosen.items() if value}
    further = urlencode(kept | {"after": cursor_of(rows[ROWS - 1].position)}) if len(rows) > ROWS else None
    return visit.page(
        ExecutionsPage(
            rows=rows[:ROWS],
            workflows=list(dict.fromkeys(each.workflow for each in versions_of(visit.parts.database))),
            chosen=chosen,
            next=further,
        )
    )


def show_execution(visit: Visit) -> Response:
    """An execution in full."""
    return visit.page(_page(visit))


def draw_execution(visit: Visit) -> Response:
    """The diagram of its version, with where it stands."""
    picture = _reader(visit).picture(visit.path["execution_id"])
    if picture is None:
        raise unknown("execution", visit.path["execution_id"])
    return Response(picture, media_type=SVG)


def steer(visit: Visit) -> Response:
    """Pause it, let it go on, retry it, cancel it: each on record with its reason."""
    execution_id, form = visit.path["execution_id"], visit.form
    found = _reader(visit).in_full(execution_id)
    if found is None:
        raise unknown("execution", execution_id)
    try:
        verb = Verb(form["verb"])
    except ValueError:
        raise invalid([("verb", "is no verb of an execution")]) from None
    if verb is Verb.CANCEL and not form["reason"]:
        return visit.faulty(_page(visit, form.with_faults(reason="flows.execution.fault.no_reason")))
    try:
        reason = Intervened(reason=form["reason"] or None).reason
    except ValidationError:
        return visit.faulty(_page(visit, form.with_faults(reason="flows.execution.fault.reason")))
    result = visit.forms.steer(visit.parts.engine, found["task_id"], verb, by=visit.login, reason=reason)
    if result is VerbResult.UNKNOWN:
        raise unknown("execution", execution_id)
    if result in (VerbResult.ENDED, VerbResult.WAITS):
        why = "not_failed" if verb is Verb.RETRY and result is VerbResult.ENDED else result.value
        return visit.page(_page(visit, form, f"flows.execution.refusal.{why}"), _CONFLICT)
    return see(f"/executions/{execution_id}")


def _reader(visit: Visit) -> ExecutionReader:
    return ExecutionReader(visit.parts.database, visit.forms, visit.parts.engine)


def _filter(chosen: dict[str, str]) -> TaskFilter:
    """The filter that an address means.

    Raises:
        Refusal: a field of it cannot be read (422).
    """
    workflow, status, since = (chosen[name] for name in _FILTERS)
    try:
        begun = plausible(datetime.combine(date.fromisoformat(since), time(), ZONE)) if since else None
        state = RunState(status) if status else None
        named = workflow_named(storable(workflow)) if workflow else None
    except ValueError:
        raise invalid([("filters", "cannot be read")]) from None
    return TaskFilter(workflow=named, status=state, created_from=begun)


def _page(visit: Visit, form: Form = EMPTY, refusal: str | None = None) -> ShownExecution:
    """The page as it stands now.

    Raises:
        Refusal: there is no such execution, or no such place in its steps.
    """
    execution_id, after = visit.path["execution_id"], visit.query.get("after", "0")
    if not after.isdecimal() or len(after) > _LONGEST_NUMBER:
        raise invalid([("after", "is no step")])
    reader = _reader(visit)
    found = reader.in_full(execution_id)
    steps = reader.steps(execution_id, after=int(after), limit=STEPS + 1)
    if found is None or steps is None:
        raise unknown("execution", execution_id)
    return ShownExecution(
        execution=found,
        steps=steps[:STEPS],
        next=steps[STEPS - 1].step_id if len(steps) > STEPS else None,
        after=int(after),
        children=reader.children(found["execution_id"], _MOST_CHILDREN),
        form=form,
        refusal=refusal,
    )


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/executions", show_executions),
    page("/executions/{execution_id}", show_execution),
    page("/executions/{execution_id}/diagram.svg", draw_execution),
    change("/executions/{execution_id}/steer", steer, scope=Scope.TASKS),
)
"""The routes of executions."""
