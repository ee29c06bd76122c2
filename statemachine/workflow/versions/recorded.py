"""What was recorded of the steps of an ended run, and what in it keeps a replay from saying anything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from statemachine.workflow.definition import Kind, Step, Workflow
from statemachine.workflow.failures import INCIDENT
from statemachine.workflow.filling import Given
from statemachine.workflow.options.catches import CatchKind
from statemachine.workflow.states import OPEN_STEPS, StepState

_OWN_FAULTS: Final = frozenset({"expression", "invalid_variable"})
"""The codes with which a step fails by its definition: what its work returned is not recorded then."""
_WITH_AN_INSIDE: Final = frozenset({Kind.EACH.value, Kind.SCOPE.value, Kind.COMPENSATE.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStep:
    """A step of an ended run, as it stands in the database."""

    step_id: int
    node: str
    kind: str
    action: str | None
    state: StepState
    input: Given
    output: Given | None
    error: Given | None
    caused_by: int | None
    in_scope: bool
    """Whether it lies in a scope or loop, or was repeated."""
    at_once: bool
    """Whether it ended in the transaction that created it."""


class NotComparable(ValueError):
    """The run has something whose replay would say nothing; the message names it."""


def obstacles(before: Workflow, after: Workflow, rows: Sequence[RecordedStep]) -> Iterator[str]:
    """What a run has whose replay would say nothing."""
    begun: set[str] = set()
    began = True
    for row in sorted(rows, key=lambda each: each.step_id):
        began = began and row.caused_by is None
        yield from _of_row(row)
        if row.caused_by is None:
            if not began or row.node in begun:
                yield f"step '{row.node}' was entered from outside"
            begun.add(row.node)
        yield from _of_step(before.steps.get(row.node), row)
    for version in (before, after):
        if any(catch.kind is not CatchKind.ERROR for catch in version.options.on):
            yield f"events may break in upon runs of version {version.version}"


def _of_row(row: RecordedStep) -> Iterator[str]:
    if row.state in OPEN_STEPS:
        yield f"step '{row.node}' has not ended"
    if row.in_scope or row.kind in _WITH_AN_INSIDE:
        yield f"step '{row.node}' is a scope or loop, or lies in one"
    if row.kind == Kind.WORKFLOW:
        yield f"step '{row.node}' began another run"
    if row.state is StepState.CANCELLED:
        yield f"step '{row.node}' was cancelled"
    if not row.at_once and (row.error or {}).get("code") in _OWN_FAULTS and row.state is StepState.FAILED:
        yield f"step '{row.node}' failed by its definition, and what it returned is not recorded"


def _of_step(step: Step | None, row: RecordedStep) -> Iterator[str]:
    if step is None:
        if row.node != INCIDENT.id:
            yield f"step '{row.node}' does not stand in the version that it was recorded in"
        return
    if any(catch.kind is not CatchKind.ERROR for catch in step.on):
        yield f"events may break in upon step '{row.node}'"
    if step.stop is not None and (step.stop.terminates or step.stop.error or step.stop.escalation):
        yield f"the end '{row.node}' ends what is around it"
