"""The action agent: carries out the intent in the order system, and records it in our tables."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final

from engine.actions import ActionDeclaration, Batch, EffectClass
from engine.outcomes import Done, Failed, Outcome
from runtime.ids import Prefix, new_id
from schemas.orders.effects import (
    AppointmentBooked,
    EngineerNotified,
    FollowupScheduled,
    Move,
    OrderCancelled,
)
from schemas.outbound.product_events import ProductEventType
from schemas.people.why import Why, WhyCode
from statemachine.orders.intents import Level1
from statemachine.orders.states import Event
from storage.engine.steps import StepRow
from tasks.orders.agents.action_request import (
    ACTION,
    APPROVAL_REQUIRED,
    ActionRequest,
    load_requests,
    request_of,
)
from tasks.orders.agents.execution import AGENT, executed
from tasks.orders.rules.appointment import adopt, arrange
from tasks.orders.rules.context import Context
from tasks.orders.rules.followup import Followup, plan
from tasks.orders.rules.order_system import action_taken, carry_out
from tasks.orders.rules.reasons import failed
from tasks.orders.rules.traces import product_event
from tools.limits import TOOLS, seconds_of

AT_ONCE: Final = 16
"""Orders of one message that another order system is told of at the same time; also the most one carries then."""

_LONGEST_ENGINEER: Final = 32


def execute_actions(context: Context, batch: Batch) -> Mapping[int, Outcome]:
    """Do what the customers' intents lead to; with another order system, many at the same time."""

    def execute(step: StepRow) -> Outcome:
        return execute_action(context, step, request_of(batch.subjects[step.step_id]), batch)

    if not context.order_system.remote:
        return {step.step_id: execute(step) for step in batch.steps}
    with ThreadPoolExecutor(max_workers=min(len(batch.steps), AT_ONCE)) as pool:
        outcomes = list(pool.map(execute, batch.steps))
    return {step.step_id: outcome for step, outcome in zip(batch.steps, outcomes, strict=True)}


def execute_action(context: Context, step: StepRow, request: ActionRequest, batch: Batch) -> Outcome:
    """Do what the customer's intent leads to (seed step7, SPEC.md §4)."""
    order, given, now = request.order, request.given, batch.moments.business_now
    if withheld := _withheld(context, request):
        return withheld
    match given.intent_level1:
        case Level1.RESUME:
            return _resume(context, step, request, now)
        case Level1.POSTPONE:
            followup = plan(context, given, order, now)
            return followup if isinstance(followup, Failed) else _postpone(context, step, request, followup)
        case Level1.TERMINATE:
            return _terminate(context, step, request)
        case _:
            return failed(Why(WhyCode.NO_AUTOMATIC_ACTION, {"intent": given.intent_level1}))


def _withheld(context: Context, request: ActionRequest) -> Failed | None:
    """Why a person decides this instead: the configuration forbids it, or wants somebody to agree first."""
    forbidden = [name for name in request.actions if not context.permissions.allow(AGENT, name)]
    if forbidden:
        return failed(Why(WhyCode.NOT_PERMITTED, {"agent": AGENT, "actions": forbidden}))
    why = request.needs_approval(context.approvals)
    return failed(why, code=APPROVAL_REQUIRED) if why else None


