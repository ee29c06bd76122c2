"""Steps of runs: claimed under a lease, locked in id order, changed a batch at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import text

from runtime.clock import Clock
from statemachine.workflow.options.call_limits import CallLimits
from statemachine.workflow.states import RunState, StepState
from storage.core.bulk import dump_json, recordset, rows_of
from storage.core.unit_of_work import Repository
from storage.engine.states import CANCELLED, ENDED, FAILED, LEASED, PUBLISHED, READY
from storage.engine.tables import steps as steps_table
from storage.engine.urgency import URGENCY


class StepKey(NamedTuple):
    """What a message carries: a step and the delivery it is published for."""

    step_id: int
    delivery: int


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step together with what its run says of it: the columns of `ROW`, in their order."""

    state: StepState
    run_state: RunState
    step_id: int
    run_id: str
    subject_id: str | None
    node: str
    kind: str
    queue: str | None
    action: str | None
    held: bool
    delivery: int
    tries: int
    crashes: int
    priority: int
    lease_id: str | None
    input: Mapping[str, Any]
    early_signals: Sequence[Mapping[str, Any]] | None
    due_at: datetime | None
    due_clock: str | None
    urgency: datetime | None
    run_priority: int
    run_manual: bool
    workflow: str
    version: str
    variables: Mapping[str, Any]
    request_id: str | None
    trace_id: str
    scope_id: int | None
    element: int | None
    written: Mapping[str, Any] | None
    run_created_by: str | None
    run_depth: int
    parent_step_id: int | None

    @property
    def key(self) -> StepKey:
        """The step and its delivery."""
        return StepKey(self.step_id, self.delivery)

    @property
    def limits(self) -> CallLimits:
        """The limits that its caller named; none when the fleet does it by itself."""
        return CallLimits.of(self.input)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChange:
    """What a transaction makes of a locked step."""

    step_id: int
    state: StepState
    delivery: int
    tries: int
    output: object = None
    """As JSON, or what becomes it."""
    error: Mapping[str, object] | None = None
    due_at: datetime | None = None
    due_clock: Clock | None = None


ROW = """s.state, r.state AS run_state, s.step_id, s.run_id, s.subject_id, s.node, s.kind, s.queue, s.action,
    s.held, s.delivery, s.tries, s.crashes, s.priority, s.lease_id, s.input, s.early_signals, s.due_at, s.due_clock,
    s.urgency, r.priority AS run_priority, r.manual AS run_manual, r.workflow, r.version,
    r.variables, r.request_id, r.trace_id, s.scope_id, s.element, r.written, r.created_by AS run_created_by,
    r.depth AS run_depth, r.parent_step_id"""

_COLUMNS: Final = tuple(field.name for field in fields(StepRow))
_OF_RUN: Final = ("variables", "written")
"""What may be long, and is the same for all steps of a run."""
_RUN_ID: Final = _COLUMNS.index("run_id")
_PLACES: Final = tuple(map(_COLUMNS.index, _OF_RUN))
_SENT: Final = ", ".join(
    f"CASE WHEN row_number() OVER of_run = 1 THEN {name} END" if name in _OF_RUN else name
    for name in _COLUMNS
)
# Ten thousand elements of a loop share the variables of their run: they are sent with the first of a run's rows alone.
_ONCE_A_RUN: Final = f"""
    SELECT {_SENT} FROM found WINDOW of_run AS (PARTITION BY run_id ORDER BY step_id) ORDER BY run_id, step_id
"""

# The second half of the condition recognises rows that this very lease took in a transaction whose answer was lost.
_CLAIM = text(
    f"""
    WITH wanted AS (
        SELECT s.step_id FROM steps s
        JOIN unnest(CAST(:ids AS bigint[]), CAST(:deliveries AS integer[])) AS m(step_id, delivery)
          ON s.step_id = m.step_id AND s.delivery = m.delivery
        WHERE (s.state IN ({PUBLISHED}, {READY}) AND NOT s.held) OR (s.state = {LEASED} AND s.lease_id = :lease_id)
        ORDER BY s.step_id FOR NO KEY UPDATE OF s SKIP LOCKED
    ), lease AS (
        INSERT INTO leases (lease_id, holder, queue, expires_at)
        SELECT :lease_id, :holder, :queue, clock_timestamp() + make_interval(secs => :seconds)
        WHERE EXISTS (SELECT FROM wanted) ON CONFLICT (lease_id) DO NOTHING
    ), s AS (
        UPDATE steps SET state = {LEASED}, lease_id = :lease_id, started_at = clock_timestamp()
        FROM wanted WHERE steps.step_id = wanted.step_id RETURNING steps.*
    ), found AS (
        SELECT {ROW} FROM s JOIN runs r USING (run_id)
    )
    {_ONCE_A_RUN}
    """,
)
# A run before its steps, runs in id order: whoever waits here is given the rows as the other left them.
_LOCK = text(
    f"WITH found AS (SELECT {ROW} FROM steps s JOIN runs r USING (run_id) WHERE s.step_id = ANY(:ids) "
    f"ORDER BY r.run_id, s.step_id FOR NO KEY UPDATE OF r, s) {_ONCE_A_RUN}",
)
_CHANGED = ("step_id", "state", "delivery", "tries", "output", "error", "due_at", "due_clock")
_CHANGE = text(
    f"""
    UPDATE steps SET state = c.state, delivery = c.delivery, tries = c.tries,
        output = coalesce(c.output, steps.output), error = coalesce(c.error, steps.error),
        due_at = c.due_at, due_clock = c.due_clock, early_signals = NULL,
        finished_at = CASE WHEN c.state IN ({ENDED}) THEN clock_timestamp() END
    FROM {recordset(steps_table, _CHANGED)} WHERE steps.step_id = c.step_id
    """,
)
_GIVE_OUTPUT = text(
    f"""
    UPDATE steps SET output = CAST(:output AS jsonb) WHERE step_id = (
        SELECT max(step_id) FROM steps WHERE run_id = :run_id AND node = :node AND coalesce(scope_id, 0) = :scope
          AND state = {FAILED})
    """
)
_CLOSE_OPEN = text(
    f"""
    UPDATE steps SET state = {CANCELLED}, finished_at = clock_timestamp()
    WHERE run_id = ANY(:runs) AND state NOT IN ({ENDED}) AND step_id <> ALL(:except)
    RETURNING step_id
    """,
)
# A message that comes while its row is held is spent in vain, so what was published is to be published again.
_HOLD = text(
    f"""
    UPDATE steps SET held = :held, state = CASE state WHEN {PUBLISHED} THEN {READY} ELSE state END,
        ready_at = CASE state WHEN {PUBLISHED} THEN coalesce(ready_at, clock_timestamp()) ELSE ready_at END,
        urgency = CASE state WHEN {PUBLISHED} THEN coalesce(urgency, {URGENCY}) ELSE urgency END
    WHERE run_id = ANY(:runs) AND state NOT IN ({ENDED})
    """
)
_KEEP_SIGNALS = text(
    "UPDATE steps SET early_signals = coalesce(early_signals, '[]') || c.signal FROM unnest(CAST(:ids AS bigint[]), "
    f"CAST(:signals AS jsonb[])) AS c(step_id, signal) WHERE steps.step_id = c.step_id AND state = {LEASED}"
)
_OPEN_OF_RUN = text(f"SELECT step_id FROM steps WHERE run_id = :run_id AND state NOT IN ({ENDED})")


