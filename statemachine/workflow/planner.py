"""Plans the steps that follow when a step has ended; pure, changes nothing."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from statemachine.workflow import failures
from statemachine.workflow.definition import ORIGIN, Kind, Step, Workflow
from statemachine.workflow.expression.calculation import ExpressionFault
from statemachine.workflow.failures import INCIDENT
from statemachine.workflow.filling import Given, StepFault, key_of, slot_of
from statemachine.workflow.options.catches import Catch
from statemachine.workflow.options.loops import ForEach, Repeat
from statemachine.workflow.options.run_variable import VariableFault
from statemachine.workflow.plan import Arrived, Entered, Plan
from statemachine.workflow.planning import Planning, error_of
from statemachine.workflow.values import RunValues

CATCH: Final = "catch"
"""In the output of a wait: which of its events has come, counted from 0."""
COMPENSATION: Final = Step(id="$compensation", kind=Kind.COMPENSATE, title="撤销已完成的步骤")
"""What undoes a run that is cancelled (`on_cancel: compensate`)."""
SLOT: Final = Step(id="$slot", kind=Kind.WAIT, title="等待并发名额")
"""Where a run waits that may not begin yet (`concurrency`, `rate`)."""
_OUR_OWN: Final = {step.id: step for step in (INCIDENT, COMPENSATION, SLOT)}


class UnknownDecision(ValueError):
    """The decision is not one that this human step offers; the message lists those."""


def step_of(workflow: Workflow, node: str) -> Step:
    """The step of a row: one of the definition, or one of those that stand in none."""
    return _OUR_OWN.get(node) or workflow.steps[node]


def begin(
    workflow: Workflow,
    values: RunValues,
    *,
    scope: str | None = None,
    given: Given | None = None,
    admitted: bool = False,
) -> Plan:
    """Return the first steps of a run, or of one of its scopes with what that was given.

    A run that needs a slot waits for it first, unless it was `admitted`.
    """
    planning = Planning(workflow, values)
    if scope is None and not admitted:
        limits = workflow.options
        try:
            slot = slot_of(limits.concurrency, limits.rate, planning.names(values.parameters))
        except (ExpressionFault, StepFault) as fault:
            planning.plan.error = {**error_of(fault), "step": SLOT.id}
            return planning.plan
        if slot is not None:
            planning.plan.entered.append(Entered(step=SLOT, given={}, slot=slot))
            return planning.plan
    for target in workflow.start if scope is None else workflow.starts[scope]:
        planning.enter(target, values.parameters if given is None else given, "")
    return planning.plan


def after_success(
    workflow: Workflow,
    node: str,
    *,
    given: Given,
    output: Given,
    values: RunValues,
    index: int | None = None,
) -> Plan:
    """Return the steps that follow a successful step.

    Args:
        workflow: the definition the run began with.
        node: the step that succeeded.
        given: the input that step had.
        output: what it returned; the input of what follows.
        values: what expressions see of the run.
        index: how often a repeated step was done before.

    Raises:
        StepFault: an expression of the step has no value over its output, or a variable may not hold one.
        UnknownDecision: a human step was answered with a decision it does not offer.
    """
    if node in _OUR_OWN:
        return _after_our_own(workflow, node, given, output, values)
    step = workflow.steps[node]
    planning = Planning(workflow, values)
    try:
        if step.writes and not step.instant and not isinstance(step.loop, ForEach):
            planning.write(step, planning.names(output))
        if isinstance(step.loop, Repeat) and _again(planning, step, given, output, index or 0):
            return planning.plan
        targets = _targets(planning, step, given, output)
    except (ExpressionFault, VariableFault) as fault:
        error = error_of(fault)
        raise StepFault(str(error["code"]), str(error["message"])) from fault
    for target in targets:
        if target == ORIGIN:
            planning.reach(workflow.steps[str(given["origin"])], _mapping(given["origin_input"]))
        else:
            planning.enter(target, output, node)
    for join in workflow.waiting_for.get(node, ()):
        if len(workflow.steps[join].needs) == 1:
            _join(planning, workflow.steps[join], {node: output})
        else:
            planning.plan.arrived.append(Arrived(join, node, output, own=True))
    return planning.plan


def enter(workflow: Workflow, node: str, given: Given, values: RunValues) -> Plan:
    """Return what there is to do where a step is entered from outside, with this input."""
    planning = Planning(workflow, values)
    planning.reach(step_of(workflow, node), given)
    return planning.plan


def after_join(workflow: Workflow, join: str, arrived: Mapping[str, Given], values: RunValues) -> Plan:
    """Return what follows when the branches that a step waits for have come, each with what it gives."""
    planning = Planning(workflow, values)
    step = workflow.steps[join]
    if step.needs or len(arrived) > 1:
        _join(planning, step, arrived)
    else:
        for given in arrived.values():
            planning.reach(step, given)
    return planning.plan


def after_failure(
    workflow: Workflow, node: str, *, given: Given, error: Given, values: RunValues
) -> Plan | None:
    """Return the steps that follow a final failure; `None` when no step handles it here."""
    planning = Planning(workflow, values)
    if node in _OUR_OWN:
        return None
    return planning.plan if planning.catch(workflow.steps[node], given, error) else None


def after_catch(workflow: Workflow, catch: Catch, given: Given, values: RunValues) -> Plan:
    """Return what follows when something has broken in upon a step, a scope or a run."""
    planning = Planning(workflow, values)
    for target in catch.next:
        planning.enter(target, given, str(given.get("origin", "")))
    return planning.plan


def start_key(workflow: Workflow, values: RunValues) -> str | None:
    """Return what makes a second start of this workflow the same as the first; nothing where it has no key.

    Raises:
        StepFault: it has no value.
    """
    if workflow.options.key is None:
        return None
    try:
        return key_of(workflow.options.key, values.names(workflow, values.parameters))
    except ExpressionFault as fault:
        raise StepFault("expression", str(fault)) from fault


def result(workflow: Workflow, values: RunValues, last: Given) -> object:
    """Return what a run comes to.

    Raises:
        ExpressionFault: the definition's `output` has no value.
    """
    if workflow.options.output is None:
        return last
    return workflow.options.output.fill(values.names(workflow, last))


def _join(planning: Planning, step: Step, arrived: Mapping[str, Given]) -> None:
    # By name, since which of them ended last is chance and must not decide a condition.
    order = planning.workflow.flows.get(step.id, tuple(arrived))
    named = {flow: arrived[flow] for flow in order if flow in arrived}
    planning.reach(step, {"needs": named}, named)


def _again(planning: Planning, step: Step, given: Given, output: Given, index: int) -> bool:
    """Enter a repeated step once more, where it is to be."""
    loop = step.loop
    if not isinstance(loop, Repeat) or index + 1 >= loop.most:
        return False
    if not loop.condition.holds({**planning.names(output), "index": index}):
        return False
    planning.plan.entered.append(planning.entered(step, given, index + 1))
    return True


def _targets(planning: Planning, step: Step, given: Given, output: Given) -> list[str]:
    if step.kind is Kind.WAIT and step.catches:
        came = output.get(CATCH)
        return list(step.catches[came].next) if isinstance(came, int) and came < len(step.catches) else []
    if step.kind is not Kind.HUMAN:
        return planning.following(step, output if not step.branches else planning.names(output))
    return [_decided(step, given, output)]


def _decided(step: Step, given: Given, output: Given) -> str:
    decision = str(output.get("decision", ""))
    target = step.decisions.get(decision)
    if target is None or (target == ORIGIN and "origin" not in given):
        offered = ", ".join(
            sorted(name for name, to in step.decisions.items() if to != ORIGIN or "origin" in given)
        )
        raise UnknownDecision(f"'{decision}' is not a decision of {step.id}; it offers {offered}")
    return target


def _after_our_own(workflow: Workflow, node: str, given: Given, output: Given, values: RunValues) -> Plan:
    """What follows a step that stands in no definition."""
    if node == INCIDENT.id:
        return _after_incident(workflow, given, output, values)
    return begin(workflow, values, admitted=True) if node == SLOT.id else Plan()


def _after_incident(workflow: Workflow, given: Given, output: Given, values: RunValues) -> Plan:
    origin, before = str(given["origin"]), _mapping(given["origin_input"])
    match _decided(INCIDENT, given, output):
        case failures.SKIP:
            _, returned = failures.what_ended(INCIDENT.id, given, output)
            loop = workflow.steps[origin].loop
            # What is skipped is not repeated.
            index = loop.most if isinstance(loop, Repeat) else None
            plan = after_success(workflow, origin, given=before, output=returned, values=values, index=index)
            # What the person says it came to is no step's output.
            return replace(plan, arrived=[replace(arrival, own=False) for arrival in plan.arrived])
        case failures.FAIL:
            return Plan(error={**_mapping(given["error"]), "step": origin})
        case _:
            planning = Planning(workflow, values)
            planning.reach(workflow.steps[origin], before)
            return planning.plan


def _mapping(value: object) -> Given:
    return value if isinstance(value, Mapping) else {}
