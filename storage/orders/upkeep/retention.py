"""Counts and deletes (or blanks) data past its retention time, a bounded number of rows at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.engine.states import ENDED

_CLOSED: Final = "EXISTS (SELECT FROM tasks t WHERE t.task_id = contact_logs.task_id AND t.status = 'closed')"
_BUSINESS: Final = "(SELECT business_now()) - CAST(:kept AS interval)"
_DATABASE: Final = "clock_timestamp() - CAST(:kept AS interval)"


@dataclass(frozen=True, slots=True)
class _Rule:
    """Rows of a table that are due, and what becomes of them; without `change` they are deleted."""

    table: str
    due: str
    change: str | None = None


_RUNS_OF: Final[Mapping[str, str]] = {
    "deliveries": "action:outbound.deliver_webhook",
    "notices": "action:outbound.send_notice",
}
"""The workflows whose ended runs carried what is removed, and are kept as long."""
_ENDED_TASK: Final = (
    f"subject_id IS NULL AND finished_at < {_DATABASE} "
    f"AND workflow NOT IN ({', '.join(repr(workflow) for workflow in _RUNS_OF.values())})"
)
"""General work that has ended."""
_RULES: Final[Mapping[str, _Rule]] = {
    "transcripts": _Rule(
        "contact_logs",
        f"(transcript IS NOT NULL OR user_feedback IS NOT NULL) AND contact_time < {_BUSINESS} AND {_CLOSED}",
        "transcript = NULL, user_feedback = NULL",
    ),
    "recordings": _Rule(
        "contact_logs",
        f"recording_url IS NOT NULL AND contact_time < {_BUSINESS} AND {_CLOSED}",
        "recording_url = NULL",
    ),
    "callbacks": _Rule("callbacks", f"body <> '' AND received_at < {_DATABASE}", "body = ''"),
    "signals": _Rule("signals", f"body <> '' AND received_at < {_BUSINESS}", "body = ''"),
    "rejects": _Rule(
        "rejects",
        f"payload <> '' AND state <> 'open' AND handled_at < {_DATABASE}",
        "payload = '', digest = NULL, envelope = NULL",
    ),
    "labels": _Rule("intent_labels", f"words <> '' AND labelled_at < {_BUSINESS}", "words = ''"),
    "general_words": _Rule(
        "runs",
        f"subject_id IS NULL AND variables::text LIKE '%\"enc1.%' AND finished_at < {_DATABASE}",
        "variables = '{}'",
    ),
    "general_tasks": _Rule("runs", _ENDED_TASK),
    "idempotency": _Rule("idempotency_keys", f"created_at < {_DATABASE}"),
    "deliveries": _Rule("deliveries", f"state <> 'waiting' AND ended_at < {_DATABASE}"),
    "notices": _Rule("notices", f"state <> 'waiting' AND created_at < {_DATABASE}"),
    "forgotten_numbers": _Rule("forgotten_numbers", f"forgotten_at < {_DATABASE}"),
    "events": _Rule("events", f"at < {_BUSINESS}"),
}
_REMOVE_RUNS: Final = text(
    f"""
    WITH ended AS (
        SELECT run_id FROM runs WHERE workflow = :workflow AND finished_at < {_DATABASE}
        LIMIT :most FOR UPDATE SKIP LOCKED
    ), steps_of_them AS (DELETE FROM steps USING ended WHERE steps.run_id = ended.run_id)
    DELETE FROM runs USING ended WHERE runs.run_id = ended.run_id
    """
)
_REMOVE_TASKS: Final = text(
    f"""
    WITH ended AS (SELECT run_id FROM runs WHERE {_ENDED_TASK} LIMIT :most FOR UPDATE SKIP LOCKED),
        questions AS (DELETE FROM reviews USING ended WHERE reviews.run_id = ended.run_id),
        steps_of_them AS (DELETE FROM steps USING ended WHERE steps.run_id = ended.run_id)
    DELETE FROM runs USING ended WHERE runs.run_id = ended.run_id
    """
)
# The first step of general work was given what the run was given.
_STEPS: Final = text(
    "UPDATE steps SET input = '{}' FROM runs WHERE runs.run_id = steps.run_id AND runs.subject_id IS NULL "
    "AND runs.variables = '{}' AND steps.input::text LIKE '%\"enc1.%' "
    f"AND steps.state IN ({ENDED})"
)


@dataclass(frozen=True, slots=True)
class Retention(Repository):
    """The only code that removes what has been kept long enough."""

    def count(self, kind: str, kept: timedelta) -> int:
        """How many rows of this kind are due, after having been kept so long."""
        rule = _RULES[kind]
        found = self.connection.execute(
            text(f"SELECT count(*) FROM {rule.table} WHERE {rule.due}"), {"kept": kept}
        )
        return int(found.scalar_one())

    def remove(self, kind: str, kept: timedelta, *, most: int) -> int:
        """Remove or blank so many due rows at most, and of what was sent as many ended runs that carried it.

        Rows that others hold are left for later.

        Returns:
            How many there were, of the kind of which there were more.
        """
        if kind == "general_tasks":
            return self.connection.execute(_REMOVE_TASKS, {"kept": kept, "most": most}).rowcount
        rule = _RULES[kind]
        rows = f"SELECT ctid FROM {rule.table} WHERE {rule.due} LIMIT :most FOR UPDATE SKIP LOCKED"
        verb = (
            f"DELETE FROM {rule.table}" if rule.change is None else f"UPDATE {rule.table} SET {rule.change}"
        )
        removed = self.connection.execute(
            text(f"{verb} WHERE ctid = ANY(ARRAY({rows}))"), {"kept": kept, "most": most}
        ).rowcount
        if rule.table == "runs" and removed:
            self.connection.execute(_STEPS)
        if kind not in _RUNS_OF:
            return removed
        carried = {"workflow": _RUNS_OF[kind], "kept": kept, "most": most}
        return max(removed, self.connection.execute(_REMOVE_RUNS, carried).rowcount)
