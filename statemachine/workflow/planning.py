"""One act of planning: goes from step to step as far as nothing takes time, and notes what it meets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from statemachine.workflow.definition import END, Kind, Step, Workflow
from statemachine.workflow.expression.calculation import ExpressionFault
from statemachine.workflow.failures import INCIDENT, handlers, is_kept
from statemachine.workflow.filling import (
    Given,
    StepFault,
    elements_of,
    first_holding,
    holding,
    key_of,
    object_of,
    slot_of,
    waits_of,
    with_people,
)
from statemachine.workflow.options.gateways import GatewayMode
from statemachine.workflow.options.loops import ForEach, Repeat
from statemachine.workflow.options.run_variable import VariableFault
from statemachine.workflow.options.sizes import OutputFault, require_output, require_state, size_together
from statemachine.workflow.plan import (
    Arrived,
    Emitted,
    Entered,
    Failing,
    Passed,
    Plan,
    Write,
)
from statemachine.workflow.step import INSTANT
from statemachine.workflow.values import RunValues


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
        except (ExpressionFault, OutputFault, VariableFault, StepFault) as fault:
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
                elements=elements_of(step.loop, names),
                waits=waits_of(step, names, own=False, around=True),
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
        parameters = step.parameters if step.filled is None else object_of(step.filled.fill(names), step)
        return Entered(
            step=with_people(step, names),
            given=given,
            parameters=parameters,
            due=None if step.until is None else step.until.fill(names),
            called=None if step.call is None else str(step.call.workflow.fill(names)),
            slot=slot_of(step.concurrency, step.rate, names),
            waits=waits_of(step, names, own=True, around=not isinstance(step.loop, ForEach)),
        )

    def names(self, given: Given) -> Given:
        """What names stand for, where this was given."""
        if self._given is not given:
            self._given, self._names = given, self.values.names(self.workflow, given)
        return self._names

    def write(self, step: Step, names: Given) -> None:
        """Write the variables that this step writes: all, or none where one cannot be.

        Raises:
            ExpressionFault, VariableFault: a value cannot be had, or not be held, or all are too large together.
            OutputFault: a `set` step returns what it writes, and that is too large.
        """
        written, writes = dict(self.values.written), []
        for name, template in step.writes.items():
            variable = self.workflow.declared[name]
            value = variable.after(written.get(name, variable.default), template.fill(names))
            names = {**names, name: value}
            written[name] = value
            writes.append(Write(step.id, name, value))
        if writes:
            require_state(size_together(written, self.values.size))
        if step.kind is Kind.SET:
            require_output(size_together({each.name: each.value for each in writes}, self.values.size))
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
        return [*step.next, *holding(step, names)]

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
                payload = None if sent.payload is None else sent.payload.fill(names)
                require_output(self.values.size(payload))
                self.plan.emitted.append(
                    Emitted(
                        kind=sent.kind,
                        name=str(sent.name.fill(names)),
                        key=None if sent.key is None else key_of(sent.key, names),
                        payload=payload,
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
            taken = [*step.next, *holding(step, names)] or list(step.otherwise)
        else:
            taken = first_holding(step, names) or list(step.next) or list(step.otherwise)
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


def error_of(fault: ExpressionFault | OutputFault | VariableFault | StepFault) -> dict[str, object]:
    """The error that a step fails with."""
    code = fault.code if isinstance(fault, StepFault) else _CODES[type(fault)]
    return {"code": code, "message": str(fault)}


_CODES: Final[Mapping[type[Exception], str]] = {
    ExpressionFault: "expression",
    OutputFault: "invalid_output",
    VariableFault: "invalid_variable",
}
