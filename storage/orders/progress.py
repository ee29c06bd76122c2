"""How far an order has come, as its caller is told: the order, its last contact, and whether a person is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from statemachine.orders.states import State
from storage.core.unit_of_work import Repository

_FIND = text(
    """
    SELECT t.task_id, t.status, t.contact_count, t.max_contacts, t.user_intent_l1, t.user_intent_l2, t.confidence,
        t.created_at, t.updated_at,
        (SELECT c.contact_result FROM contact_logs c WHERE c.task_id = t.task_id AND c.contact_result <> 'pending'
         ORDER BY c.contact_time DESC, c.created_at DESC, c.contact_id DESC LIMIT 1) AS last_contact_result,
        EXISTS (SELECT FROM reviews r WHERE r.task_id = t.task_id AND r.state = 'open') AS review_open
    FROM tasks t WHERE t.task_id = ANY(:ids)
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One order."""

    task_id: str
    status: State
    contact_count: int
    max_contacts: int
    user_intent_l1: str | None
    user_intent_l2: str | None
    confidence: float | None
    created_at: datetime
    updated_at: datetime
    last_contact_result: str | None
    """What came of the last attempt that anything came of."""
    review_open: bool
    """Whether a person is asked about it."""


@dataclass(frozen=True, slots=True)
class Progresses(Repository):
    """Reads the progress of orders, one statement whatever their number."""

    def find(self, task_ids: Sequence[str]) -> dict[str, Progress]:
        """The progress of the orders with these ids; an unknown one is not in the answer."""
        rows = self.connection.execute(_FIND, {"ids": list(task_ids)})
        return {
            row.task_id: Progress(
                task_id=row.task_id,
                status=State(row.status),
                contact_count=row.contact_count,
                max_contacts=row.max_contacts,
                user_intent_l1=row.user_intent_l1,
                user_intent_l2=row.user_intent_l2,
                confidence=None if row.confidence is None else float(row.confidence),
                created_at=row.created_at,
                updated_at=row.updated_at,
                last_contact_result=row.last_contact_result,
                review_open=row.review_open,
            )
            for row in rows
        }
