"""Questions to people: opened with the step that waits for the answer, decided once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from runtime.ids import Prefix, new_id
from storage.bulk import BulkInsert, dump_json
from storage.tables import reviews as reviews_table

_INSERT = BulkInsert(
    reviews_table,
    (
        "review_id", "step_id", "run_id", "task_id", "node", "reason", "question", "context", "decisions",
        "deadline_at",
    ),
    stamped="opened_at",
)  # fmt: skip
_FIELDS = (
    "review_id, step_id, run_id, task_id, node, reason, question, context, decisions, state, opened_at, "
    "deadline_at, decided_at, decided_by, decision"
)
_FIND = text(f"SELECT {_FIELDS} FROM reviews WHERE review_id = :review_id")
_LOCK = text(f"SELECT {_FIELDS} FROM reviews WHERE review_id = :review_id FOR UPDATE")
_LIST = text(
    f"SELECT {_FIELDS} FROM reviews WHERE (CAST(:state AS text) IS NULL OR state = :state) "
    "AND (CAST(:task_id AS text) IS NULL OR task_id = :task_id) ORDER BY opened_at, review_id LIMIT :limit",
)
_DECIDE = text(
    "UPDATE reviews SET state = 'decided', decided_at = business_now(), decided_by = :decided_by, "
    "decision = CAST(:decision AS jsonb) WHERE review_id = :review_id",
)
_CANCEL = text("UPDATE reviews SET state = 'cancelled' WHERE step_id = ANY(:steps) AND state = 'open'")
_EXTEND = text(
    "UPDATE reviews SET deadline_at = NULL WHERE step_id = :step_id AND state = 'open' RETURNING review_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReview:
    """A question to be asked; `decisions` are the answers it accepts."""

    step_id: int
    run_id: str
    task_id: str | None
    node: str
    reason: str
    question: str
    context: Mapping[str, object]
    decisions: tuple[str, ...]
    deadline_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A question as it stands."""

    review_id: str
    step_id: int
    run_id: str
    task_id: str | None
    node: str
    reason: str
    question: str
    context: Mapping[str, Any]
    decisions: Sequence[str]
    state: str
    opened_at: datetime
    deadline_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    decision: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Reviews:
    """The only code that writes `reviews`."""

    connection: Connection

    def open(self, reviews: Sequence[NewReview]) -> None:
        """Ask these questions."""
        _INSERT(
            self.connection,
            [
                (
                    new_id(Prefix.REVIEW),
                    review.step_id,
                    review.run_id,
                    review.task_id,
                    review.node,
                    review.reason,
                    review.question,
                    review.context,
                    list(review.decisions),
                    review.deadline_at,
                )
                for review in reviews
            ],
        )

    def find(self, review_id: str) -> Review | None:
        """The review with this id."""
        row = self.connection.execute(_FIND, {"review_id": review_id}).one_or_none()
        return None if row is None else Review(**row._mapping)

    def lock(self, review_id: str) -> Review | None:
        """The review with this id, locked; take its step's lock first."""
        row = self.connection.execute(_LOCK, {"review_id": review_id}).one_or_none()
        return None if row is None else Review(**row._mapping)

    def list(
        self, *, state: str | None = "open", task_id: str | None = None, limit: int = 100
    ) -> list[Review]:
        """Reviews, the longest waiting first."""
        rows = self.connection.execute(_LIST, {"state": state, "task_id": task_id, "limit": limit})
        return [Review(**row._mapping) for row in rows]

    def decide(self, review_id: str, decided_by: str, decision: Mapping[str, object]) -> None:
        """Write the answer to a locked review."""
        self.connection.execute(
            _DECIDE, {"review_id": review_id, "decided_by": decided_by, "decision": dump_json(decision)}
        )

    def cancel(self, step_ids: Sequence[int]) -> None:
        """Withdraw the open questions of these steps."""
        self.connection.execute(_CANCEL, {"steps": list(step_ids)})

    def clear_deadline(self, step_id: int) -> str | None:
        """Let a question wait on after its deadline was raised as an alert; its id."""
        found: str | None = self.connection.execute(_EXTEND, {"step_id": step_id}).scalar_one_or_none()
        return found
