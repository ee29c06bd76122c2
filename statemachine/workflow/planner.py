"""Plans the steps that follow when a step has ended; pure, changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from statemachine.workflow.definition import END, ORIGIN, Kind, Step, Workflow
from statemachine.workflow.expression.calculation import ExpressionFault


@dataclass(frozen=True, slots=True)
class Entered:
    """A step to be created, with what leads to it gives it."""

    step: Step
    given: Mapping[str, object]

    @property
    def input(self) -> Mapping[str, object]:
        """The input of the step: what it is given, and the parameters of its definition, which go before."""
        return {**self.given, **self.step.parameters} if self.step.parameters else self.given


@dataclass(frozen=True, slots=True)
class Passed:
    """A gateway that was passed on the way; recorded as a completed step."""

    step: Step
    held: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    """A gateway whose condition has no value; recorded as a failed step."""

    step: Step
    error: Mapping[str, object]


@dataclass(slots=True)
class Plan:
    """The steps that follow, in order of discovery. Empty: this branch has ended."""

    entered: list[Entered] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    stopped: list[Stopped] = field(default_factory=list)
    error: Mapping[str, object] | None = None
    """What the run fails with: a gateway has stopped, and no step handles it."""


class UnknownDecision(ValueError):
    """The decision is not one that this human step offers; the message lists those."""


def begin(workflow: Workflow, variables: Mapping[str, object]) -> Plan:
    """Return the first steps of a run."""
    plan = Plan()
    for target in workflow.start:
        _enter(workflow, target, variables, {**workflow.variables, **variables}, plan)
    return plan


def after_success(
    workflow: Workflow,
    node: str,
    *,
    given: Mapping[str, object],
    output: Mapping[str, object],
    variables: Mapping[str, object],
    joined: Mapping[str, Mapping[str, Mapping[str, object]]] = MappingProxyType({}),
) -> Plan:
    """Return the steps that follow a successful step.

    Args:
        workflow: the definition the run began with.
        node: the step that succeeded.
        given: the input that step had.
        output: what it returned; the input of what follows.
        variables: the run's own variables.
        joined: the joins of several steps that this end completes, each with what those steps returned.

    Raises:
        UnknownDecision: a human step was answered with a decision it does not offer.
    """
    step = workflow.steps[node]
    always = {**workflow.variables, **variables}
    scope = {**always, **output}
    plan = Plan()
    for target in _targets(step, given, output):
        if target == ORIGIN:
            origin, origin_input = given["origin"], given["origin_input"]
            _enter(workflow, str(origin), _mapping(origin_input), scope, plan)
        else:
            _enter(workflow, target, output, scope, plan)
    for join in workflow.waiting_for.get(node, ()):
        needs = workflow.steps[join].needs
        arrived = {node: output} if len(needs) == 1 else joined.get(join)
        if arrived is not None:
            # By name, since which of them ended last is chance and must not decide a condition.
            named = {need: arrived[need] for need in needs}
            _enter(workflow, join, {"needs": named}, {**always, **named}, plan)
    return plan


def after_failure(
    workflow: Workflow, node: str, *, given: Mapping[str, object], error: Mapping[str, object]
) -> Plan | None:
    """Return the steps that follow a final failure; `None` when no step handles it and the run fails."""
    plan = Plan()
    return plan if _catch(workflow, node, given, error, plan) else None


def _catch(
    workflow: Workflow,
    node: str,
    given: Mapping[str, object],
    error: Mapping[str, object],
    plan: Plan,
) -> bool:
    target = workflow.steps[node].on_error or workflow.on_error
    if target is None or target == node:
        return False
    catching = {"origin": node, "origin_input": dict(given), "error": dict(error)}
    _enter(workflow, target, catching, {**workflow.variables, **catching}, plan)
    return True


def _targets(step: Step, given: Mapping[str, object], output: Mapping[str, object]) -> tuple[str, ...]:
    if step.kind is not Kind.HUMAN:
        return step.next
    decision = str(output.get("decision", ""))
    target = step.decisions.get(decision)
    if target is None or (target == ORIGIN and "origin" not in given):
        offered = ", ".join(
            sorted(name for name, to in step.decisions.items() if to != ORIGIN or "origin" in given)
        )
        raise UnknownDecision(f"'{decision}' is not a decision of {step.id}; it offers {offered}")
    return (target,)


def _enter(
    workflow: Workflow,
    target: str,
    given: Mapping[str, object],
    scope: Mapping[str, object],
    plan: Plan,
) -> None:
    if target == END:
        return
    step = workflow.steps[target]
    if step.kind is not Kind.GATEWAY:
        plan.entered.append(Entered(step, given))
        return
    try:
        held = step.condition is not None and step.condition.holds(scope)
    except ExpressionFault as fault:
        error: Mapping[str, object] = {"code": "expression", "message": str(fault)}
        plan.stopped.append(Stopped(step, error))
        if not _catch(workflow, step.id, given, error, plan):
            plan.error = {**error, "step": step.id}
        return
    plan.passed.append(Passed(step, held))
    for following in step.next if held else step.otherwise:
        _enter(workflow, following, given, scope, plan)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
