"""Which triggers fit what has come, and the run that each begins."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from engine.begin import Begin
from engine.definitions.triggers import triggers_of
from engine.registry import RefusedStart
from engine.transaction import Transaction
from runtime.cipher import Cipher
from runtime.ids import Prefix, id_of
from runtime.logs import logger
from runtime.trace import new_trace_id
from schemas.core.parameters import problems_with
from schemas.core.private_words import sealed
from schemas.core.problems import Problem
from statemachine.workflow.definition import Workflow
from statemachine.workflow.expression.calculation import ExpressionFault
from statemachine.workflow.options.triggers import Trigger, TriggerKind
from storage.engine.runs import Runs
from storage.engine.triggers.inbox import InboxEntry

_log = logger(__name__)

MOST_DEPTH: Final = 10
"""Triggers that may lie between a run and what came from outside: a workflow that triggers itself ends there."""


@dataclass(frozen=True, slots=True)
class ActiveTrigger:
    """A trigger of a version that new runs begin with."""

    workflow: Workflow
    position: int
    trigger: Trigger


def fitting(workflows: Iterable[Workflow], kind: TriggerKind, name: str) -> Iterator[ActiveTrigger]:
    """The triggers of these workflows for what is of this kind and has this name."""
    for workflow in workflows:
        for position, trigger in enumerate(triggers_of(workflow)):
            if trigger.kind is kind and trigger.name == name:
                yield ActiveTrigger(workflow, position, trigger)


def start_by(active: ActiveTrigger, entry: InboxEntry, cipher: Cipher) -> Begin | RefusedStart | None:
    """The run that an entry begins by a trigger, or why it begins none; `None` where the trigger does not want it."""
    run_id = run_id_of(active, entry.received_at, f"inbox {entry.entry_id}")
    if entry.depth >= MOST_DEPTH:
        problem = Problem(
            field="event",
            message=f"was led to by {MOST_DEPTH} triggers one after the other; it would go on without end",
        )
        return _refused(active, entry.payload, run_id, (problem,), entry.sent_by)
    return start(
        active,
        entry.payload,
        run_id=run_id,
        cipher=cipher,
        depth=entry.depth,
        created_by=entry.sent_by,
        trace_id=entry.trace_id,
    )


def start(
    active: ActiveTrigger,
    event: object,
    *,
    run_id: str,
    cipher: Cipher,
    depth: int = 0,
    created_by: str | None = None,
    trace_id: str | None = None,
) -> Begin | RefusedStart | None:
    """The run that a trigger begins with this event, or why it begins none; `None`: its condition does not hold."""
    scope = {"event": event}
    trigger, workflow = active.trigger, active.workflow
    try:
        if not wants(trigger, event):
            return None
        parameters = event if trigger.parameters is None else trigger.parameters.fill(scope)
    except ExpressionFault as fault:
        problem = Problem(field="trigger", message=str(fault))
        return _refused(active, event, run_id, (problem,), created_by)
    parameters = {} if parameters is None else parameters
    if not isinstance(parameters, Mapping):
        problem = Problem(field="parameters", message="must be an object; the trigger gives something else")
        return _refused(active, event, run_id, (problem,), created_by)
    if problems := problems_with(parameters, workflow.parameters):
        return _refused(active, parameters, run_id, tuple(problems), created_by)
    return Begin(
        run_id=run_id,
        workflow=workflow,
        variables=sealed(parameters, workflow.parameters, run_id, cipher),
        description=trigger.kind.value,
        created_by=created_by,
        depth=depth,
        trace_id=trace_id or new_trace_id(),
    )


def begin_once(transaction: Transaction, runs: Sequence[Begin]) -> None:
    """Begin those of these runs that were not begun before."""
    if runs:
        before = {run.run_id for run in Runs(transaction.work).lock([run.run_id for run in runs])}
        transaction.begin([run for run in runs if run.run_id not in before])


def keep_refused(transaction: Transaction, refused: Sequence[RefusedStart]) -> None:
    """Keep what could not be begun where a person sees it."""
    keep = transaction.registry.keep_refused
    if not refused:
        return
    _log.warning("triggers began no run", refused=len(refused))
    if keep is not None:
        keep(transaction.work, refused)


def wants(trigger: Trigger, event: object) -> bool:
    """Whether its condition holds.

    Raises:
        ExpressionFault: it has no value over this event.
    """
    fits = not trigger.states or _ended_as(event) in {state.value for state in trigger.states}
    return fits and (trigger.condition is None or trigger.condition.holds({"event": event}))


def run_id_of(active: ActiveTrigger, moment: datetime, source: str) -> str:
    """The id of the run that this source begins by a trigger: the same again, so that it is begun once."""
    named = f"{active.workflow.name} {active.position} {source}"
    return id_of(Prefix.RUN, moment, hashlib.sha256(named.encode()).digest())


def _ended_as(event: object) -> object:
    return event.get("state") if isinstance(event, Mapping) else None


def _refused(
    active: ActiveTrigger, given: object, run_id: str, problems: tuple[Problem, ...], sent_by: str | None
) -> RefusedStart:
    """In the form of a task, so that a person may correct it and send it in again."""
    return RefusedStart(
        document={
            "task_type": active.workflow.name,
            "description": active.trigger.kind.value,
            "parameters": given if isinstance(given, Mapping) else {"event": given},
            "task_id": run_id,
        },
        problems=problems,
        run_id=run_id,
        sent_by=sent_by,
    )
