"""The ends of runs that workflows wait for as their trigger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.catalogue import Catalogue
from engine.definitions.triggers import triggers_of
from statemachine.workflow.options.triggers import TriggerKind
from statemachine.workflow.states import RunState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.inbox import NewInboxEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRun:
    """A run of a general workflow that ends in this transaction."""

    run_id: str
    workflow: str
    version: str
    state: RunState
    depth: int
    output: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None


def entries_of(work: UnitOfWork, catalogue: Catalogue, ended: Sequence[EndedRun]) -> list[NewInboxEntry]:
    """An entry of the inbox for each of these ends that a workflow has a trigger for; mostly none."""
    awaited = {
        trigger.name
        for workflow in catalogue.active(work)
        for trigger in triggers_of(workflow)
        if trigger.kind is TriggerKind.RUN_ENDED
    }
    return [
        NewInboxEntry(
            kind=TriggerKind.RUN_ENDED,
            name=run.workflow,
            payload={
                "run_id": run.run_id,
                "workflow": run.workflow,
                "version": run.version,
                "state": run.state.value,
                "output": run.output,
                "error": run.error,
            },
            depth=run.depth + 1,
        )
        for run in ended
        if run.workflow in awaited
    ]
