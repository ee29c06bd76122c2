"""One act of planning: goes from step to step as far as nothing takes time, and notes what it meets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from statemachine.workflow.definition import END, Kind, Step, Workflow
from statemachine.workflow.expression.calculation import ExpressionFault
from statemachine.workflow.expression.template import ValueTemplate
from statemachine.workflow.failures import INCIDENT, handlers, is_kept
from statemachine.workflow.options.gateways import GatewayMode
from statemachine.workflow.options.loops import ForEach, Repeat
from statemachine.workflow.options.run_variable import VariableFault
from statemachine.workflow.plan import Arrived, Emitted, Entered, Failing, Passed, Plan, WaitValues, Write
from statemachine.workflow.step import INSTANT
from statemachine.workflow.values import RunValues

Given = Mapping[str, object]


class StepFault(ValueError):
    """A step cannot go on with its values: an expression has none, a variable may not hold one, no branch is open."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(slots=True)
class Planning:
    """The plan so far, and the values as they are after what it writes."""

    workflow: Workflow
    values: RunValues
    plan: Plan = field(default_factory=Plan)
    _given: Given | None = None
    _names: dict[str, object] = field(default_factory=dict)

    def enter(self, target: str, given: Given, source: str) -> None:
        """Go to this step, from another, with what that gives it."""
        if target == END:
            return
        step = self.workflow.steps[target]
        if step.join is not None and not step.needs:
            self.plan.arrived.append(Arrived(target, source, given))
        else:
            self.reach(step, given)

    def reach(self, step: Step, given: Given, further: Given | None = None) -> None:
        """Be at this step: pass it where it is instant, or note that it is entered.

        Args:
            step: The step.
            given: Its input.
            further: Names that its expressions, and those of what is passed after it, see besides.
        """
        if further is not None:
            self._given, self._names = given, {**self.values.names(self.workflow, given), **further}
        try:
            if step.kind not in INSTANT:
                self.plan.entered.append(self.entered(step, given))
                return
            targets = self._pass(step, given)
        except (ExpressionFault, VariableFault, StepFault) as fault:
            self._fail(step, given, error_of(fault))
            return
        for target in targets:
            self.enter(target, given, step.id)

    def entered(self, step: Step, given: Given, index: int | None = None) -> Entered:
        """This step with its input, its expressions filled.

        Raises:
            ExpressionFault, StepFault: one has no value.
        """
        if not step.calculated:
            return Entered(step=step, given=given, parameters=step.parameters)
        names = self.names(given)
        if isinstance(step.loop, ForEach):
            return Entered(
                step=step,
                given=given,
                elements=_elements(step.loop, names),
                waits=_waits(step, names, own=False, around=True),
            )
        if isinstance(step.loop, Repeat):
            index = index or 0
            names = {**names, "index": index}
        return replace(self.filled(step, given, names), index=index)

    def filled(self, step: Step, given: Given, names: Given) -> Entered:
        """This step as it is once, whatever loop it is in.

        Raises:
            ExpressionFault: an expression has no value.
        """
        parameters = step.parameters if step.filled is None else _object(step.filled.fill(names), step)
        return Entered(
            step=_with_people(step, names),
            given=given,
            parameters=parameters,
            due=None if step.until is None else step.until.fill(names),
            called=None if step.call is None else str(step.call.workflow.fill(names)),
            waits=_waits(step, names, own=True, around=not isinstance(step.loop, ForEach)),
        )

    def names(self, given: Given) -> Given:
        """What names stand for, where this was given."""
        if self._given is not given:
            self._given, self._names = given, self.values.names(self.workflow, given)
        return self._names

    def write(self, step: Step, names: Given) -> None:
        """Write the variables that this step writes: all, or none where one cannot be.

        Raises:
            ExpressionFault, VariableFault: a value cannot be had, or not be held.
        """
        written, writes = dict(self.values.written), []
        for name, template in step.writes.items():
            variable = self.workflow.declared[name]
            value = variable.after(written.get(name, variable.default), template.fill(names))
            names = {**names, name: value}
            written[name] = value
            writes.append(Write(step.id, name, value))
        self.values = replace(self.values, written=written)
        self.plan.writes += writes
        self._names = {**self._names, **{each.name: each.value for each in writes}}
        if writes and "variables" in self._names:
            self._names["variables"] = {**self.workflow.variables, **written}

    def following(self, step: Step, names: Given) -> list[str]:
        """The targets after a step that is no gateway: all, and those whose condition holds.

        Raises:
            ExpressionFault: a condition has no value.
        """
        if not step.branches:
            return list(step.next)
        return [*step.next, *_holding(step, names)]

    def catch(self, step: Step, given: Given, error: Given) -> bool:
        """Go to where this failure is handled, or ask a person where that is what the definition wants; if one is."""
        catching: Given = {"origin": step.id, "origin_input": dict(given), "error": dict(error)}
        code = str(error.get("code", ""))
        targets = handlers(self.workflow, step, code)
        for target in targets:
            self.enter(target, catching, step.id)
        if targets:
            return True
        kept = is_kept(self.workflow, step, code)
        if kept:
            self.plan.entered.append(Entered(step=INCIDENT, given=catching))
        return kept

    def _pass(self, step: Step, given: Given) -> Iterable[str]:
        """Pass an instant step; where it leads."""
        names = self.names(given)
        match step.kind:
            case Kind.GATEWAY:
                return self._choose(step, names)
            case Kind.EMIT if step.emission is not None:
                sent = step.emission
                self.plan.emitted.append(
                    Emitted(
                        kind=sent.kind,
                        name=str(sent.name.fill(names)),
                        key=None if sent.key is None else _key(sent.key, names),
                        payload=None if sent.payload is None else sent.payload.fill(names),
                    )
                )
            case Kind.STOP if step.stop is not None:
                self.plan.stops.append((step, step.stop))
            case _:
                self.write(step, names)
                names = self.names(given)
        self.plan.passed.append(Passed(step, {name: self.values.written[name] for name in step.writes}))
        return self.following(step, names)

    def _choose(self, step: Step, names: Given) -> Iterable[str]:
        if step.condition is not None:
            held = step.condition.holds(names)
            self.plan.passed.append(Passed(step, {"held": held}))
            return step.next if held else step.otherwise
        if step.mode is GatewayMode.PARALLEL or not step.branches:
            taken = list(step.next)
        elif step.mode is GatewayMode.INCLUSIVE:
            taken = [*step.next, *_holding(step, names)] or list(step.otherwise)
        else:
            taken = _first_holding(step, names) or list(step.next) or list(step.otherwise)
        if not taken:
            raise StepFault(
                "no_branch", "no condition of the gateway holds, and it has no branch without one"
            )
        self.plan.passed.append(Passed(step, {"taken": taken}))
        return taken

    def _fail(self, step: Step, given: Given, error: Given) -> None:
        self.plan.passed.append(Failing(step, error))
        if not self.catch(step, given, error):
            self.plan.error = {**error, "step": step.id}


