"""What is read of one order and its run: how far it has come, its steps, and what happened to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from statemachine.orders.states import State
from statemachine.workflow.states import STEP_ENDS, StepState
from storage.core.unit_of_work import Repository
from storage.engine.runs import RUN_COLUMNS, RunRow, run_row
from storage.engine.states import DONE, ENDED, LEASED, PUBLISHED, READY, SCHEDULED

_PROGRESS = text(
    """
    SELECT t.task_id, t.status, t.contact_count, t.max_contacts, t.user_intent_l1, t.user_intent_l2, t.confidence,
        t.created_at, t.updated_at,
        (SELECT c.contact_result FROM contact_logs c WHERE c.task_id = t.task_id AND c.contact_result <> 'pending'
         ORDER BY c.contact_time DESC, c.created_at DESC, c.contact_id DESC LIMIT 1) AS last_contact_result,
        EXISTS (SELECT FROM reviews r WHERE r.task_id = t.task_id AND r.state = 'open') AS review_open
    FROM tasks t WHERE t.task_id = ANY(:ids)
    """,
)
_RUN = text(f"SELECT {RUN_COLUMNS} FROM runs WHERE run_id = :run_id")
_OPEN_STEPS = text(
    f"""
    SELECT s.step_id, s.node, s.kind, s.queue, s.state, s.delivery, s.tries, s.crashes, s.due_at, s.due_clock,
        s.error, s.created_at, s.started_at, s.published_at,
        CASE WHEN s.state = {READY} THEN s.ready_at END AS ready_at,
        l.holder, l.expires_at,
        CASE s.state
            WHEN {READY} THEN
                (SELECT count(*) FROM steps a WHERE a.queue = s.queue AND a.state = {PUBLISHED})
              + (SELECT count(*) FROM steps a WHERE a.queue = s.queue AND a.state = {READY} AND NOT a.held
                 AND a.urgency < s.urgency)
            WHEN {PUBLISHED} THEN
                (SELECT count(*) FROM steps a WHERE a.queue = s.queue AND a.state = {PUBLISHED}
                 AND (a.published_at, a.step_id) < (s.published_at, s.step_id))
        END AS ahead
    FROM steps s LEFT JOIN leases l ON s.state = {LEASED} AND l.lease_id = s.lease_id
    WHERE s.run_id = :run_id AND s.state NOT IN ({ENDED}) ORDER BY s.step_id
    """,
)
_STEPS_OF = text(
    "SELECT step_id, node, kind, queue, action, state, held, delivery, tries, crashes, due_at, due_clock, "
    "created_at, started_at, published_at, finished_at, error FROM steps WHERE run_id = :run_id ORDER BY step_id",
)
_TRANSITIONS_OF = text(
    "SELECT transition_id, version, from_state, event, to_state, agent_id, metadata, at FROM transitions "
    "WHERE task_id = :task_id ORDER BY version",
)
_AUDIT_OF = text(
    'SELECT log_id, event_type, agent_id, action, "timestamp", key_id, label, metadata FROM audit_logs '
    "WHERE task_id = :task_id ORDER BY position",
)
_MOMENTS_OF = text(
    'SELECT created_at, "timestamp" AS at FROM audit_logs WHERE task_id = :task_id ORDER BY position',
)
_LAST_AUDIT = text(
    'SELECT agent_id, "timestamp" AS at, metadata FROM audit_logs '
    "WHERE task_id = :task_id AND event_type = :event_type ORDER BY position DESC LIMIT 1",
)
_WAITING = text(
    "SELECT step_id, node, kind, action, state, held, due_at, due_clock, input FROM steps "
    f"WHERE run_id = :run_id AND state NOT IN ({ENDED}) ORDER BY step_id",
)
_ENDED_OF = text(
    "SELECT step_id, node, state, input, output, error FROM steps "
    f"WHERE run_id = :run_id AND action = :action AND state = {DONE} ORDER BY step_id DESC LIMIT 20",
)
_LOOK = text("SELECT step_id, node, state, input, output, error FROM steps WHERE step_id = :step_id")
# On the database's clock a step only tries again; on the business clock something allows it later.
_SETTLED = text(
    "SELECT step_id, node, state, input, output, error FROM steps WHERE step_id = ANY(:ids) "
    f"AND (state IN ({ENDED}) "
    f"OR (state = {SCHEDULED} AND due_clock = 'business' AND due_at > (SELECT business_now())))",
)
_OF_RUN = text("SELECT min(step_id) FROM steps WHERE run_id = :run_id")
_ACTION_TAKEN = text(
    "SELECT action_id, action_type, parameters, result, status FROM actions "
    "WHERE action_id = ANY(:ids) AND action_type = :action_type",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderProgress:
    """How far an order has come: its last contact, and whether a person is asked."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStep:
    """A step that has not ended, with who holds it and how many rows its queue has before it."""

    step_id: int
    node: str
    kind: str
    queue: str | None
    state: StepState
    delivery: int
    tries: int
    crashes: int
    due_at: datetime | None
    due_clock: str | None
    error: Mapping[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    published_at: datetime | None
    ready_at: datetime | None
    """Since when it is ready, on the database's clock; only of a ready row."""
    holder: str | None
    expires_at: datetime | None
    """When its lease runs out, on the database's clock; `None` without a lease."""
    ahead: int | None
    """Rows of its queue that go first; only of a row that is ready or published."""


@dataclass(frozen=True, slots=True)
class AuditMark:
    """The last audit line of an order: when and by whom."""

    by: str
    at: datetime
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingStep:
    """An open step of a run."""

    step_id: int
    node: str
    kind: str
    action: str | None
    state: StepState
    held: bool
    due_at: datetime | None
    due_clock: str | None
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """A step that was called for, as it stands."""

    step_id: int
    node: str
    state: StepState
    input: Mapping[str, Any]
    output: Mapping[str, Any] | None
    error: Mapping[str, Any] | None

    @property
    def ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state in STEP_ENDS


@dataclass(frozen=True, slots=True)
class OrderView(Repository):
    """Reads one order, or one run; it writes nothing."""

    def progress(self, task_ids: Sequence[str]) -> dict[str, OrderProgress]:
        """How far the orders have come with these ids, in one statement; an unknown one is not in the answer."""
        rows = self.connection.execute(_PROGRESS, {"ids": list(task_ids)})
        return {
            row.task_id: OrderProgress(
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

    def run(self, run_id: str) -> RunRow | None:
        """The run with this id, unlocked."""
        row = self.connection.execute(_RUN, {"run_id": run_id}).one_or_none()
        return None if row is None else run_row(row)

    def open_steps(self, run_id: str) -> tuple[OpenStep, ...]:
        """The steps of a run that have not ended, oldest first."""
        return tuple(
            OpenStep(**_with_state(row)) for row in self.connection.execute(_OPEN_STEPS, {"run_id": run_id})
        )

    def steps(self, run_id: str) -> list[Mapping[str, Any]]:
        """Every step of a run, in order."""
        return [dict(row._mapping) for row in self.connection.execute(_STEPS_OF, {"run_id": run_id})]

    def transitions(self, task_id: str) -> list[Mapping[str, Any]]:
        """Every transition of an order, in order."""
        return [dict(row._mapping) for row in self.connection.execute(_TRANSITIONS_OF, {"task_id": task_id})]

    def audit_lines(self, task_id: str) -> list[Mapping[str, Any]]:
        """The audit log of an order, in order."""
        return [dict(row._mapping) for row in self.connection.execute(_AUDIT_OF, {"task_id": task_id})]

    def moments(self, task_id: str) -> list[tuple[datetime, datetime]]:
        """When each audit line of an order was written, on the database's clock and on the business clock."""
        rows = self.connection.execute(_MOMENTS_OF, {"task_id": task_id})
        return [(row.created_at, row.at) for row in rows]

    def last_audit_line(self, task_id: str, event_type: str) -> AuditMark | None:
        """The newest audit line of this kind."""
        row = self.connection.execute(
            _LAST_AUDIT, {"task_id": task_id, "event_type": event_type}
        ).one_or_none()
        return None if row is None else AuditMark(row.agent_id, row.at, row.metadata)

    def waiting_steps(self, run_id: str) -> list[WaitingStep]:
        """What is open in a run."""
        return [
            WaitingStep(**_with_state(row)) for row in self.connection.execute(_WAITING, {"run_id": run_id})
        ]

    def done_steps(self, run_id: str, action: str) -> list[StepResult]:
        """The steps of this action that a run has done, the last first."""
        rows = self.connection.execute(_ENDED_OF, {"run_id": run_id, "action": action})
        return [StepResult(**_with_state(row)) for row in rows]

    def settled_steps(self, step_ids: Sequence[int]) -> list[StepResult]:
        """Those of these steps that have ended, or were put off to a later business time."""
        rows = self.connection.execute(_SETTLED, {"ids": list(step_ids)})
        return [StepResult(**_with_state(row)) for row in rows]

    def step_result(self, step_id: int) -> StepResult:
        """This step as it stands."""
        return StepResult(**_with_state(self.connection.execute(_LOOK, {"step_id": step_id}).one()))

    def first_step(self, run_id: str) -> int:
        """The first step of a run."""
        return int(self.connection.execute(_OF_RUN, {"run_id": run_id}).scalar_one())

    def action_taken(self, action_ids: Sequence[str], action_type: str) -> Mapping[str, Any] | None:
        """The action of this type among these, with its parameters and what came of it."""
        parameters = {"ids": list(action_ids), "action_type": action_type}
        row = self.connection.execute(_ACTION_TAKEN, parameters).first()
        return None if row is None else dict(row._mapping)


def _with_state(row: Row[Any]) -> dict[str, Any]:
    """The columns of a step's row, with its state as a type."""
    return {**row._mapping, "state": StepState(row.state)}