def _resume(context: Context, step: StepRow, request: ActionRequest, now: datetime) -> Outcome:
    order, given, zone = request.order, request.given, context.zone(request.order)
    visit = arrange(given, order, zone, request.openings, now)
    if isinstance(visit, Failed):
        return visit
    engineer = str(
        given.call.engineer_id
        or order.metadata.get("engineer_id")
        or f"ENG-{order.metadata.get('region') or 'POOL'}"
    )[:_LONGEST_ENGINEER]
    wanted = {"visit_at": visit.asked, "visit_until": given.visit_until, "words": visit.note}
    performed = carry_out(
        context.order_system,
        step,
        order,
        (("update_appointment", wanted), ("notify_engineer", {"engineer_id": engineer})),
    )
    if not isinstance(performed, list):
        return performed
    visit = adopt(visit, performed[0].slot, zone)
    booked = action_taken(
        context.order_system,
        step,
        order,
        "update_appointment",
        {"visit_at": visit.asked},
        {**performed[0].result, "appointment_updated": True, **visit.as_result()},
    )
    notified = action_taken(
        context.order_system,
        step,
        order,
        "notify_engineer",
        {"engineer_id": engineer},
        {**performed[1].result, "engineer_notified": True},
    )
    return executed(
        step,
        request,
        Level1.RESUME,
        {"visit_at": visit.visit_at, "engineer_id": engineer, **visit.as_result()},
        product_event(step, ProductEventType.ACTION_EXECUTED, "running", "visit"),
        (
            booked,
            AppointmentBooked(
                action_id=booked.action_id,
                task_id=order.task_id,
                order_id=order.order_id,
                visit_at=visit.visit_at,
                engineer_id=engineer,
                note=visit.note,
                region=visit.region,
                day=visit.day,
                slot=visit.slot,
            ),
            notified,
            EngineerNotified(
                action_id=notified.action_id,
                task_id=order.task_id,
                order_id=order.order_id,
                engineer_id=engineer,
                message=f"工单 {order.order_id} 客户同意上门",
            ),
        ),
    )


def _postpone(context: Context, step: StepRow, request: ActionRequest, followup: Followup) -> Done:
    order, given, followup_at = request.order, request.given, followup.at
    followup_id = new_id(Prefix.FOLLOWUP)
    reason = given.call.reason or given.intent_level2 or given.reason or ""
    taken = action_taken(
        context.order_system,
        step,
        order,
        "schedule_followup",
        {"followup_date": followup.asked, "reason": reason, **followup.given},
        {"followup_scheduled": True, "followup_id": followup_id},
    )
    done = executed(
        step,
        request,
        Level1.POSTPONE,
        {"followup_id": followup_id, "next_contact_time": followup_at},
        product_event(
            step, ProductEventType.ACTION_EXECUTED, "running", "followup", until=followup_at, reason=reason
        ),
        (
            taken,
            FollowupScheduled(
                action_id=taken.action_id,
                task_id=order.task_id,
                order_id=order.order_id,
                followup_id=followup_id,
                followup_at=followup_at,
                reason=reason,
            ),
        ),
    )
    wait = Move(
        task_id=order.task_id,
        event=Event.INTENT_POSTPONE,
        agent_id=AGENT,
        changes=followup.changes(),
        metadata={"followup_id": followup_id},
    )
    return Done(output={**done.output, "round_ends_in": "waiting_followup"}, effects=(*done.effects, wait))


def _terminate(context: Context, step: StepRow, request: ActionRequest) -> Outcome:
    order, given = request.order, request.given
    reason = given.call.reason or given.intent_level2 or ""
    performed = carry_out(context.order_system, step, order, (("cancel_order", {"reason": reason}),))
    if not isinstance(performed, list):
        return performed
    result = {**performed[0].result, "order_cancelled": True}
    taken = action_taken(context.order_system, step, order, "cancel_order", {"reason": reason}, result)
    return executed(
        step,
        request,
        Level1.TERMINATE,
        {"reason": reason},
        product_event(step, ProductEventType.ACTION_EXECUTED, "running", "cancelled"),
        (
            taken,
            OrderCancelled(
                action_id=taken.action_id, task_id=order.task_id, order_id=order.order_id, reason=reason
            ),
        ),
    )


ACTIONS: Final[tuple[ActionDeclaration[Context], ...]] = (
    ActionDeclaration(
        name=ACTION,
        effect=EffectClass.IDEMPOTENT,
        retry=TOOLS["update_appointment"].retry,
        work_seconds=seconds_of("update_appointment", "notify_engineer"),
        load=load_requests,
        work=execute_actions,
        largest_batch=lambda context: AT_ONCE if context.acts_elsewhere else None,
        warm=lambda context: context.order_system,
    ),
)
"""The action agent's actions."""