def error_of(fault: ExpressionFault | VariableFault | StepFault) -> dict[str, object]:
    """The error that a step fails with."""
    code = fault.code if isinstance(fault, StepFault) else _CODES[type(fault)]
    return {"code": code, "message": str(fault)}


_CODES: Final[Mapping[type[Exception], str]] = {
    ExpressionFault: "expression",
    VariableFault: "invalid_variable",
}


def _waits(step: Step, names: Given, *, own: bool, around: bool) -> tuple[WaitValues, ...]:
    """The keys and timers of what a wait waits for (`own`), and of what breaks in upon a step (`around`)."""
    wanted = [*enumerate(step.catches)] if own else []
    wanted += enumerate(step.on, len(step.catches)) if around else []
    return tuple(
        WaitValues(
            place,
            None if each.key is None else _key(each.key, names),
            None if each.timer is None else each.timer.fill(names),
        )
        for place, each in wanted
    )


def _holding(step: Step, names: Given) -> list[str]:
    """The targets of all branches whose condition holds; where none does, of those without one."""
    found = [each for each in step.branches if each.condition is not None and each.condition.holds(names)]
    taken = found or [each for each in step.branches if each.condition is None]
    return list(dict.fromkeys(target for branch in taken for target in branch.next))


def _first_holding(step: Step, names: Given) -> list[str]:
    for branch in step.branches:
        if branch.condition is not None and branch.condition.holds(names):
            return list(branch.next)
    return [target for branch in step.branches if branch.condition is None for target in branch.next]


def _elements(loop: ForEach, names: Given) -> list[object]:
    found = loop.items.fill(names)
    if not isinstance(found, (list, tuple)):
        raise StepFault("invalid_input", "for_each needs a list in 'in'")
    return list(found)


def _key(template: ValueTemplate, names: Given) -> str:
    found = template.fill(names)
    if isinstance(found, (str, int)) and not isinstance(found, bool):
        return str(found)
    raise StepFault("invalid_input", "the key of a message must be a text or an integer")


def _object(value: object, step: Step) -> Given:
    if isinstance(value, Mapping):
        return value
    raise StepFault("invalid_input", f"the parameters of '{step.id}' are no object")


def _with_people(step: Step, names: Given) -> Step:
    """The step with the person and the agent it is for, where they are calculated."""
    if step.human.person is not None and "${" in step.human.person:
        person = str(ValueTemplate.of(step.human.person).fill(names))
        step = replace(step, human=replace(step.human, person=person))
    if step.choice is not None and step.choice.agent_id is not None and "${" in step.choice.agent_id:
        agent = str(ValueTemplate.of(step.choice.agent_id).fill(names))
        step = replace(step, choice=replace(step.choice, agent_id=agent))
    return step
