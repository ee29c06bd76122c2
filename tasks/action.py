"""What the action agent does: carries out the intent, in the built-in tables of the order system."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from engine.actions import Action, Batch, EffectClass
from engine.outcomes import Done, Failed, Outcome
from runtime.ids import Prefix, new_id
from schemas.effects import (
    ActionTaken,
    AppointmentBooked,
    Effect,
    EngineerNotified,
    FollowupScheduled,
    Move,
    OrderCancelled,
)
from statemachine.intents import Level1
from statemachine.states import Event
from storage.order import Order
from storage.steps import StepRow
from tasks.context import Context
from tasks.each_order import each_order, load_orders
from tasks.telling import audit, told
from tools.limits import TOOLS

AGENT: Final = "action_agent"

ACTIONS_OF: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        Level1.RESUME.value: ("update_appointment", "notify_engineer"),
        Level1.POSTPONE.value: ("schedule_followup",),
        Level1.TERMINATE.value: ("cancel_order",),
    }
)
"""The tools that an intent has carried out, together (SPEC.md §4)."""


def actions(context: Context) -> tuple[Action, ...]:
    """The action agent's actions."""
    return (
        Action(
            name="action.execute_action",
            effect=EffectClass.IDEMPOTENT,
            retry=TOOLS["update_appointment"].retry,
            load=load_orders,
            work=lambda batch: each_order(batch, partial(execute_action, context)),
        ),
    )


def execute_action(context: Context, step: StepRow, order: Order, batch: Batch) -> Outcome:
    """Do what the customer's intent leads to (seed step7, SPEC.md §4)."""
    level1, now = step.input.get("intent_level1"), batch.moments.business_now
    forbidden = [
        name for name in ACTIONS_OF.get(str(level1), ()) if not context.permissions.allow(AGENT, name)
    ]
    if forbidden:
        return Failed(
            code="not_permitted",
            message=f"权限配置不允许 {AGENT} 执行 {'、'.join(forbidden)}, 请人工处理",
        )
    match level1:
        case Level1.RESUME:
            return _resume(step, order)
        case Level1.POSTPONE if order.round >= context.policy.max_rounds:
            return Failed(
                code="rounds_exhausted",
                message=f"已跟进{order.round}轮仍需暂缓, 请人工决定如何继续",
            )
        case Level1.POSTPONE:
            return _postpone(step, order, now)
        case Level1.TERMINATE:
            return _terminate(step, order)
        case _:
            return Failed(code="no_automatic_action", message=f"意图 '{level1}' 没有自动动作")


def _resume(step: StepRow, order: Order) -> Done:
    visit_at = step.call.get("visit_at") or step.input.get("visit_at")
    engineer = str(
        step.call.get("engineer_id")
        or order.metadata.get("engineer_id")
        or f"ENG-{order.metadata.get('region') or 'POOL'}"
    )
    booked = _taken(step, order, "update_appointment", {"visit_at": visit_at}, {"appointment_updated": True})
    notified = _taken(step, order, "notify_engineer", {"engineer_id": engineer}, {"engineer_notified": True})
    return _done(
        step,
        order,
        Level1.RESUME,
        {"visit_at": visit_at, "engineer_id": engineer},
        "已恢复预约并通知工程师",
        (
            booked,
            AppointmentBooked(
                action_id=booked.action_id,
                task_id=order.task_id,
                order_id=order.order_id,
                visit_at=_moment(visit_at),
                engineer_id=engineer,
                note=str(step.input.get("date_words") or "时间待定"),
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


def _postpone(step: StepRow, order: Order, now: datetime) -> Done:
    agreed = step.call.get("followup_date") or step.input.get("followup_at")
    followup_at = _moment(agreed) or now + timedelta(days=3)
    followup_id = new_id(Prefix.FOLLOWUP)
    reason = str(step.call.get("reason") or step.input.get("intent_level2") or step.input.get("reason") or "")
    taken = _taken(
        step,
        order,
        "schedule_followup",
        {"followup_date": followup_at, "reason": reason},
        {"followup_scheduled": True, "followup_id": followup_id},
    )
    done = _done(
        step,
        order,
        Level1.POSTPONE,
        {"followup_id": followup_id, "next_contact_time": followup_at},
        f"已安排跟进: {reason}",
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
        changes={"next_contact_time": followup_at},
        metadata={"followup_id": followup_id},
    )
    return Done(output={**done.output, "round_ends_in": "waiting_followup"}, effects=(*done.effects, wait))


def _terminate(step: StepRow, order: Order) -> Done:
    reason = str(step.call.get("reason") or step.input.get("intent_level2") or "")
    taken = _taken(step, order, "cancel_order", {"reason": reason}, {"order_cancelled": True})
    return _done(
        step,
        order,
        Level1.TERMINATE,
        {"reason": reason},
        "已取消订单",
        (
            taken,
            OrderCancelled(
                action_id=taken.action_id, task_id=order.task_id, order_id=order.order_id, reason=reason
            ),
        ),
    )


def _taken(
    step: StepRow,
    order: Order,
    action_type: str,
    parameters: Mapping[str, object],
    result: Mapping[str, object],
) -> ActionTaken:
    """The action under its key: one of its kind a round, whatever is repeated (SPEC.md §3)."""
    return ActionTaken(
        action_id=new_id(Prefix.ACTION),
        task_id=order.task_id,
        action_type=action_type,
        key=f"{order.task_id}.{order.round}.{action_type}.{step.step_id}",
        parameters=parameters,
        result=result,
    )


def _done(
    step: StepRow,
    order: Order,
    level1: Level1,
    result: Mapping[str, object],
    title: str,
    effects: tuple[Effect, ...],
) -> Done:
    by_person = bool(step.input.get("decided_by"))
    taken = [effect for effect in effects if isinstance(effect, ActionTaken)]
    move = Move(
        task_id=order.task_id,
        event=Event.ACTION_EXECUTE,
        agent_id=AGENT,
        metadata={"actions": [action.action_type for action in taken]},
    )
    lines = tuple(
        audit(
            step,
            "action_executed",
            AGENT,
            action.action_type,
            action_id=action.action_id,
            intent=level1.value,
            decided_by=step.input.get("decided_by"),
            automatic=not by_person,
        )
        for action in taken
    )
    return Done(
        output={
            **result,
            "intent_level1": level1.value,
            "actions": [action.action_id for action in taken],
            "round_ends_in": "closed",
        },
        effects=(move, *effects, *lines, told(step, "action_executed", "action", title, "running")),
    )


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None
