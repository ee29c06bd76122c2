"""What agents call for over the API: the step that waits, how steps ended, and the dispatches made of calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository

_OPEN = text(
    "SELECT step_id, node, kind, action, state, held, due_at, due_clock, input FROM steps "
    "WHERE run_id = :run_id AND state NOT IN ('done', 'failed', 'cancelled') ORDER BY step_id",
)
_ENDED_OF = text(
    "SELECT step_id, node, state, input, output, error FROM steps "
    "WHERE run_id = :run_id AND action = :action AND state = 'done' ORDER BY step_id DESC LIMIT 20",
)
_LOOK = text("SELECT step_id, node, state, input, output, error FROM steps WHERE step_id = :step_id")
# On the database's clock a step only tries again; on the business clock something allows it later.
_SETTLED = text(
    "SELECT step_id, node, state, input, output, error FROM steps WHERE step_id = ANY(:ids) "
    "AND (state IN ('done', 'failed', 'cancelled') "
    "OR (state = 'scheduled' AND due_clock = 'business' AND due_at > (SELECT business_now())))",
)
_KEEP = text(
    "INSERT INTO dispatches (dispatch_id, step_id, task_id, agent_id, target_agent, action_type, given) "
    "VALUES (:dispatch_id, :step_id, :task_id, :agent_id, :target_agent, :action_type, CAST(:given AS jsonb))",
)
_OF_RUN = text("SELECT min(step_id) FROM steps WHERE run_id = :run_id")
_ACTION_TAKEN = text(
    "SELECT action_id, action_type, parameters, result, status FROM actions "
    "WHERE action_id = ANY(:ids) AND action_type = :action_type",
)
_FIELDS = "dispatch_id, step_id, task_id, agent_id, target_agent, action_type, given, created_at"
_FIND = text(f"SELECT {_FIELDS} FROM dispatches WHERE dispatch_id = :dispatch_id")
_LAST_OF = text(f"SELECT {_FIELDS} FROM dispatches WHERE step_id = :step_id ORDER BY created_at DESC LIMIT 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingStep:
    """An open step of a run."""

    step_id: int
    node: str
    kind: str
    action: str | None
    state: str
    held: bool
    due_at: datetime | None
    due_clock: str | None
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalledStep:
    """A step that was called for, as it stands."""

    step_id: int
    node: str
    state: str
    input: Mapping[str, Any]
    output: Mapping[str, Any] | None
    error: Mapping[str, Any] | None

    @property
    def ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state in ("done", "failed", "cancelled")


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
class Calls(Repository):
    """The only code that writes `dispatches`."""

    def open_steps(self, run_id: str) -> list[WaitingStep]:
        """What is open in a run."""
        return [WaitingStep(**row._mapping) for row in self.connection.execute(_OPEN, {"run_id": run_id})]

    def done(self, run_id: str, action: str) -> list[CalledStep]:
        """The steps of this action that a run has done, the last first."""
        rows = self.connection.execute(_ENDED_OF, {"run_id": run_id, "action": action})
        return [CalledStep(**row._mapping) for row in rows]

    def settled(self, step_ids: Sequence[int]) -> list[CalledStep]:
        """Those of these steps that have ended, or were put off to a later business time."""
        rows = self.connection.execute(_SETTLED, {"ids": list(step_ids)})
        return [CalledStep(**row._mapping) for row in rows]

    def step(self, step_id: int) -> CalledStep:
        """This step as it stands."""
        return CalledStep(**self.connection.execute(_LOOK, {"step_id": step_id}).one()._mapping)

    def first_of(self, run_id: str) -> int:
        """The first step of a run."""
        return int(self.connection.execute(_OF_RUN, {"run_id": run_id}).scalar_one())

    def action_taken(self, action_ids: Sequence[str], action_type: str) -> Mapping[str, Any] | None:
        """The action of this type among these, with its parameters and what came of it."""
        parameters = {"ids": list(action_ids), "action_type": action_type}
        row = self.connection.execute(_ACTION_TAKEN, parameters).first()
        return None if row is None else dict(row._mapping)

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
