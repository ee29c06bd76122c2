"""What people do to one run beside pausing and ending it: rerun from a step, skip a step, set variables, signal it.

The run is locked by its caller.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.catalogue import Catalogue
from engine.flow.completion import Completion
from engine.flow.events.catching import CaughtEvent
from engine.flow.facts import RunFacts
from engine.flow.settlement import Settlement
from engine.outcomes import Done
from schemas.core.problems import Problem
from statemachine.workflow import planner
from statemachine.workflow.course import leads_on_always, steps_after
from statemachine.workflow.definition import Kind, Workflow
from statemachine.workflow.failures import INCIDENT
from statemachine.workflow.options.catches import CatchKind
from statemachine.workflow.options.run_variable import VariableFault
from statemachine.workflow.options.sizes import require_state, size_together
from statemachine.workflow.plan import Write
from statemachine.workflow.states import OPEN_RUNS, OPEN_STEPS, RunState, StepState
from statemachine.workflow.step import INSTANT
from storage.core.unit_of_work import UnitOfWork
from storage.engine.flow.arrivals import Arrivals, JoinPlace, NewArrival
from storage.engine.flow.subscriptions import Subscriptions
from storage.engine.runs import RunRow, Runs
from storage.engine.steering import Steering
from storage.engine.steps import StepChange, StepRow, Steps

_OUR_OWN: Final = frozenset({INCIDENT.id, planner.COMPENSATION.id, planner.SLOT.id})


class InterventionRefused(ValueError):
    """The run, or the step, is not in a state in which this may be done to it; nothing was changed."""


class UnknownRunStep(LookupError):
    """The run has no such step."""

    def __init__(self, step_id: int) -> None:
        super().__init__(f"there is no step '{step_id}' in this execution")


class UnusableIntervention(ValueError):
    """What was given cannot be used; nothing was changed."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{problem.field} {problem.message}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Intervening:
    """Interventions in locked runs."""

    work: UnitOfWork
    catalogue: Catalogue
    completion: Completion
    settlement: Settlement

    def rerun(self, run: RunRow, node: str, given: Mapping[str, Any] | None) -> None:
        """Enter a step anew; what followed it is superseded: its open steps are cancelled, ended ones stay as they are.

        Args:
            run: The run, open or failed.
            node: A step outside of every scope.
            given: Its input; none: what it had the last time.

        Raises:
            InterventionRefused: the run has ended otherwise or is being undone, or the step was not entered.
            UnusableIntervention: there is no such step, or its input was not kept.
        """
        facts = self._facts(run)
        given = self._input_of(facts.workflow, run, node, given)
        after = steps_after(facts.workflow, node)
        opened = Steps(self.work).lock(Steps(self.work).open_of(run.run_id))
        if any(row.node == planner.COMPENSATION.id for row in opened):
            raise InterventionRefused("what the run has done is being undone")
        again = [(node, given)]
        if run.state is RunState.FAILED:
            # Branches that the failure cut short go on as well.
            cut_short = Steering(self.work).cut_short(run.run_id)
            again += [each for each in cut_short if _origin(*each) not in after]
            Runs(self.work).reopen([run.run_id])
            facts = self._facts(*Runs(self.work).lock([run.run_id]))
        self._cancel(
            facts, [row for row in opened if row.scope_id is None and _origin(row.node, row.input) in after]
        )
        self.enter_anew(facts, again, reopened=run.state is RunState.FAILED)
        self.completion.finish()

    def skip(self, run: RunRow, step_id: int, output: Mapping[str, Any]) -> StepRow:
        """End an open step that nobody is at work on as done, with this output; which step it was.

        Raises:
            InterventionRefused: it has ended, is at work, or is a question about a failure, which people decide.
            UnknownDecision: a human step has no such decision.
            UnknownRunStep: the run has no such step.
            UnusableIntervention: the output does not say which of its events has come.
        """
        row = next((each for each in Steps(self.work).lock([step_id]) if each.run_id == run.run_id), None)
        if row is None:
            raise UnknownRunStep(step_id)
        if row.state not in OPEN_STEPS:
            raise InterventionRefused(f"step {step_id} ('{row.node}') is {row.state.value}")
        if row.state is StepState.LEASED:
            raise InterventionRefused(
                f"step {step_id} ('{row.node}') is at work; wait for it, or cancel the run"
            )
        if row.node in _OUR_OWN:
            raise InterventionRefused(
                f"'{row.node}' is no step of the definition: answer its interrupt instead"
            )
        step = planner.step_of(self._facts(run).workflow, row.node)
        came = output.get(planner.CATCH)
        if step.kind is Kind.WAIT and step.catches and came not in range(len(step.catches)):
            raise UnusableIntervention(
                Problem(
                    field=f"output.{planner.CATCH}",
                    message=f"must say which of its events has come, from 0 to {len(step.catches) - 1}",
                )
            )
        self.completion.cancelling.inside(run.run_id, [step_id])
        self.completion.cancelling.step(row)
        self.settlement.settle([row], {step_id: Done(output=output)}, {})
        return row

    def set_variables(self, run: RunRow, values: Mapping[str, Any], *, by: str) -> None:
        """Write these values to variables of an open run, as they are: nothing is merged.

        Raises:
            InterventionRefused: the run has ended.
            UnusableIntervention: a variable is not declared, or may not hold its value, or all are too large together.
        """
        _require_open(run)
        facts = self._facts(run)
        problems = []
        for name, value in values.items():
            variable = facts.workflow.declared.get(name)
            if variable is None:
                known = ", ".join(sorted(facts.workflow.declared)) or "none"
                problem: str | None = f"is no variable of the workflow; there are {known}"
            else:
                problem = variable.problem_with(value)
            if problem is not None:
                problems.append(Problem(field=f"variables.{name}", message=problem))
        if not problems:
            try:
                seen = self.completion.data.values(facts)
                require_state(size_together({**seen.written, **values}, seen.size))
            except VariableFault as fault:
                problems.append(Problem(field="variables", message=str(fault)))
        if problems:
            raise UnusableIntervention(*problems)
        self.completion.succession.runs[run.run_id] = facts
        self.completion.data.write(facts, [Write("", name, value) for name, value in values.items()], by=by)
        self.completion.finish()

    def signal(self, run: RunRow, kind: CatchKind, name: str, key: str, payload: object) -> int:
        """Hand a message to the first that waits for it in this run alone, a signal to all; how many received it.

        Raises:
            InterventionRefused: the run has ended, or nothing in it waits for this.
        """
        _require_open(run)
        is_message = kind is CatchKind.MESSAGE
        waiting = Subscriptions(self.work).of_run(run.run_id, kind.value, name, key if is_message else None)
        event = {"kind": kind.value, "name": name, "key": key, "payload": payload}
        self.completion.succession.runs[run.run_id] = self._facts(run)
        received = self.completion.catching.catch(
            [CaughtEvent(each, event) for each in (waiting[:1] if is_message else waiting)]
        )
        if not received:
            raise InterventionRefused(f"nothing in the run waits for the {kind.value} '{name}'")
        self.completion.finish()
        return len(received)

    def enter(self, facts: RunFacts, node: str, given: Mapping[str, object]) -> None:
        """Enter a step outside of all scopes, with this input."""
        values = self.completion.data.values(facts)
        self.completion.succession.enter(facts, planner.enter(facts.workflow, node, given, values))

    def enter_anew(
        self, facts: RunFacts, entered: Sequence[tuple[str, Mapping[str, Any]]], *, reopened: bool
    ) -> None:
        """Enter steps once more; the joins behind them wait for these branches, and keep what came by the others.

        Args:
            facts: The run.
            entered: The steps, outside of all scopes, with their input.
            reopened: Whether the run had ended: what it waited for, and what waited at joins, was forgotten then.
        """
        self._restore_arrivals(facts, frozenset(node for node, _ in entered), reopened=reopened)
        if reopened and facts.workflow.options.on:
            self.completion.catching.open_run(facts)
        for node, given in entered:
            self.enter(facts, node, given)

    def _restore_arrivals(self, facts: RunFacts, nodes: Collection[str], *, reopened: bool) -> None:
        steps, flows = facts.workflow.steps, facts.workflow.flows
        if not flows:
            return
        after = frozenset[str]().union(*(steps_after(facts.workflow, node) for node in nodes))
        joins = [join for join in flows if join in after - set(nodes) and steps[join].scope is None]
        if not joins:
            return
        arrivals = Arrivals(self.work)
        entered = Steering(self.work).entered(
            facts.run_id, [*joins, *(flow for join in joins for flow in flows[join])]
        )
        for join in joins:
            again = [flow for flow in flows[join] if flow in after]
            if join not in entered and not reopened:
                arrivals.forget(facts.run_id, join, again)
                continue
            arrivals.forget(facts.run_id, join)
            place = JoinPlace(facts.run_id, 0, join)
            arrivals.add(
                [
                    NewArrival(place, flow, entered[flow])
                    for flow in flows[join]
                    if flow not in after
                    and entered.get(flow) is not None
                    and (steps[join].needs or join in entered or leads_on_always(steps[flow], join))
                ]
            )

    def _input_of(
        self, workflow: Workflow, run: RunRow, node: str, given: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        step = workflow.steps.get(node)
        if step is None:
            raise UnusableIntervention(Problem(field="step", message="is no step of the run's definition"))
        if step.scope is not None:
            raise InterventionRefused(f"'{node}' lies in the scope '{step.scope}': rerun that as a whole")
        if run.state not in OPEN_RUNS | {RunState.FAILED}:
            raise InterventionRefused(f"the run is {run.state.value}")
        last = Steering(self.work).last_input(run.run_id, node)
        if last is None:
            raise InterventionRefused(f"'{node}' was not entered yet")
        if given is None and step.kind in INSTANT:
            message = "is needed: the step is passed at once, and what it was given is not kept"
            raise UnusableIntervention(Problem(field="input", message=message))
        return last if given is None else given

    def _cancel(self, facts: RunFacts, rows: Sequence[StepRow]) -> None:
        if not rows:
            return
        self.completion.cancelling.inside(facts.run_id, [row.step_id for row in rows])
        for row in rows:
            self.completion.cancelling.step(row)
        Steps(self.work).change(
            [
                StepChange(
                    step_id=row.step_id, state=StepState.CANCELLED, delivery=row.delivery, tries=row.tries
                )
                for row in rows
            ]
        )
        self.completion.succession.count(facts, -len(rows))

    def _facts(self, run: RunRow) -> RunFacts:
        return RunFacts.of(run, self.catalogue.version(self.work, run.workflow, run.version))


def _require_open(run: RunRow) -> None:
    if run.state not in OPEN_RUNS:
        raise InterventionRefused(f"the run is {run.state.value}")


def _origin(node: str, given: Mapping[str, Any]) -> str:
    """The step of the definition that a row is about: of a question about a failure, the step that failed."""
    return str(given.get("origin")) if node == INCIDENT.id else node
