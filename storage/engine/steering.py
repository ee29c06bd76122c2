"""Interventions on any task, an order or general work: cancel, pause, resume, retry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from statemachine.workflow.options.call_limits import CALL_LIMITS, CallLimits
from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository
from storage.engine.states import CANCELLED, DONE, ENDED, FAILED, OFFERED, PUBLISHED, SCHEDULED
from storage.engine.urgency import AGEING_SECONDS

_TAKE_OFFERED = text(
    f"""
    UPDATE steps SET state = {PUBLISHED}, published_at = clock_timestamp(), due_at = NULL, due_clock = NULL,
        input = (input - '{CALL_LIMITS}') || CAST(:given AS jsonb)
    WHERE step_id = :step_id AND state = {OFFERED} AND wanted IS NULL RETURNING step_id
    """
)
_BRING_FORWARD = text(
    f"""
    UPDATE steps SET due_at = d.due_at FROM (
        SELECT step_id, CAST(:due_at AS timestamptz)
            + CASE state WHEN {OFFERED} THEN make_interval(secs => :offer_seconds) ELSE interval '0' END AS due_at
        FROM steps WHERE run_id = :run_id AND state IN ({SCHEDULED}, {OFFERED}) AND due_clock = 'business'
    ) d WHERE steps.step_id = d.step_id AND steps.due_at > d.due_at RETURNING steps.step_id
    """
)
_RESCHEDULE = text(
    f"UPDATE steps SET due_at = :due_at WHERE step_id = :step_id AND state = {SCHEDULED} "
    "AND due_clock = 'business' RETURNING step_id"
)
_WAKE = text(
    f"UPDATE steps SET due_at = clock_timestamp() WHERE run_id = ANY(:run_ids) AND state = {SCHEDULED} "
    "AND due_clock = 'database' AND due_at > clock_timestamp()"
)
_REPRIORITISE = text(
    f"""
    UPDATE steps SET priority = :now, urgency = urgency - make_interval(secs => (:now - :before) * :ageing)
    WHERE run_id = :run_id AND priority = :before AND state NOT IN ({ENDED})
    """
)
# The steps that a run's end cut short are cancelled after it, in the same transaction (`Transaction.end`).
_CUT_SHORT = text(
    f"""
    SELECT DISTINCT ON (s.node) s.node, s.input FROM steps s JOIN runs r USING (run_id)
    WHERE s.run_id = :run_id AND s.scope_id IS NULL AND ((s.state = {FAILED} AND s.node = r.error->>'step')
        OR (s.state = {CANCELLED} AND s.finished_at >= r.finished_at))
    ORDER BY s.node, s.step_id DESC
    """
)
_LAST_INPUT = text(
    "SELECT input FROM steps WHERE run_id = :run_id AND node = :node AND scope_id IS NULL "
    "ORDER BY step_id DESC LIMIT 1"
)
# Of each the last row outside of every scope, and the one of those that is done.
_LAST_OF = text(
    f"""
    SELECT node, max(step_id) FILTER (WHERE state = {DONE}) AS done FROM steps
    WHERE run_id = :run_id AND node = ANY(:nodes) AND scope_id IS NULL GROUP BY node
    """
)


@dataclass(frozen=True, slots=True)
class Steering(Repository):
    """The only code that changes waiting steps on behalf of callers and signals."""

    def take_offered(self, step_id: int, given: Mapping[str, object], limits: CallLimits) -> bool:
        """Publish an offered step with what its caller gave, as `call` in its input, and with the caller's limits.

        Returns:
            `False` when it is not offered.
        """
        written = dump_json({"call": given, **limits.written()})
        found = self.connection.execute(_TAKE_OFFERED, {"step_id": step_id, "given": written})
        return found.one_or_none() is not None

    def bring_forward(self, run_id: str, due_at: datetime, offer_seconds: int) -> int:
        """Bring waits for a later business time forward to this one; return their number."""
        parameters = {"run_id": run_id, "due_at": due_at, "offer_seconds": offer_seconds}
        return len(self.connection.execute(_BRING_FORWARD, parameters).all())

    def reschedule(self, step_id: int, due_at: datetime) -> bool:
        """Let a step that waits for a business time wait for this one, earlier or later; whether it still waited."""
        found = self.connection.execute(_RESCHEDULE, {"step_id": step_id, "due_at": due_at})
        return found.one_or_none() is not None

    def wake(self, run_ids: Sequence[str]) -> None:
        """Let what these runs wait for on the database's clock be due now; what is under way is left alone."""
        if run_ids:
            self.connection.execute(_WAKE, {"run_ids": list(run_ids)})

    def reprioritise(self, run_id: str, *, before: int, now: int) -> None:
        """Give the open steps that had their run's priority another; ready ones change their place."""
        parameters = {"run_id": run_id, "before": before, "now": now, "ageing": AGEING_SECONDS}
        self.connection.execute(_REPRIORITISE, parameters)

    def cut_short(self, run_id: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the nodes at which an ended run stopped, with their inputs."""
        return [(row.node, row.input) for row in self.connection.execute(_CUT_SHORT, {"run_id": run_id})]

    def last_input(self, run_id: str, node: str) -> Mapping[str, Any] | None:
        """What a step outside of every scope was given the last time; `None` where it was not entered."""
        found: Mapping[str, Any] | None = self.connection.execute(
            _LAST_INPUT, {"run_id": run_id, "node": node}
        ).scalar_one_or_none()
        return found

    def entered(self, run_id: str, nodes: Sequence[str]) -> dict[str, int | None]:
        """Those of these steps that were entered outside of every scope, each with the last row that is done."""
        rows = self.connection.execute(_LAST_OF, {"run_id": run_id, "nodes": list(nodes)})
        return {row.node: row.done for row in rows}
