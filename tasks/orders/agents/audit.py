"""The audit agent: writes the last audit line and closes the order."""

from collections.abc import Mapping
from typing import Final

from engine.actions import ActionDeclaration, EffectClass
from engine.outcomes import Done, Outcome
from schemas.orders.effects import Move
from schemas.orders.step_inputs import ActionInput
from schemas.outbound.product_events import ProductEventType
from schemas.people.why import Why, WhyCode
from statemachine.orders.intents import ROUND_ENDS, Level1
from storage.engine.steps import StepRow
from storage.orders.order import Order
from tasks.orders.agents.each_order import each_order, load_orders
from tasks.orders.agents.report import REPORT, generate_reports
from tasks.orders.rules.context import Context
from tasks.orders.rules.reasons import failed
from tasks.orders.rules.traces import audit, product_event
from tools.limits import TOOLS

AGENT: Final = "audit_agent"
_ENDS: Final[Mapping[Level1, str]] = {
    Level1.RESUME: "visit_arranged",
    Level1.TERMINATE: "cancelled_by_customer",
}


def log_and_close(step: StepRow, order: Order) -> Outcome:
    """Close the order with the reason and one line that sums it up (seed step8)."""
    intent = ActionInput.of(step.input).intent_level1
    try:
        level1 = Level1(str(intent))
        finish_reason = _ENDS[level1]
    except (KeyError, ValueError):
        return failed(Why(WhyCode.NOTHING_TO_CLOSE, {"intent": intent}))
    return Done(
        output={"finish_reason": finish_reason},
        effects=(
            Move(
                task_id=order.task_id,
                event=ROUND_ENDS[level1],
                agent_id=AGENT,
                changes={"finish_reason": finish_reason},
            ),
            audit(
                step,
                "task_completed",
                AGENT,
                "log_and_close",
                finish_reason=finish_reason,
                rounds=order.round,
                contacts=order.contacts_total,
                confidence=order.confidence,
            ),
            product_event(step, ProductEventType.TASK_CLOSED, "ready", finish_reason),
        ),
    )


ACTIONS: Final[tuple[ActionDeclaration[Context], ...]] = (
    ActionDeclaration(
        name="audit.log_and_close",
        effect=EffectClass.RECORD,
        retry=TOOLS["log_event"].retry,
        work_seconds=TOOLS["log_event"].timeout_seconds,
        load=load_orders,
        work=each_order(log_and_close),
    ),
    ActionDeclaration(
        name="audit.generate_report",
        retry=TOOLS["generate_report"].retry,
        work_seconds=TOOLS["generate_report"].timeout_seconds,
        parameters=REPORT,
        largest_batch=lambda _: 1,
        work=generate_reports,
    ),
)
"""The audit agent's actions."""