def _changed(change: StepChange) -> tuple[object, ...]:
    return (
        change.step_id,
        change.state.value,
        change.delivery,
        change.tries,
        change.output,
        change.error,
        change.due_at,
        change.due_clock,
    )


def step_row(row: Iterable[Any]) -> StepRow:
    """The step that the columns of `ROW` describe, in their order."""
    state, run_state, *further = row
    return StepRow(StepState(state), RunState(run_state), *further)


def _step_rows(rows: Iterable[Sequence[Any]]) -> tuple[StepRow, ...]:
    """The steps of `_ONCE_A_RUN`, in the order of their ids."""
    found: list[StepRow] = []
    first: Sequence[Any] | None = None
    for row in rows:
        if first is None or row[_RUN_ID] != first[_RUN_ID]:
            first = row
            found.append(step_row(row))
        else:
            values = list(row)
            for place in _PLACES:
                values[place] = first[place]
            found.append(step_row(values))
    return tuple(sorted(found, key=lambda step: step.step_id))


@dataclass(frozen=True, slots=True)
class Steps(Repository):
    """The only code that takes and changes steps on behalf of the engine."""

    def claim(
        self, keys: Sequence[StepKey], *, lease_id: str, holder: str, queue: str, seconds: float
    ) -> tuple[StepRow, ...]:
        """Put those of these rows that are still waiting for this delivery under a lease.

        A duplicate, a late message, a held or cancelled step: not in the answer.
        """
        rows = self.connection.execute(
            _CLAIM,
            {
                "ids": [key.step_id for key in keys],
                "deliveries": [key.delivery for key in keys],
                "lease_id": lease_id,
                "holder": holder,
                "queue": queue,
                "seconds": seconds,
            },
        )
        return _step_rows(rows.all())

    def lock(self, step_ids: Sequence[int]) -> tuple[StepRow, ...]:
        """Lock the runs of these steps and the steps, and read them, in the order of their ids."""
        return _step_rows(self.connection.execute(_LOCK, {"ids": list(step_ids)}).all())

    def change(self, changes: Sequence[StepChange]) -> None:
        """Write what became of locked steps."""
        if not changes:
            return
        self.connection.execute(_CHANGE, rows_of(_CHANGED, [_changed(change) for change in changes]))

    def give_output(self, run_id: str, scope_id: int | None, node: str, output: Mapping[str, object]) -> None:
        """Write what a step that has failed came to all the same: a person has said it, and skipped the step."""
        values = {"run_id": run_id, "scope": scope_id or 0, "node": node, "output": dump_json(output)}
        self.connection.execute(_GIVE_OUTPUT, values)

    def cancel_open(self, run_ids: Sequence[str], *, but: Sequence[int] = ()) -> tuple[int, ...]:
        """Cancel every unfinished step of these runs, the leased ones included: their results will be refused."""
        rows = self.connection.execute(_CLOSE_OPEN, {"runs": list(run_ids), "except": list(but)})
        return tuple(row.step_id for row in rows)

    def hold(self, run_ids: Sequence[str], *, held: bool) -> None:
        """Hold or let go every unfinished step of these runs; times that were set stay as they are."""
        self.connection.execute(_HOLD, {"runs": list(run_ids), "held": held})

    def keep_early_signals(self, signals: Mapping[int, Mapping[str, object]]) -> None:
        """Keep results that came before their steps were parked, one a step; `record` finds them there."""
        kept = [dump_json([signal]) for signal in signals.values()]
        if kept:
            self.connection.execute(_KEEP_SIGNALS, {"ids": list(signals), "signals": kept})

    def open_of(self, run_id: str) -> tuple[int, ...]:
        """The unfinished steps of a run."""
        return tuple(row.step_id for row in self.connection.execute(_OPEN_OF_RUN, {"run_id": run_id}))
