"""The routes that explain an order: what it waits for, what the contact policy says of it, what is said next."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from api.orders.services import GivenOrdersParts
from api.server.authentication import requires
from api.server.errors import documented
from api.server.language import AskedLanguage
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.identifier import Identifier
from schemas.orders.explain.explanation import (
    CapShown,
    ContactPolicyView,
    DayShown,
    EntryShown,
    MomentOnClock,
    NextContactView,
    WhyView,
)
from schemas.orders.explain.sentence import When
from tasks.orders.explain.moment_format import MomentFormat
from tasks.orders.explain.next_contact import next_contact
from tasks.orders.explain.next_step import next_step_of
from tasks.orders.explain.situation import situation_of
from tasks.orders.explain.status import explain

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=Route)

TaskId = Annotated[Identifier, Path(description="An order's task_id.", examples=["HT20260313001"])]
AnyId = Annotated[Identifier, Path(description="A task_id, or the execution_id of any run.")]


@router.get(
    "/{task_id}/why",
    summary="What a task waits for",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def explain_wait(task_id: AnyId, parts: GivenParts, language: AskedLanguage) -> WhyView:
    """For what, since when, until when, and what happens next: as fields, and in sentences."""
    with parts.database.snapshot() as work:
        situation = situation_of(work, task_id)
    if situation is None:
        raise unknown("task", task_id)
    found = explain(situation)
    words = found.worded(MomentFormat(situation.moments, situation.zone, language))
    return WhyView(
        task_id=task_id,
        stands=words.stands,
        wait=found.wait.value,
        waiting_for=words.waiting_for,
        code=found.waiting_for.code.value,
        since=_moment(found.since),
        until=_moment(found.until),
        next=words.next,
        next_code=found.next and found.next.code.value,
        note=words.note or None,
        sentences=words.sentences,
        timezone=situation.zone.key,
    )


@router.get(
    "/{task_id}/contact-policy",
    summary="What the contact policy says of an order",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def explain_policy(task_id: TaskId, parts: GivenOrdersParts) -> ContactPolicyView:
    """At this moment: the next channel, hours, gap, caps, what bars a contact, and the earliest moment."""
    with parts.database.snapshot() as work:
        found = next_step_of(work, parts.context, task_id)
    if found is None:
        raise unknown("task", task_id)
    named: dict[str, Any] = {
        name: getattr(found, name) for name in ContactPolicyView.model_fields if hasattr(found, name)
    }
    return ContactPolicyView(
        **named
        | {
            "state": found.state.value,
            "gap_seconds": found.gap.total_seconds(),
            "days": [DayShown.model_validate(day) for day in found.days],
            "caps": [
                CapShown(limit=each.cap.limit, period_seconds=each.cap.period.total_seconds(), used=each.used)
                for each in found.caps
            ],
            "do_not_call": [EntryShown.model_validate(entry) for entry in found.do_not_call],
        }
    )


@router.get(
    "/{task_id}/next-contact",
    summary="What an order's customer would be told next",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def preview_contact(task_id: TaskId, parts: GivenOrdersParts) -> NextContactView:
    """When, by which channel, and in which words. Sends nothing."""
    with parts.database.snapshot() as work:
        found = next_contact(work, parts.context, task_id)
    if found is None:
        raise unknown("task", task_id)
    return NextContactView.model_validate(found)


def _moment(when: When | None) -> MomentOnClock | None:
    return None if when is None else MomentOnClock(at=when.at, clock=when.clock.value)
