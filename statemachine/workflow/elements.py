"""Plans the elements of loops, and what undoes steps that are done; pure, changes nothing."""

from dataclasses import dataclass, replace

from statemachine.workflow.definition import Kind, Step, Workflow
from statemachine.workflow.expression.calculation import ExpressionFault
from statemachine.workflow.filling import Given, StepFault
from statemachine.workflow.options.loops import ForEach
from statemachine.workflow.options.run_variable import VariableFault
from statemachine.workflow.plan import Entered, Write
from statemachine.workflow.planning import Planning, error_of
from statemachine.workflow.values import RunValues


def element(
    workflow: Workflow, step: Step, given: Given, values: RunValues, item: object, index: int
) -> Entered:
    """Return one element of a loop as a step to be created.

    Its input is the element and its place, and the parameters: what led to the loop is seen by its expressions, and
    not written as often as there are elements.

    Raises:
        StepFault: an expression has no value for it.
    """
    around = bound(step, values, item, index)
    planning = Planning(workflow, replace(values, bound=around))
    own = _names_of(step, item, index)
    try:
        return replace(planning.filled(step, own, {**planning.names(given), **around}), index=index)
    except ExpressionFault as fault:
        raise StepFault("expression", str(fault)) from fault


def unfilled(step: Step, item: object, index: int) -> Entered:
    """Return one element of a loop with the element and its place, and none of its expressions filled."""
    return Entered(step=step, given=_names_of(step, item, index), index=index)


def compensation(workflow: Workflow, done: str, given: Given, values: RunValues) -> Entered:
    """Return the step that undoes one that is done.

    Raises:
        StepFault: an expression of it has no value.
    """
    step = workflow.steps[str(workflow.steps[done].compensation)]
    planning = Planning(workflow, values)
    try:
        return planning.filled(step, given, planning.names(given))
    except ExpressionFault as fault:
        raise StepFault("expression", str(fault)) from fault


def to_compensate(workflow: Workflow, step: Step) -> frozenset[str]:
    """The steps that a compensate step undoes where they are done: those it names, or all of its scope."""
    named = step.compensates or tuple(each.id for each in workflow.steps.values() if each.scope == step.scope)
    found: set[str] = set()
    waiting = list(named)
    while waiting:
        each = workflow.steps[waiting.pop()]
        if each.compensation is not None:
            found.add(each.id)
        elif each.kind is Kind.SCOPE:
            waiting += [inner.id for inner in workflow.steps.values() if inner.scope == each.id]
    return frozenset(found)


def bound(step: Step, values: RunValues, item: object, index: int) -> dict[str, object]:
    """What the elements around are called, once this one is among them."""
    return {**values.bound, **_names_of(step, item, index)}


def _names_of(step: Step, item: object, index: int) -> dict[str, object]:
    name = step.loop.name if isinstance(step.loop, ForEach) else "item"
    return {name: item, "index": index}


@dataclass(frozen=True, slots=True)
class ElementDone:
    """What one element of a loop came to."""

    writes: list[Write]
    last: bool
    """Whether no further element is to be begun."""


def after_element(workflow: Workflow, step: Step, output: Given, values: RunValues) -> ElementDone:
    """Return what an element has written, and whether it was the last; its names are bound in the values.

    Raises:
        StepFault: an expression of the step has no value over its output, or a variable may not hold one.
    """
    planning = Planning(workflow, values)
    try:
        planning.write(step, planning.names(output))
        until = step.loop.until if isinstance(step.loop, ForEach) else None
        return ElementDone(planning.plan.writes, until is not None and until.holds(planning.names(output)))
    except (ExpressionFault, VariableFault) as fault:
        error = error_of(fault)
        raise StepFault(str(error["code"]), str(error["message"])) from fault
