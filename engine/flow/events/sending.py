"""What runs send: what their steps emit, and their ends where those begin other runs."""

from collections.abc import Sequence
from typing import Final

from engine.catalogue import Catalogue
from engine.definitions.triggers import triggers_of
from engine.flow.facts import RunFacts
from statemachine.workflow.options.emission import EmissionKind
from statemachine.workflow.options.triggers import TriggerKind
from statemachine.workflow.plan import Emitted
from storage.core.unit_of_work import UnitOfWork
from storage.engine.runs import Runs
from storage.engine.triggers.inbox import NewInboxEntry

_KINDS: Final = {
    EmissionKind.EVENT: TriggerKind.EVENT,
    EmissionKind.MESSAGE: TriggerKind.MESSAGE,
    EmissionKind.SIGNAL: TriggerKind.SIGNAL,
}


def sent_by(run: RunFacts, emitted: Emitted) -> NewInboxEntry:
    """The entry of the inbox for what a step has emitted."""
    return NewInboxEntry(
        kind=_KINDS[emitted.kind],
        name=emitted.name,
        key=emitted.key or "",
        payload={} if emitted.payload is None else emitted.payload,
        depth=run.depth + 1,
        trace_id=run.trace_id,
        sent_by=run.created_by,
    )


def ends_of(work: UnitOfWork, catalogue: Catalogue, ended: Sequence[RunFacts]) -> list[NewInboxEntry]:
    """An entry for each of these ends that a workflow has a trigger for; mostly none."""
    awaited = {
        trigger.name
        for workflow in catalogue.active(work)
        for trigger in triggers_of(workflow)
        if trigger.kind is TriggerKind.RUN_ENDED
    }
    wanted = [run.run_id for run in ended if run.workflow.name in awaited]
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
            trace_id=run.trace_id,
            source_id=run.run_id,
        )
        for run in (Runs(work).lock(wanted) if wanted else ())
    ]
