"""Replays an ended run through a definition: its recorded results, and what the planner makes of them now. Pure.

What is entered is compared: which steps follow which, with their actions and inputs, and what instant steps came to.
Times, questions and what is sent are not.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from statemachine.workflow import planner
from statemachine.workflow.definition import Kind, Step, Workflow
from statemachine.workflow.failures import what_ended
from statemachine.workflow.filling import Given, StepFault
from statemachine.workflow.options.call_limits import without_limits
from statemachine.workflow.plan import Entered, Failing, Passed, Plan
from statemachine.workflow.states import StepState
from statemachine.workflow.values import RunValues
from statemachine.workflow.versions.recorded import NotComparable, RecordedStep, obstacles
from statemachine.workflow.versions.version_change import VersionChange, Waiting

_CALL: Final = "call"
"""What a caller gave to a step that was offered to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where a run would go another way."""

    after: str | None
    """The step that had ended; `None`: the run had begun."""
    then: tuple[str, ...]
    """What was entered then and would not be now."""
    now: tuple[str, ...]
    """What would be entered now and was not then."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """Something that was entered or passed, as far as two runs of it can be compared."""

    node: str
    action: str
    content: str

    def __str__(self) -> str:
        return f"{self.node} ({self.action})" if self.action else self.node


@dataclass(slots=True)
class _Replay:
    before: Workflow
    workflow: Workflow
    run_id: str
    parameters: Given
    children: Mapping[int | None, Sequence[RecordedStep]]
    expected: dict[int | None, list[_Entry]] = field(default_factory=dict)
    faults: dict[int | None, str] = field(default_factory=dict)
    """By step that had ended, the error with which it would fail now."""
    written: dict[str, object] = field(default_factory=dict)
    outputs: dict[str, object] = field(default_factory=dict)
    arrived: dict[str, dict[str, list[tuple[int | None, Given]]]] = field(default_factory=dict)

    def begin(self) -> None:
        self._follow(planner.begin(self.workflow, self._values()), None)

    def end(self, row: RecordedStep) -> None:
        """Go on as the planner does where this step has ended as it did."""
        self.expected.setdefault(row.step_id, [])
        if row.state is StepState.DONE:
            self._succeed(row, row.step_id)
        else:
            self._fail(row.node, row.input, row.error or {}, row.step_id)

    def _succeed(self, row: RecordedStep, cause: int | None) -> None:
        output = row.output or {}
        came = output.get(planner.CATCH)
        if row.kind == Kind.WAIT and isinstance(came, int):
            place = self._place_now(row.node, came)
            if place is None:
                self.faults[cause] = f"{row.node} does not wait for what came"
                return
            output = {**output, planner.CATCH: place}
        ended, returned = what_ended(row.node, row.input, output)
        if ended in self.workflow.reading.outputs:
            self.outputs[ended] = returned
        try:
            plan = planner.after_success(
                self.workflow, row.node, given=row.input, output=output, values=self._values()
            )
        except StepFault as fault:
            self.faults[cause] = f"{row.node} fails: {fault.code}"
        except planner.UnknownDecision:
            self.faults[cause] = f"{row.node} takes no such answer"
        else:
            self._follow(plan, cause)

    def _place_now(self, node: str, came: int) -> int | None:
        """The place, in the version, of the event that a wait ended with."""
        catch = self.before.steps[node].catches[came]
        waiting = Waiting(node=node, place=came, kind=catch.kind.value, name=catch.name or None)
        return VersionChange(self.before, self.workflow).place_of(waiting)

    def _fail(self, node: str, given: Given, error: Given, cause: int | None) -> None:
        plan = planner.after_failure(self.workflow, node, given=given, error=error, values=self._values())
        if plan is not None:
            self._follow(plan, cause)

    def _follow(self, plan: Plan, cause: int | None) -> None:
        found = self.expected.setdefault(cause, [])
        for stop, rule in plan.stops:
            if rule.terminates or rule.error or rule.escalation:
                raise NotComparable(f"the end '{stop.id}' ends what is around it")
        self.written |= {each.name: each.value for each in plan.writes}
        for passed in plan.passed:
            found.append(_passed(passed))
            if isinstance(passed, Passed) and passed.step.id in self.workflow.reading.outputs:
                self.outputs[passed.step.id] = passed.output
        for arrival in plan.arrived:
            if arrival.join in self.workflow.coming:
                raise NotComparable(f"'{arrival.join}' does not wait for all branches")
            flows = self.arrived.setdefault(arrival.join, {})
            flows.setdefault(arrival.flow, []).append((cause, arrival.given))
        for entered in plan.entered:
            self._enter(entered, cause)
        for join in dict.fromkeys(arrival.join for arrival in plan.arrived):
            self._join(join)

    def _enter(self, entered: Entered, cause: int | None) -> None:
        step = entered.step
        if (
            entered.elements is not None
            or step.loop is not None
            or step.kind in (Kind.SCOPE, Kind.COMPENSATE)
        ):
            # What was recorded has none, so that this is where it differs; what would be in it is not told.
            self.expected[cause].append(_Entry(step.id, step.kind.value, "a scope or loop"))
            return
        self.expected[cause].append(_Entry(step.id, _action_of(step), _content(entered.input)))
        row = next((each for each in self.children.get(cause, ()) if each.node == step.id), None)
        if row is None or not row.at_once:
            return
        if row.state is StepState.DONE:
            self._succeed(row, cause)
        else:
            self._fail(step.id, entered.input, row.error or {}, cause)

    def _join(self, join: str) -> None:
        """Go on where all branches have come; the row that does names whichever came last in its transaction."""
        flows = self.arrived[join]
        if any(not flows.get(flow) for flow in self.workflow.flows[join]):
            return
        brought = {flow: flows[flow].pop(0) for flow in self.workflow.flows[join]}
        plan = planner.after_join(
            self.workflow, join, {flow: given for flow, (_, given) in brought.items()}, self._values()
        )
        nodes = {each.step.id for each in (*plan.entered, *plan.passed)}
        causes = [cause for cause, _ in brought.values()]
        cause = next(
            (one for one in causes if nodes & {row.node for row in self.children.get(one, ())}), causes[-1]
        )
        self._follow(plan, cause)

    def _values(self) -> RunValues:
        return RunValues(
            parameters=self.parameters,
            written=dict(self.written),
            outputs=dict(self.outputs),
            run={"id": self.run_id, "workflow": self.workflow.name, "version": self.workflow.version},
        )


def replay(
    before: Workflow, after: Workflow, run_id: str, parameters: Given, rows: Sequence[RecordedStep]
) -> Difference | None:
    """Return where a run would first go another way in a version; `None`: nowhere.

    Args:
        before: The version in which it was recorded.
        after: The version that it is replayed through.
        run_id: Its id.
        parameters: What it was begun with.
        rows: All its steps, in the order in which they ended.

    Raises:
        NotComparable: it has something whose replay would say nothing.
    """
    for problem in obstacles(before, after, rows):
        raise NotComparable(problem)
    children: dict[int | None, list[RecordedStep]] = {}
    for row in sorted(rows, key=lambda each: each.step_id):
        children.setdefault(row.caused_by, []).append(row)
    replayed = _Replay(before, after, run_id, parameters, children)
    replayed.begin()
    ended: list[int | None] = [None]
    for row in rows:
        if row.at_once:
            continue
        if all(entry.node != row.node for entry in replayed.expected.get(row.caused_by, ())):
            break
        replayed.end(row)
        ended.append(row.step_id)
    names = {row.step_id: row.node for row in rows}
    for cause in ended:
        found = _compared(replayed, cause, None if cause is None else names[cause])
        if found is not None:
            return found
    if len(ended) - 1 != sum(not row.at_once for row in rows):
        raise NotComparable("a step was entered that nothing led to")
    if any(waiting for flows in replayed.arrived.values() for waiting in flows.values()):
        raise NotComparable("branches waited for others to its end")
    return None


def _compared(replayed: _Replay, cause: int | None, after: str | None) -> Difference | None:
    then = [_recorded(row) for row in replayed.children.get(cause, ())]
    now = list(replayed.expected.get(cause, ()))
    for entry in list(then):
        if entry in now:
            now.remove(entry)
            then.remove(entry)
    fault = replayed.faults.get(cause)
    if not then and not now and fault is None:
        return None
    both = {str(entry) for entry in then} & {str(entry) for entry in now}
    return Difference(
        after=after,
        then=tuple(_told(entry, both) for entry in then),
        now=(*(_told(entry, both) for entry in now), *(() if fault is None else (fault,))),
    )


def _told(entry: _Entry, both: set[str]) -> str:
    return f"{entry} with other values" if str(entry) in both else str(entry)


def _recorded(row: RecordedStep) -> _Entry:
    if row.kind in _PASSED_KINDS:
        content = row.error if row.state is StepState.FAILED else row.output
        return _Entry(row.node, row.kind, _content(content or {}))
    given = {name: value for name, value in without_limits(row.input).items() if name != _CALL}
    return _Entry(row.node, row.action or row.kind, _content(given))


_PASSED_KINDS: Final = frozenset(
    kind.value for kind in (Kind.GATEWAY, Kind.SET, Kind.PASS, Kind.EMIT, Kind.STOP)
)


def _passed(passed: Passed | Failing) -> _Entry:
    content = passed.error if isinstance(passed, Failing) else passed.output
    return _Entry(passed.step.id, passed.step.kind.value, _content(content))


def _action_of(step: Step) -> str:
    return f"{step.agent}.{step.action}" if step.agent and step.action else step.kind.value


def _content(value: object) -> str:
    """A value as it would be read back from the database, as text."""
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value
