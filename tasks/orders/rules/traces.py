"""Makes audit lines and product events of steps, in one form."""

from datetime import datetime
from typing import Literal

from schemas.orders.effects import Audit
from schemas.outbound.effects import ProductEvent
from schemas.outbound.product_events import ProductEventType
from storage.engine.steps import StepRow


def audit(
    step: StepRow, event_type: str, agent_id: str, action: str | None = None, **metadata: object
) -> Audit:
    """A line of the order's audit log for this step; the step's own ids are added."""
    return Audit(
        task_id=str(step.subject_id),
        event_type=event_type,
        agent_id=agent_id,
        action=action,
        metadata={**metadata, "step": step.node, "step_id": step.step_id, "delivery": step.delivery}
        | ({"request_id": step.request_id} if step.request_id else {}),
    )


def product_event(
    step: StepRow,
    event_type: ProductEventType,
    status: Literal["running", "waiting", "ready", "failed"],
    which: str = "",
    until: datetime | None = None,
    **parameters: object,
) -> ProductEvent:
    """The event of this step for people who watch the order; `which` of its titles it has, and their parameters."""
    return ProductEvent(
        execution_id=step.run_id,
        task_id=step.subject_id,
        event_type=event_type.value,
        stage=event_type.stage.value,
        title=f"{event_type}.{which}" if which else event_type.value,
        parameters=parameters,
        status=status,
        until=until,
    )
