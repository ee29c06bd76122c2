"""What people agreed to, and how often actions were carried out: what an approval policy asks about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from storage.core.unit_of_work import Repository

_GIVEN = text(
    """
    SELECT task_id, decided_by, context -> 'origin_input' AS given FROM reviews
    WHERE task_id = ANY(:tasks) AND reason = :reason AND state = 'decided'
      AND decision ->> 'decision' = 'retry' ORDER BY review_id
    """,
)
_SINCE = text(
    "SELECT action_type, count(*) AS times FROM actions "
    "WHERE action_type = ANY(:types) AND at >= :since GROUP BY action_type",
)


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's approval of a step that asked for it."""

    task_id: str
    decided_by: str
    given: Mapping[str, Any]
    """The input of the step they agreed to."""


@dataclass(frozen=True, slots=True)
class Approvals(Repository):
    """Reads only: questions are `Reviews`'s, actions are effects."""

    def given(self, task_ids: Sequence[str], reason: str) -> list[Approval]:
        """What people agreed to in these tasks, when they were asked for this reason; the oldest first."""
        rows = self.connection.execute(_GIVEN, {"tasks": list(task_ids), "reason": reason})
        return [Approval(row.task_id, row.decided_by, row.given or {}) for row in rows]

    def carried_out(self, action_types: Sequence[str], since: datetime) -> Mapping[str, int]:
        """How many actions of each of these types were carried out since this business time."""
        rows = self.connection.execute(_SINCE, {"types": list(action_types), "since": since})
        return {row.action_type: row.times for row in rows}
