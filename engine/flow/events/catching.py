"""Waits for messages, signals, times and conditions: noted when a step is entered, and what follows when one comes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from engine.flow.ends import Ends
from engine.flow.facts import RunFacts
from engine.flow.inside.cancelling import Cancelling
from engine.flow.rows import Pending
from engine.flow.succession import Succession
from engine.outcomes import Done, Failed, Outcome
from engine.registry import Registry
from runtime.durations import moment_after
from statemachine.workflow import planner
from statemachine.workflow.definition import Step
from statemachine.workflow.expression.calculation import ExpressionFault
from statemachine.workflow.options.catches import Catch, CatchKind
from statemachine.workflow.states import OPEN_STEPS, UNTOUCHED_STEPS, StepState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import Moments
from storage.engine.flow.new_steps import InsertedStep
from storage.engine.flow.subscriptions import EventSubscription, NewEventSubscription, Subscriptions
from storage.engine.steps import StepChange, StepRow, Steps

TIMEOUT: Final = "timeout"
_WHOLE: Final = -1
"""The place of `timeout_seconds`."""
_START: Final = -2
"""The place of `start_seconds`."""


@dataclass(frozen=True, slots=True)
class CaughtEvent:
    """Something that has come for one who waits for it."""

    subscription: EventSubscription
    event: Mapping[str, Any]
    """`kind`, `name`, `key`, `payload`."""


@dataclass(slots=True)
class Catching:
    """Notes what is waited for, and goes on when it comes."""

    work: UnitOfWork
    registry: Registry
    moments: Moments
    succession: Succession
    ends: Ends
    cancelling: Cancelling
    messages: list[tuple[str, str]] = field(default_factory=list)
    """Names and keys of messages for which this transaction began to wait: one may be kept for them."""
    _ended: list[StepChange] = field(default_factory=list)
    """Steps that have ended by what came, and whose rows do not say so yet: many are written in one statement."""

    def open(self, written: Sequence[tuple[InsertedStep, Pending]]) -> None:
        """Note what those of these rows wait for that wait for something."""
        new = [
            each
            for row, pending in written
            if pending.step.subscribes and pending.entered is not None
            for each in self._of_step(row.step_id, pending)
        ]
        self._add(new)

    def open_run(self, run: RunFacts) -> None:
        """Note what may break in upon a run that begins."""
        values = self.succession.data.values(run)
        names = values.names(run.workflow, run.variables)
        new: list[NewEventSubscription] = []
        for place, catch in enumerate(run.workflow.options.on):
            key = None if catch.key is None else str(catch.key.fill(names))
            timer = None if catch.timer is None else catch.timer.fill(names)
            new += self._of_catch(run.run_id, None, place, catch, key, timer)
        self._add(new)

    def catch(self, events: Sequence[CaughtEvent]) -> frozenset[int]:
        """Go on with what has come for those who still wait for it; which subscriptions did.

        Each of a step's events is heard once; the first decides.
        """
        rows = Steps(self.work).lock(
            sorted({each.subscription.step_id for each in events if each.subscription.step_id is not None})
        )
        opened = {row.step_id: row for row in rows if row.state in OPEN_STEPS}
        still = {
            each.subscription_id
            for each in Subscriptions(self.work).still([each.subscription.subscription_id for each in events])
        }
        self.ends.find_scopes(rows)
        heard: set[int] = set()
        for each in events:
            subscription = each.subscription
            row = None if subscription.step_id is None else opened.get(subscription.step_id)
            if subscription.subscription_id not in still or (
                subscription.step_id is not None and row is None
            ):
                continue
            heard.add(subscription.subscription_id)
            if row is None:
                self._write_ended()
                self._upon_run(subscription, each.event)
            elif self._upon_step(row, subscription, each.event):
                opened.pop(row.step_id)
        self._write_ended()
        return frozenset(heard)

    def look(self, run_ids: Iterable[str]) -> bool:
        """Go on where a condition holds now that variables of these runs have changed; whether one does."""
        waiting = Subscriptions(self.work).conditions(list(run_ids))
        rows = Steps(self.work).lock([each.step_id for each in waiting if each.step_id is not None])
        self.ends.find_scopes(rows)
        by_id = {row.step_id: row for row in rows}
        holding = []
        for each in waiting:
            row = by_id.get(each.step_id or 0)
            if row is None or row.state not in OPEN_STEPS:
                continue
            run = self.ends.run_of(row)
            catch = _caught(planner.step_of(run.workflow, row.node), each.place)
            if _holds(catch, self.succession.data.values(run).names(run.workflow, row.input)):
                holding.append(CaughtEvent(each, {"kind": CatchKind.CONDITION.value}))
        return bool(self.catch(holding)) if holding else False

    def escalate(self, run: RunFacts, step: Step, code: str) -> None:
        """Report something to what is around a step: the nearest that catches it goes on with it."""
        event = {"kind": CatchKind.ESCALATION.value, "name": code, "step": step.id}
        for scope_id in reversed(run.chain):
            (owner,) = Steps(self.work).lock([scope_id])
            self.ends.find_scopes([owner])
            catch = _escalation(planner.step_of(run.workflow, owner.node).on, code)
            if catch is not None:
                self._break_in(owner, catch, event)
                return
        catch = _escalation(run.workflow.options.on, code)
        if catch is not None:
            self._upon(replace(run, scope=None), catch, event)

    def _upon_step(self, row: StepRow, subscription: EventSubscription, event: Mapping[str, Any]) -> bool:
        """Go on with what came for a step; whether that ends it."""
        run = self.ends.run_of(row)
        if subscription.kind == TIMEOUT:
            if subscription.place == _START and row.state not in UNTOUCHED_STEPS:
                Subscriptions(self.work).end([subscription.subscription_id])
                return False
            self._end(row, Failed(code=TIMEOUT, message="the time for it has passed"))
            return True
        step = planner.step_of(run.workflow, row.node)
        catch = _caught(step, subscription.place)
        if subscription.place < len(step.catches):
            self._end(row, Done(output={planner.CATCH: subscription.place, "event": event}))
            return True
        self._write_ended()
        if subscription.kind in (CatchKind.TIMER, CatchKind.CONDITION):
            Subscriptions(self.work).end([subscription.subscription_id])
        return self._break_in(row, catch, event)

    def _break_in(self, row: StepRow, catch: Catch, event: Mapping[str, Any]) -> bool:
        """Go on beside a step, or in its place; whether it has ended by that."""
        run = self.ends.run_of(row)
        if catch.interrupts:
            self.cancelling.inside(row.run_id, [row.step_id])
            self.cancelling.step(row)
            cancelled = StepChange(
                step_id=row.step_id, state=StepState.CANCELLED, delivery=row.delivery, tries=row.tries
            )
            Steps(self.work).change([cancelled])
            self.succession.count(run, -1)
            if run.workflow.coming:
                self.ends.touched[run.run_id, run.scope_id] = run
        given = {"event": event, "origin": row.node, "origin_input": dict(row.input)}
        plan = planner.after_catch(run.workflow, catch, given, self.succession.data.values(run))
        self.succession.enter(run, plan, row.step_id)
        return catch.interrupts

    def _upon_run(self, subscription: EventSubscription, event: Mapping[str, Any]) -> None:
        run = self.succession.runs[subscription.run_id]
        catch = run.workflow.options.on[subscription.place]
        if subscription.kind in (CatchKind.TIMER, CatchKind.CONDITION):
            Subscriptions(self.work).end([subscription.subscription_id])
        self._upon(run, catch, event)

    def _upon(self, run: RunFacts, catch: Catch, event: Mapping[str, Any]) -> None:
        """Go on beside a run, or in the place of all that is open in it."""
        if catch.interrupts:
            self.cancelling.all_in(run)
            Subscriptions(self.work).end_of_runs([run.run_id])
        plan = planner.after_catch(run.workflow, catch, {"event": event}, self.succession.data.values(run))
        self.succession.enter(run, plan)

    def _end(self, row: StepRow, outcome: Outcome) -> None:
        """End a step by what came for it."""
        if isinstance(outcome, Failed):
            self._write_ended()
            self.cancelling.inside(row.run_id, [row.step_id])
            self.cancelling.step(row)
        final = self.ends.plan([row], {row.step_id: outcome})[row.step_id]
        self._ended.append(self.ends.change_of(row, final))

    def _write_ended(self) -> None:
        """Write the rows of the steps that have ended, and enter what follows them."""
        ended, self._ended = self._ended, []
        if ended:
            Steps(self.work).change(ended)
            self.ends.enter()

    def _of_step(self, step_id: int, pending: Pending) -> Iterable[NewEventSubscription]:
        step, run_id = pending.step, pending.run.run_id
        if pending.entered is not None:
            for wait in pending.entered.waits:
                yield from self._of_catch(
                    run_id, step_id, wait.place, _caught(step, wait.place), wait.key, wait.timer
                )
        is_element = pending.bound is not None and step.loop is not None
        for place, seconds in ((_WHOLE, step.timeout_seconds), (_START, step.start_seconds)):
            if seconds is not None and not is_element:
                due = self.moments.business_now + timedelta(seconds=seconds)
                yield NewEventSubscription(
                    run_id=run_id, step_id=step_id, place=place, kind=TIMEOUT, due_at=due
                )

    def _of_catch(
        self, run_id: str, step_id: int | None, place: int, catch: Catch, key: str | None, timer: object
    ) -> Iterable[NewEventSubscription]:
        if catch.kind in (CatchKind.ERROR, CatchKind.ESCALATION):
            return
        due = None
        if catch.kind is CatchKind.TIMER:
            due = moment_after(self.moments.business_now, timer)
        yield NewEventSubscription(
            run_id=run_id,
            step_id=step_id,
            place=place,
            kind=catch.kind.value,
            name=catch.name or None,
            key=(key or "") if catch.kind is CatchKind.MESSAGE else None,
            due_at=due,
        )

    def _add(self, new: Sequence[NewEventSubscription]) -> None:
        if new:
            Subscriptions(self.work).add(new)
            self.messages += [
                (each.name or "", each.key or "") for each in new if each.kind == CatchKind.MESSAGE
            ]


def _caught(step: Step, place: int) -> Catch:
    return (*step.catches, *step.on)[place]


def _holds(catch: Catch, names: Mapping[str, object]) -> bool:
    try:
        return catch.condition is not None and catch.condition.holds(names)
    except ExpressionFault:
        return False


def _escalation(catches: Iterable[Catch], code: str) -> Catch | None:
    for catch in catches:
        if catch.kind is CatchKind.ESCALATION and (not catch.codes or code in catch.codes):
            return catch
    return None
