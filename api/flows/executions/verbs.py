"""The verbs of an execution: what people do to it while it goes on, each recorded with who and why."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends

from api.flows.executions.reading import ExecutionId, found_in
from api.flows.task_control import carry_out
from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import GivenParts
from api.task_intake import GivenIntake
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.flows.executions import (
    ExecutionChanged,
    Intervened,
    RerunAsked,
    SignalAsked,
    SkipAsked,
    VariablesAsked,
)
from statemachine.workflow.options.catches import CatchKind
from storage.flows.task_list import TaskRow
from tasks.flows.executions.execution_fields import execution_of
from tasks.flows.interventions import (
    Intervention,
    Rerun,
    SendSignal,
    SetVariables,
    Skip,
    Terminate,
    intervene,
)
from tasks.verbs import Verb, VerbResult

router = APIRouter(prefix="/executions", tags=["executions"], route_class=Route)


@dataclass(frozen=True, slots=True)
class VerbAsked:
    """What every verb is given beside the execution: the parts of this process, and who asks."""

    parts: GivenParts
    intake: GivenIntake
    actor: Actor

    def row(self, run_id: str) -> TaskRow:
        """The execution with this id, as it stands.

        Raises:
            Refusal: there is none.
        """
        with self.parts.database.transaction() as work:
            return found_in(work, run_id, self.intake.forms)

    def changed(self, run_id: str, result: VerbResult) -> ExecutionChanged:
        """The answer to a verb: the execution as it is now."""
        with self.parts.database.transaction() as work:
            row = found_in(work, run_id, self.intake.forms)
            fields = execution_of(work, row, self.intake.forms, self.parts.engine.catalogue)
        return ExecutionChanged(**fields, outcome="applied" if result is VerbResult.DONE else "repeated")


GivenAsked = Annotated[VerbAsked, Depends()]

_MAY = [requires(Scope.TASKS)]
_CHANGES = documented(Code.NOT_FOUND, Code.STATE_CONFLICT)


@router.post("/{execution_id}/pause", summary="Let nothing new begin", dependencies=_MAY, responses=_CHANGES)
def pause_execution(
    execution_id: ExecutionId, asked: GivenAsked, body: Intervened | None = None
) -> ExecutionChanged:
    """What is under way goes on; times that were set stay as they are."""
    return _steered(asked, execution_id, Verb.PAUSE, body)


@router.post("/{execution_id}/resume", summary="Let it go on", dependencies=_MAY, responses=_CHANGES)
def resume_execution(
    execution_id: ExecutionId, asked: GivenAsked, body: Intervened | None = None
) -> ExecutionChanged:
    """What came due meanwhile is due now."""
    return _steered(asked, execution_id, Verb.RESUME, body)


@router.post("/{execution_id}/cancel", summary="Cancel it", dependencies=_MAY, responses=_CHANGES)
def cancel_execution(
    execution_id: ExecutionId, asked: GivenAsked, body: Intervened | None = None
) -> ExecutionChanged:
    """What is open is cancelled; what is done is undone first where the definition says `on_cancel: compensate`."""
    return _steered(asked, execution_id, Verb.CANCEL, body)


@router.post("/{execution_id}/terminate", summary="Cancel it at once", dependencies=_MAY, responses=_CHANGES)
def terminate_execution(
    execution_id: ExecutionId, asked: GivenAsked, body: Intervened | None = None
) -> ExecutionChanged:
    """Nothing is undone, and undoing that is under way is ended, too."""
    return _intervened(asked, execution_id, Terminate(), body)


@router.post("/{execution_id}/retry", summary="Let a failed one go on", dependencies=_MAY, responses=_CHANGES)
def retry_execution(
    execution_id: ExecutionId, asked: GivenAsked, body: Intervened | None = None
) -> ExecutionChanged:
    """The failed step runs again with the input it had; the time the execution is given begins anew."""
    return _steered(asked, execution_id, Verb.RETRY, body)


@router.post(
    "/{execution_id}/rerun", summary="Go on from a step once more", dependencies=_MAY, responses=_CHANGES
)
def rerun_execution(execution_id: ExecutionId, asked: GivenAsked, body: RerunAsked) -> ExecutionChanged:
    """What followed the step is superseded: its open steps are cancelled, those that have ended stay as history.

    For an execution that is open or has failed, and a step outside of scopes that was entered before.
    """
    return _intervened(asked, execution_id, Rerun(body.step, body.input), body)


@router.post("/{execution_id}/skip", summary="End a step as done", dependencies=_MAY, responses=_CHANGES)
def skip_step(execution_id: ExecutionId, asked: GivenAsked, body: SkipAsked) -> ExecutionChanged:
    """An open step that nobody is at work on ends with this output; what is in it is cancelled."""
    return _intervened(asked, execution_id, Skip(body.step_id, body.output), body)


@router.post("/{execution_id}/set", summary="Write variables", dependencies=_MAY, responses=_CHANGES)
def set_execution_variables(
    execution_id: ExecutionId, asked: GivenAsked, body: VariablesAsked
) -> ExecutionChanged:
    """Each value is checked against what the variable may hold, all or none; the history says who wrote it."""
    return _intervened(asked, execution_id, SetVariables(body.variables), body)


@router.post("/{execution_id}/signal", summary="Tell it something", dependencies=_MAY, responses=_CHANGES)
def signal_execution(execution_id: ExecutionId, asked: GivenAsked, body: SignalAsked) -> ExecutionChanged:
    """A message or a signal for this execution alone; 409 where nothing in it waits for that now."""
    sent = SendSignal(CatchKind(body.kind), body.name, body.key, body.payload)
    return _intervened(asked, execution_id, sent, body)


def _steered(asked: VerbAsked, execution_id: str, verb: Verb, body: Intervened | None) -> ExecutionChanged:
    row = asked.row(execution_id)
    reason = body.reason if body else None
    return asked.changed(
        row.run_id, carry_out(row.task_id, verb, asked.parts, asked.intake, asked.actor, reason)
    )


def _intervened(
    asked: VerbAsked, execution_id: str, what: Intervention, body: Intervened | None
) -> ExecutionChanged:
    row = asked.row(execution_id)
    reason = body.reason if body else None
    result = intervene(asked.parts.engine, row.run_id, what, by=asked.actor, reason=reason)
    if result is VerbResult.UNKNOWN:
        raise unknown("execution", execution_id)
    return asked.changed(row.run_id, result)
