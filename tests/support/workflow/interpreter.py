"""Runs a workflow by the planner alone: no database, no agents; chance decides what each step comes to."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from statemachine.workflow.definition import END, ORIGIN, Kind, Step, Workflow
from statemachine.workflow.plan import Plan
from statemachine.workflow.planner import after_failure, after_join, after_success, begin
from statemachine.workflow.values import RunValues

MOST_STEPS = 5000
"""A run that takes more is taken for one that never ends."""


def succeed(
    workflow: Workflow,
    node: str,
    *,
    given: Mapping[str, object],
    output: Mapping[str, object],
    values: RunValues,
    outputs: Mapping[str, Any],
) -> Plan:
    """What follows the end of this step, joins too, where all these steps have returned this."""
    plan = after_success(workflow, node, given=given, output=output, values=values)
    arrived, plan.arrived = plan.arrived, []
    for arrival in arrived:
        needs = workflow.steps[arrival.join].needs
        if outputs.keys() >= set(needs):
            joined = after_join(workflow, arrival.join, {need: outputs[need] for need in needs}, values)
            plan.entered += joined.entered
            plan.passed += joined.passed
            plan.error = plan.error or joined.error
    return plan


def answer(gateway: str) -> str:
    """The name by which a gateway's condition asks which way to go."""
    return f"take_{gateway}"


@dataclass(slots=True)
class Interpreter:
    """One run. After `patience` steps chance is over: nothing fails, and every choice is the way out."""

    workflow: Workflow
    choose: Callable[[int], int]
    """A number below the given one."""
    patience: int = 30
    entries: Counter[str] = field(default_factory=Counter)
    sent_back: Counter[str] = field(default_factory=Counter)
    """How often people let a step that had failed be done again."""
    outputs: dict[str, Mapping[str, object]] = field(default_factory=dict)
    waiting: list[tuple[Step, Mapping[str, object]]] = field(default_factory=list)
    steps_taken: int = 0
    failed: bool = False

    def run(self) -> None:
        """Take steps, in any order, until none is open."""
        self._enter(begin(self.workflow, RunValues(parameters=self._answers())))
        while self.waiting and not self.failed:
            self.steps_taken += 1
            assert self.steps_taken < MOST_STEPS, "the run does not end"
            step, given = self.waiting.pop(self.choose(len(self.waiting)))
            if self._impatient or self.choose(4):
                self._succeed(step, given)
            else:
                self._fail(step, given)

    @property
    def _impatient(self) -> bool:
        return self.steps_taken > self.patience

    def _succeed(self, step: Step, given: Mapping[str, object]) -> None:
        output = {**self._answers(), "decision": self._decision(step, given), "by": step.id}
        if step.decisions.get(str(output["decision"])) == ORIGIN:
            self.sent_back[str(given["origin"])] += 1
        plan = succeed(
            self.workflow,
            step.id,
            given=given,
            output=output,
            values=RunValues(),
            outputs={**self.outputs, step.id: output},
        )
        self.outputs[step.id] = output
        self._enter(plan)

    def _fail(self, step: Step, given: Mapping[str, object]) -> None:
        plan = after_failure(self.workflow, step.id, given=given, error={"code": "tried"}, values=RunValues())
        if plan is None:
            self.failed = True
        else:
            self._enter(plan)

    def _enter(self, plan: Plan) -> None:
        self.entries.update(one.step.id for one in plan.passed)
        for one in plan.entered:
            self.entries[one.step.id] += 1
            self.waiting.append((one.step, one.input))

    def _answers(self) -> dict[str, object]:
        return {
            answer(step.id): self._out(step) if self._impatient else bool(self.choose(2))
            for step in self.workflow.steps.values()
            if step.kind is Kind.GATEWAY
        }

    def _out(self, gateway: Step) -> bool:
        rank = ranks(self.workflow)
        return max(rank[target] for target in gateway.next) <= max(
            rank[target] for target in gateway.otherwise
        )

    def _decision(self, step: Step, given: Mapping[str, object]) -> str:
        offered = [name for name, target in step.decisions.items() if target != ORIGIN or "origin" in given]
        if not offered:
            return ""
        if self._impatient:
            rank = ranks(self.workflow)
            return min(offered, key=lambda name: rank[step.decisions[name]])
        return offered[self.choose(len(offered))]


def ranks(workflow: Workflow) -> Mapping[str, int]:
    """How far each step is from an end at most, where every choice is the shortest way out."""
    rank = {END: 0, ORIGIN: 0}
    for distance in range(1, len(workflow.steps) + 1):
        known = dict(rank)
        for step in workflow.steps.values():
            choices: list[tuple[str, ...]] = [(target,) for target in step.decisions.values()] or [step.next]
            choices += [step.otherwise] if step.otherwise else []
            if step.id not in rank and any(all(target in known for target in choice) for choice in choices):
                rank[step.id] = distance
    return rank
