"""Explains the status of a task from its rows. Pure."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from runtime.clock import Clock
from schemas.orders.step_inputs import ReviewInput
from statemachine.orders.states import State
from statemachine.workflow.definition import END, ORIGIN, Kind
from statemachine.workflow.states import OPEN_RUNS, RunState, StepState
from storage.orders.order_view import OpenStep
from tasks.orders.explain import waiting
from tasks.orders.explain.explanation import Explanation, MomentFormat, Wait, When
from tasks.orders.explain.situation import Situation

FINISHED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "visit_arranged": "the customer agreed to a visit (客户同意上门)",
        "cancelled_by_customer": "the customer cancelled the order (客户取消)",
        "contact_failed": "all attempts of the round reached nobody (多次联系未果)",
        "closed_by_person": "a person closed it (人工关闭)",
        "cancelled": "it was cancelled from outside (上游取消)",
        "timed_out": "its time was up (超时)",
    }
)
"""Why an order is closed, in words, by its `finish_reason`."""

# What is at work is named before what waits; of what waits, that which a person can change before the rest.
_FOREMOST: Final = (
    StepState.LEASED,
    StepState.PUBLISHED,
    StepState.READY,
    StepState.PARKED,
    StepState.OFFERED,
    StepState.SCHEDULED,
)


def explain(situation: Situation) -> Explanation:
    """What the task waits for, since when, until when, and what happens next."""
    order, run = situation.order, situation.run
    if order is not None and order.status is State.CLOSED:
        return _closed(situation)
    if run.state not in OPEN_RUNS:
        return _run_ended(situation)
    if not situation.steps:
        return Explanation(
            subject=situation.subject,
            stands=_stands(situation),
            wait=Wait.FAULT,
            waiting_for="waits for nothing that could come: its run goes on, but none of its steps is open",
            next="Nothing moves it by itself; this is a fault of the fleet and not of the task.",
        )
    foremost = min(situation.steps, key=_place)
    explanation = _of_step(situation, foremost)
    if run.state is RunState.PAUSED:
        explanation = _paused(situation, foremost, explanation)
    return explanation


def why(situation: Situation) -> str:
    """The explanation in one to three sentences."""
    return explain(situation).sentences(MomentFormat(situation.moments, situation.zone))


def _of_step(situation: Situation, step: OpenStep) -> Explanation:
    describe = _BY_STATE[step.state]
    if step.kind == Kind.HUMAN:
        describe = _person
    fields = describe(situation, step)
    return Explanation(
        subject=situation.subject, stands=_stands(situation), note=_note(situation, step), **fields
    )


def _person(situation: Situation, step: OpenStep) -> dict[str, Any]:
    review = situation.review
    title = situation.title(step.node)
    if review is None:
        return {"wait": Wait.PERSON, "waiting_for": f"a person's decision ({title})"}
    overdue = step.due_at is None and review.deadline_at is not None
    origin = ReviewInput.of(review.context).origin
    after = f" after {situation.title(origin)}" if origin else ""
    decisions = "|".join(review.decisions)
    leads = ", ".join(f"{decision} → {_target(situation, step, decision)}" for decision in review.decisions)
    deadline = (
        "nobody decided in time, an alert was raised"
        if overdue
        else "if nobody does in time, an alert is raised"
    )
    return {
        "wait": Wait.PERSON,
        "waiting_for": f"a person's decision{after} ({title}, {review.review_id}): "
        f"“{review.question.rstrip('.。')}” ({review.reason})",
        "since": When(review.opened_at),
        "until": When(review.deadline_at) if review.deadline_at else None,
        "next": f"It goes on once somebody decides ({leads}), however long that takes; {deadline}: "
        f"`unpend review decide {review.review_id} --decision {decisions}`",
    }


def _target(situation: Situation, step: OpenStep, decision: str) -> str:
    known = situation.workflow.steps.get(step.node)
    target = known.decisions.get(decision, END) if known else END
    if target == END:
        return "end"
    if target == ORIGIN and situation.review is not None:
        return f"{situation.title(str(ReviewInput.of(situation.review.context).origin))} again"
    return situation.title(target)


def _paused(situation: Situation, step: OpenStep, under: Explanation) -> Explanation:
    """A paused task: what it would wait for otherwise is kept, and named."""
    mark = situation.paused
    by = f" (paused by {mark.by})" if mark else ""
    title = situation.title(step.node)
    next_ = f"`unpend task resume {situation.subject}` lets it go on with {title}"
    if step.state is StepState.LEASED:
        next_ = f"{title} is at work and is still recorded, nothing follows it; {next_}"
    elif step.kind == Kind.HUMAN:
        next_ = f"A decision is still taken, nothing follows it; {next_}"
    elif step.state is StepState.PARKED:
        next_ = f"What the customer answers is still recorded, nothing follows it; {next_}"
    elif under.until is not None:
        moment_format = MomentFormat(situation.moments, situation.zone)
        next_ = f"{next_}, which keeps its time, {moment_format.until(under.until)}"
    return Explanation(
        subject=under.subject,
        stands=under.stands,
        wait=Wait.RESUME,
        waiting_for=f"somebody to resume it{by}",
        since=When(mark.at) if mark else None,
        next=next_[0].upper() + next_[1:] if not next_.startswith("`") else next_,
        note=under.note,
    )


def _closed(situation: Situation) -> Explanation:
    order, last = situation.order, situation.last_move
    if order is None:
        raise ValueError("only an order is closed")
    reason = order.finish_reason or "for no reason that was kept"
    words = FINISHED.get(reason, "")
    by = ""
    if last is not None and reason in ("closed_by_person", "cancelled", "timed_out"):
        by = f", by {last.agent_id}" + (f": “{last.reason}”" if last.reason else "")
    return Explanation(
        subject=situation.subject,
        stands="closed",
        wait=Wait.NOTHING,
        waiting_for=f"has ended, because {words} [{reason}]{by}" if words else f"has ended: {reason}{by}",
        since=When(order.finished_at) if order.finished_at else None,
        next="Nothing further happens to it.",
    )


def _run_ended(situation: Situation) -> Explanation:
    """A run that has ended: as it should where it has no order, else a fault, for the order is still open."""
    run, error = situation.run, situation.run.error or {}
    where = f" at {situation.title(str(error['step']))}" if error.get("step") else ""
    because = f": {error.get('message')} [{error.get('code')}]" if error else ""
    ended = f"has ended {run.state.value}{where}{because}"
    is_fault = situation.order is not None
    return Explanation(
        subject=situation.subject,
        stands=_stands(situation),
        wait=Wait.FAULT if is_fault else Wait.NOTHING,
        waiting_for=f"waits for nothing that could come: its run {ended}" if is_fault else ended,
        since=When(run.finished_at, Clock.DATABASE) if run.finished_at else None,
        next="Nothing moves it by itself; this is a fault of the fleet and not of the task."
        if is_fault
        else "Nothing further happens to it.",
    )


def _stands(situation: Situation) -> str:
    order = situation.order
    if order is None:
        return f"{situation.run.workflow} {situation.run.version}, {situation.run.state.value}"
    if order.round == 0:
        return order.status.value
    intent = ""
    if (
        order.status in (State.CLASSIFIED, State.ACTION_TAKEN, State.WAITING_FOLLOWUP)
        and order.user_intent_l2
    ):
        intent = f", {order.user_intent_l1}·{order.user_intent_l2}"
    return (
        f"{order.status.value}, round {order.round}, "
        f"attempt {order.contact_count} of {order.max_contacts}{intent}"
    )


def _note(situation: Situation, foremost: OpenStep) -> str:
    notes = []
    if foremost.crashes and foremost.state is not StepState.PARKED:
        times = "once" if foremost.crashes == 1 else f"{foremost.crashes} times"
        notes.append(
            f"its worker was lost in this step {times}, so the row travels alone; "
            "after a bounded number of times a person is asked"
        )
    others = [situation.title(step.node) for step in situation.steps if step is not foremost]
    if others:
        notes.append(f"beside it {'is' if len(others) == 1 else 'are'} open: {', '.join(others)}")
    if situation.run.deadline_at:
        moment_format = MomentFormat(situation.moments, situation.zone)
        notes.append(
            f"the whole run may go on {moment_format.until(When(situation.run.deadline_at, Clock.DATABASE))}"
        )
    text = "; ".join(notes)
    return text[:1].upper() + text[1:]


def _place(step: OpenStep) -> tuple[bool, int, float]:
    due = step.due_at.timestamp() if step.due_at else 0.0
    return (step.kind == Kind.HUMAN, _FOREMOST.index(step.state), due)


_BY_STATE: Final[Mapping[StepState, Callable[[Situation, OpenStep], dict[str, Any]]]] = MappingProxyType(
    {
        StepState.SCHEDULED: waiting.scheduled,
        StepState.READY: waiting.ready,
        StepState.PUBLISHED: waiting.published,
        StepState.LEASED: waiting.leased,
        StepState.PARKED: waiting.parked,
        StepState.OFFERED: waiting.offered,
    }
)
