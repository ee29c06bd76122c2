"""The calls of outside agents that were passed to an agent of the fleet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository

_KEEP = text(
    "INSERT INTO dispatches (dispatch_id, step_id, task_id, agent_id, target_agent, action_type, given) "
    "VALUES (:dispatch_id, :step_id, :task_id, :agent_id, :target_agent, :action_type, CAST(:given AS jsonb))",
)
_FIELDS = "dispatch_id, step_id, task_id, agent_id, target_agent, action_type, given, created_at"
_FIND = text(f"SELECT {_FIELDS} FROM dispatches WHERE dispatch_id = :dispatch_id")
_LAST_OF = text(f"SELECT {_FIELDS} FROM dispatches WHERE step_id = :step_id ORDER BY created_at DESC LIMIT 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """A call that was passed to an agent."""

    dispatch_id: str
    step_id: int
    task_id: str
    agent_id: str
    target_agent: str
    action_type: str
    given: Mapping[str, Any]
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Dispatches(Repository):
    """The only code that writes `dispatches`."""

    def keep(self, dispatch: Dispatch) -> None:
        """Keep a call that was passed to an agent."""
        self.connection.execute(
            _KEEP,
            {
                "dispatch_id": dispatch.dispatch_id,
                "step_id": dispatch.step_id,
                "task_id": dispatch.task_id,
                "agent_id": dispatch.agent_id,
                "target_agent": dispatch.target_agent,
                "action_type": dispatch.action_type,
                "given": dump_json(dispatch.given),
            },
        )

    def find(self, dispatch_id: str) -> Dispatch | None:
        """The dispatch with this id."""
        row = self.connection.execute(_FIND, {"dispatch_id": dispatch_id}).one_or_none()
        return None if row is None else Dispatch(**row._mapping)

    def last_of(self, step_id: int) -> Dispatch | None:
        """The last call for this step."""
        row = self.connection.execute(_LAST_OF, {"step_id": step_id}).one_or_none()
        return None if row is None else Dispatch(**row._mapping)
