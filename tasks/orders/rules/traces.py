"""Makes audit lines and product events of steps, in one form."""

from typing import Literal

from schemas.orders.effects import Audit
from schemas.outbound.effects import ProductEvent
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
    event_type: str,
    stage: str,
    title: str,
    status: Literal["running", "waiting", "ready", "failed"],
) -> ProductEvent:
    """The event of this step for people who watch the order."""
    return ProductEvent(
        execution_id=step.run_id,
        task_id=step.subject_id,
        event_type=event_type,
        stage=stage,
        title=title,
        status=status,
    )
