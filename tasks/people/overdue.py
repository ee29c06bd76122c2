"""What is done when a moment of an open question comes: a role is added, or its deadline has passed.

A moment is a column of the question (`reviews.due_at`, business time). Each is acted on once, under the locks of the
step and of the question, in one transaction with the next moment: who comes second finds that one.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from engine.catalogue import Catalogue, UnknownWorkflow
from engine.engine import Engine
from engine.outcomes import Failed
from engine.rescue.isolation import Fault, isolated
from engine.transaction import Transaction
from schemas.people.effects import AlertRaised
from statemachine.workflow.definition import MalformedWorkflow
from statemachine.workflow.options.catches import CatchKind
from statemachine.workflow.planner import step_of
from storage.core.unit_of_work import UnitOfWork
from storage.people.alerts import Alerts
from storage.people.interrupts import Interrupt, Interrupts
from storage.people.reviews import Review, Reviews
from tasks.people.answers import lock
from tasks.people.escalation import escalated_to
from tasks.people.history import write_line

ESCALATED: Final = "review_escalated"
OVERDUE: Final = "review_overdue"
TIMED_OUT: Final = "review_timed_out"
TIMEOUT: Final = "timeout"
"""The code with which such a step fails."""
_STUCK: Final = "review_stuck"
_FLEET: Final = "orchestrator"
_CHUNK: Final = 100
"""Questions that one call looks at."""
_LONGEST_ROLE: Final = 32
"""Characters of a role that an alert can go to."""


def follow_due(engine: Engine) -> int:
    """Act on every open question for which a moment has come; how many there were."""
    with engine.database.looks() as work:
        due = Interrupts(work).due(_CHUNK)
    for review_id in due:
        # One at a time: the locks of several runs are taken in an order of their own elsewhere.
        followed = isolated(partial(_follow, engine, review_id))
        if isinstance(followed, Fault):
            _give_up(engine, review_id, followed)
    return len(due)


def fails_unanswered(catalogue: Catalogue, work: UnitOfWork, asked: Interrupt) -> bool:
    """Whether a step fails when nobody answers in time: one of a general run that catches it."""
    if asked.review.task_id is not None:
        return False
    try:
        workflow = catalogue.version(work, asked.workflow, asked.version)
    except (MalformedWorkflow, UnknownWorkflow):
        return False
    step = step_of(workflow, asked.review.node)
    return step.on_error is not None or any(
        catch.kind is CatchKind.ERROR and (not catch.codes or TIMEOUT in catch.codes) for catch in step.on
    )


def _follow(engine: Engine, review_id: str) -> None:
    with engine.transaction() as transaction:
        work, now = transaction.work, transaction.moments.business_now
        review = lock(work, review_id)
        if review is None or review.state != "open" or review.due_at is None or review.due_at > now:
            return
        deadline = review.deadline_at if review.task_id is None else None
        # What is due is the first moment that nobody has acted on.
        passed = deadline is not None and review.due_at <= deadline <= now
        asked = Interrupts(work).find(review_id) if passed else None
        fails = asked is not None and fails_unanswered(engine.catalogue, work, asked)
        escalated = _escalate(work, review, deadline if fails and deadline else now)
        if fails:
            _time_out(transaction, review)
            return
        if passed:
            Alerts(work).raise_all(
                [_alert(review, OVERDUE, "人工问题超过时限仍未答复", _last_role(review, escalated))]
            )
            write_line(work, review, OVERDUE, _FLEET)
        further = [_time_of(review, each) for each in review.escalations[escalated:]]
        if deadline is not None and deadline > now:
            further.append(deadline)
        Interrupts(work).set_due(review_id, escalated=escalated, due_at=min(further, default=None))


def _escalate(work: UnitOfWork, review: Review, until: datetime) -> int:
    """Add the roles whose time has come; how many of the escalations have come now."""
    come = [each for each in review.escalations[review.escalated :] if _time_of(review, each) <= until]
    for each in come:
        role = str(each["role"])
        Alerts(work).raise_all([_alert(review, ESCALATED, "人工问题无人答复, 已升级", role)])
        write_line(work, review, ESCALATED, _FLEET, {"role": role, "after_seconds": each["after_seconds"]})
    return review.escalated + len(come)


def _time_out(transaction: Transaction, review: Review) -> None:
    """Fail the step, whose `on_error` follows; the question is withdrawn."""
    failed = Failed(code=TIMEOUT, message="nobody has answered in time")
    transaction.fail([review.step_id], failed)
    Reviews(transaction.work).cancel([review.step_id])
    write_line(transaction.work, review, TIMED_OUT, _FLEET)


def _give_up(engine: Engine, review_id: str, fault: Fault) -> None:
    """Let a question wait without moments, and alert people: it would fail the same way again and again."""
    with engine.database.transaction() as work:
        review = Reviews(work).lock(review_id)
        if review is None or review.due_at is None:
            return
        Interrupts(work).set_due(review_id, escalated=review.escalated, due_at=None)
        alert = _alert(review, _STUCK, f"人工问题的时限无法处理: {fault}", escalated_to(_STUCK, "warning"))
        Alerts(work).raise_all([alert])


def _alert(review: Review, alert_type: str, message: str, role: str) -> AlertRaised:
    return AlertRaised(
        alert_type=alert_type,
        severity="warning",
        message=message,
        task_id=review.task_id,
        escalated_to=role[:_LONGEST_ROLE],
        metadata={"review_id": review.review_id, "execution_id": review.run_id, "step": review.node},
    )


def _last_role(review: Review, escalated: int) -> str:
    """The role that was added last, else whose question it is, else the one for such alerts."""
    added = [str(each["role"]) for each in review.escalations[:escalated]]
    return (added or [review.role or escalated_to(OVERDUE, "warning")])[-1]


def _time_of(review: Review, escalation: Any) -> datetime:
    return review.opened_at + timedelta(seconds=int(escalation["after_seconds"]))
