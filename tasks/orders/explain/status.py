"""Explains the status of a task from its rows. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from runtime.clock import Clock
from schemas.core.language import Language
from schemas.orders.explain.sentence import (
    Name,
    Named,
    Parameter,
    Reasons,
    Sentence,
    SentenceCode,
    When,
    say,
)
from schemas.orders.step_inputs import ReviewInput
from schemas.people.why import why_asked, why_in
from statemachine.orders.states import State
from statemachine.workflow.definition import END, ORIGIN, Kind
from statemachine.workflow.states import OPEN_RUNS, RunState, StepState
from storage.orders.order_view import OpenStep
from tasks.orders.explain import waiting
from tasks.orders.explain.explanation import Explanation, Wait
from tasks.orders.explain.moment_format import MomentFormat
from tasks.orders.explain.situation import Situation

# What is at work is named before what waits; of what waits, that which a person can change before the rest.
_FOREMOST: Final = (
    StepState.LEASED,
    StepState.PUBLISHED,
    StepState.READY,
    StepState.PARKED,
    StepState.OFFERED,
    StepState.SCHEDULED,
)


_KNOWS_INTENT: Final = (State.CLASSIFIED, State.ACTION_TAKEN, State.WAITING_FOLLOWUP)


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
            waiting_for=say(SentenceCode.STUCK_WITHOUT_STEP),
            next=say(SentenceCode.FAULT_OF_FLEET),
        )
    foremost = min(situation.steps, key=_place)
    explanation = _of_step(situation, foremost)
    if run.state is RunState.PAUSED:
        explanation = _paused(situation, foremost, explanation)
    return explanation


def why(situation: Situation, language: Language) -> str:
    """The explanation in one to three sentences."""
    return explain(situation).worded(MomentFormat(situation.moments, situation.zone, language)).sentences


def _of_step(situation: Situation, step: OpenStep) -> Explanation:
    describe = _BY_STATE[step.state]
    if step.kind == Kind.HUMAN:
        describe = _person
    fields = describe(situation, step)
    return Explanation(
        subject=situation.subject, stands=_stands(situation), notes=_notes(situation, step), **fields
    )


def _person(situation: Situation, step: OpenStep) -> dict[str, Any]:
    review = situation.review
    title = situation.title(step.node)
    if review is None:
        return {"wait": Wait.PERSON, "waiting_for": say(SentenceCode.PERSON, step=title)}
    is_overdue = step.due_at is None and review.deadline_at is not None
    origin = ReviewInput.of(review.context).origin
    asked: dict[str, Parameter] = {
        "step": title,
        "review": review.review_id,
        "question": Reasons(why_asked(review.context), review.question.rstrip(".。")),
        "reason": Name(Named.REASON, review.reason),
    }
    if origin:
        waiting_for = say(SentenceCode.PERSON_ASKED_AFTER, origin=situation.title(origin), **asked)
    else:
        waiting_for = say(SentenceCode.PERSON_ASKED, **asked)
    leads = [
        say(SentenceCode.LEADS_TO, decision=decision, target=_target(situation, step, decision))
        for decision in review.decisions
    ]
    return {
        "wait": Wait.PERSON,
        "waiting_for": waiting_for,
        "since": When(review.opened_at),
        "until": When(review.deadline_at) if review.deadline_at else None,
        "next": say(
            SentenceCode.DECIDED_NEXT,
            leads=leads,
            deadline=say(SentenceCode.NOBODY_IN_TIME if is_overdue else SentenceCode.NOBODY_YET),
            review=review.review_id,
            decisions="|".join(review.decisions),
        ),
    }


def _target(situation: Situation, step: OpenStep, decision: str) -> str | Sentence:
    known = situation.workflow.steps.get(step.node)
    target = known.decisions.get(decision, END) if known else END
    if target == END:
        return say(SentenceCode.TO_THE_END)
    if target == ORIGIN and situation.review is not None:
        origin = situation.title(str(ReviewInput.of(situation.review.context).origin))
        return say(SentenceCode.TO_ITS_ORIGIN, step=origin)
    return situation.title(target)


def _paused(situation: Situation, step: OpenStep, under: Explanation) -> Explanation:
    """A paused task: what it would wait for otherwise is kept, and named."""
    mark, title = situation.paused, situation.title(step.node)
    resumed = say(SentenceCode.RESUMED_NEXT, subject=situation.subject, step=title)
    if step.state is StepState.LEASED:
        resumed = say(SentenceCode.PAUSED_AT_WORK, step=title, resumed=resumed)
    elif step.kind == Kind.HUMAN:
        resumed = say(SentenceCode.PAUSED_DECISION, resumed=resumed)
    elif step.state is StepState.PARKED:
        resumed = say(SentenceCode.PAUSED_ANSWER, resumed=resumed)
    elif under.until is not None:
        resumed = say(SentenceCode.RESUMED_AT_ITS_TIME, resumed=resumed, until=under.until)
    return replace(
        under,
        wait=Wait.RESUME,
        waiting_for=say(SentenceCode.RESUME_AFTER, by=mark.by) if mark else say(SentenceCode.RESUME),
        since=When(mark.at) if mark else None,
        until=None,
        next=resumed,
    )


def _closed(situation: Situation) -> Explanation:
    order, last = situation.order, situation.last_move
    if order is None:
        raise ValueError("only an order is closed")
    reason, by = order.finish_reason, None
    if last is not None and reason in ("closed_by_person", "cancelled", "timed_out"):
        by = say(SentenceCode.ENDED_BY, by=last.agent_id)
        if last.reason:
            by = say(SentenceCode.ENDED_BY_SAYING, by=last.agent_id, said=last.reason)
    return Explanation(
        subject=situation.subject,
        stands=say(SentenceCode.AT_STATE, state=order.status.value),
        wait=Wait.NOTHING,
        waiting_for=say(SentenceCode.ENDED_BECAUSE, reason=Name(Named.FINISH, reason), code=reason, by=by)
        if reason
        else say(SentenceCode.ENDED_WITHOUT_REASON),
        since=When(order.finished_at) if order.finished_at else None,
        next=say(SentenceCode.NOTHING_FOLLOWS),
    )


def _run_ended(situation: Situation) -> Explanation:
    """A run that has ended: as it should where it has no order, else a fault, for the order is still open."""
    run, error = situation.run, situation.run.error or {}
    state, said = run.state.value, Reasons(tuple(why_in(error.get("why"))), str(error.get("message")))
    code = str(error.get("code"))
    ended = say(SentenceCode.RUN_ENDED, state=state)
    if error.get("step"):
        step = situation.title(str(error["step"]))
        ended = say(SentenceCode.RUN_ENDED_AT, state=state, step=step, said=said, code=code)
    elif error:
        ended = say(SentenceCode.RUN_ENDED_BY, state=state, said=said, code=code)
    is_fault = situation.order is not None
    return Explanation(
        subject=situation.subject,
        stands=_stands(situation),
        wait=Wait.FAULT if is_fault else Wait.NOTHING,
        waiting_for=say(SentenceCode.STUCK_AFTER_RUN, ended=ended) if is_fault else ended,
        since=When(run.finished_at, Clock.DATABASE) if run.finished_at else None,
        next=say(SentenceCode.FAULT_OF_FLEET if is_fault else SentenceCode.NOTHING_FOLLOWS),
    )


def _stands(situation: Situation) -> Sentence:
    order, run = situation.order, situation.run
    if order is None:
        return say(
            SentenceCode.RUN_AT_STATE, workflow=run.workflow, version=run.version, state=run.state.value
        )
    if order.round == 0:
        return say(SentenceCode.AT_STATE, state=order.status.value)
    at: dict[str, Parameter] = {
        "state": order.status.value,
        "round": order.round,
        "attempt": order.contact_count,
        "most": order.max_contacts,
    }
    if order.user_intent_l2 and order.status in _KNOWS_INTENT:
        parent, intent = str(order.user_intent_l1), str(order.user_intent_l2)
        return say(SentenceCode.WITH_INTENT, parent=parent, intent=intent, **at)
    return say(SentenceCode.IN_ROUND, **at)


def _notes(situation: Situation, foremost: OpenStep) -> tuple[Sentence, ...]:
    notes = []
    if foremost.crashes and foremost.state is not StepState.PARKED:
        once = foremost.crashes == 1
        notes.append(
            say(SentenceCode.WORKER_LOST_ONCE)
            if once
            else say(SentenceCode.WORKER_LOST, times=foremost.crashes)
        )
    others = [situation.title(step.node) for step in situation.steps if step is not foremost]
    if others:
        code = SentenceCode.ONE_BESIDE if len(others) == 1 else SentenceCode.SEVERAL_BESIDE
        notes.append(say(code, steps=others))
    if situation.run.deadline_at:
        notes.append(say(SentenceCode.RUN_LIMIT, until=When(situation.run.deadline_at, Clock.DATABASE)))
    return tuple(notes)


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
