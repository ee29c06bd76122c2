"""Lines of history about questions: in the order's audit log, of other runs in the installation's."""

from collections.abc import Mapping

from schemas.orders.effects import Audit
from storage.access.system_audit import SystemAudit
from storage.core.unit_of_work import UnitOfWork
from storage.orders.orders import Orders
from storage.orders.timeline import Timeline
from storage.people.reviews import Review


def write_line(
    work: UnitOfWork, review: Review, what: str, by: str, further: Mapping[str, object] | None = None
) -> None:
    """Write that this was done about a question, by whom."""
    detail: dict[str, object] = {"review_id": review.review_id, "reason": review.reason, **(further or {})}
    if review.task_id is not None and Orders(work).find([review.task_id]):
        line = Audit(task_id=review.task_id, event_type=what, agent_id=by, action="review", metadata=detail)
        Timeline(work).audit([line])
    else:
        SystemAudit(work).write(by, what, detail | {"execution_id": review.run_id})
