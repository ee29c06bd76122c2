"""Counts and deletes (or blanks) data past its retention time, a bounded number of rows at a time.

A round goes over each table once, from its first block to its last, and keeps the block it has come to: what it has
passed it does not look at again, whether it was removed or not. History goes by the month instead
(`storage.orders.upkeep.months`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import TextClause, text

from storage.core.unit_of_work import Repository
from storage.engine.states import ENDED

_WEBHOOK: Final = "action:outbound.deliver_webhook"
_NOTICE: Final = "action:outbound.send_notice"
_BLOCKS: Final = 128
"""Blocks of a table that one statement looks at: a megabyte."""
_ROWS: Final = 500
"""Rows one statement removes."""

_CLOSED: Final = "EXISTS (SELECT FROM tasks t WHERE t.task_id = contact_logs.task_id AND t.status = 'closed')"
_BUSINESS: Final = "(SELECT business_now()) - CAST(:kept AS interval)"
_DATABASE: Final = "clock_timestamp() - CAST(:kept AS interval)"


@dataclass(frozen=True, slots=True)
class _Rule:
    """Rows of a table that are due, and what becomes of them; without `change` they are deleted."""

    table: str
    due: str
    change: str | None = None
    then: str = ""
    """A further part of the statement; it finds the `run_id` of what was changed in the relation `gone`."""


_IS_SEALED: Final = "::text LIKE '%\"enc1.%'"
# The first step of general work was given what the run was given; what people answer goes from step to step.
_BLANK_STEPS: Final = (
    f"UPDATE steps SET input = CASE WHEN input{_IS_SEALED} THEN '{{}}' ELSE input END, "
    f"output = CASE WHEN output{_IS_SEALED} THEN '{{}}' ELSE output END FROM gone WHERE steps.run_id = gone.run_id "
    f"AND steps.state IN ({ENDED}) AND (input{_IS_SEALED} OR output{_IS_SEALED})"
)
_BLANK_ANSWERS: Final = (
    "UPDATE review_answers SET form = '{}' FROM reviews r, gone "
    f"WHERE r.run_id = gone.run_id AND review_answers.review_id = r.review_id AND review_answers.form{_IS_SEALED}"
)


def _runs_of(workflow: str) -> _Rule:
    """The ended runs that carried what was sent; they are kept as long."""
    return _Rule(
        "runs",
        f"workflow = '{workflow}' AND finished_at < {_DATABASE}",
        then="DELETE FROM steps USING gone WHERE steps.run_id = gone.run_id",
    )


_RULES: Final[Mapping[str, tuple[_Rule, ...]]] = {
    "transcripts": (
        _Rule(
            "contact_logs",
            f"(transcript IS NOT NULL OR user_feedback IS NOT NULL) AND contact_time < {_BUSINESS} AND {_CLOSED}",
            "transcript = NULL, user_feedback = NULL",
        ),
    ),
    "recordings": (
        _Rule(
            "contact_logs",
            f"recording_url IS NOT NULL AND contact_time < {_BUSINESS} AND {_CLOSED}",
            "recording_url = NULL",
        ),
    ),
    "personal_fields": (
        _Rule("tasks", f"personal IS NOT NULL AND finished_at < {_BUSINESS}", "personal = NULL"),
    ),
    "callbacks": (_Rule("callbacks", f"body <> '' AND received_at < {_DATABASE}", "body = ''"),),
    "signals": (_Rule("signals", f"body <> '' AND received_at < {_BUSINESS}", "body = ''"),),
    "rejects": (
        _Rule(
            "rejects",
            f"payload <> '' AND state <> 'open' AND handled_at < {_DATABASE}",
            "payload = '', digest = NULL, envelope = NULL",
        ),
    ),
    "labels": (_Rule("intent_labels", f"words <> '' AND labelled_at < {_BUSINESS}", "words = ''"),),
    "general_words": (
        _Rule(
            "runs",
            f"subject_id IS NULL AND finished_at < {_DATABASE} AND variables{_IS_SEALED}",
            "variables = '{}'",
            then=_BLANK_STEPS,
        ),
        _Rule(
            "reviews",
            "task_id IS NULL AND EXISTS (SELECT FROM runs WHERE runs.run_id = reviews.run_id "
            f"AND runs.finished_at < {_DATABASE}) AND (context{_IS_SEALED} OR decision{_IS_SEALED} OR EXISTS ("
            f"SELECT FROM review_answers a WHERE a.review_id = reviews.review_id AND a.form{_IS_SEALED}))",
            "context = '{}', decision = decision - 'form' - 'answers'",
            then=f"{_BLANK_STEPS}), answered AS ({_BLANK_ANSWERS}",
        ),
    ),
    "general_tasks": (
        _Rule(
            "runs",
            f"subject_id IS NULL AND finished_at < {_DATABASE} AND workflow NOT IN ('{_WEBHOOK}', '{_NOTICE}')",
            then="DELETE FROM steps USING gone WHERE steps.run_id = gone.run_id), "
            "arrived AS (DELETE FROM join_arrivals USING gone WHERE join_arrivals.run_id = gone.run_id), "
            "slotted AS (DELETE FROM slots USING gone WHERE slots.run_id = gone.run_id), "
            "keyed AS (DELETE FROM run_keys USING gone WHERE run_keys.run_id = gone.run_id), "
            "opened AS (DELETE FROM scopes USING gone WHERE scopes.run_id = gone.run_id), "
            "awaited AS (DELETE FROM subscriptions USING gone WHERE subscriptions.run_id = gone.run_id), "
            "wrote AS (DELETE FROM variable_writes USING gone WHERE variable_writes.run_id = gone.run_id), "
            "requested AS (DELETE FROM http_requests USING gone WHERE http_requests.run_id = gone.run_id), "
            "reported AS (DELETE FROM reports USING gone WHERE reports.run_id = gone.run_id), "
            "made AS (DELETE FROM artifacts USING gone WHERE artifacts.execution_id = gone.run_id), "
            "questions AS (DELETE FROM reviews USING gone WHERE reviews.run_id = gone.run_id",
        ),
    ),
    "artifacts": (_Rule("artifacts", f"expires_at < {_BUSINESS}"),),
    "inbox": (_Rule("inbox", f"ended_at < {_DATABASE}"),),
    "idempotency": (_Rule("idempotency_keys", f"created_at < {_DATABASE}"),),
    "deliveries": (
        _Rule("deliveries", f"state <> 'waiting' AND ended_at < {_DATABASE}"),
        _runs_of(_WEBHOOK),
    ),
    "notices": (
        _Rule("notices", f"state <> 'waiting' AND created_at < {_DATABASE}"),
        _runs_of(_NOTICE),
    ),
    "forgotten_numbers": (_Rule("forgotten_numbers", f"forgotten_at < {_DATABASE}"),),
}

_LIMIT_STATEMENT: Final = text("SELECT set_config('statement_timeout', :milliseconds, true)")
# Locked until the transaction ends: two that remove at the same time share a round.
_CURSOR: Final = text(
    """
    INSERT INTO retention_cursors (kind, table_name) VALUES (:kind, :table_name)
    ON CONFLICT (kind, table_name) DO UPDATE SET block = retention_cursors.block
    RETURNING block, pg_relation_size(CAST(table_name AS regclass)) / current_setting('block_size')::bigint AS blocks
    """
)
_NOTE: Final = text(
    "INSERT INTO retention_cursors (kind, table_name, removed) VALUES (:kind, :table_name, :removed) "
    "ON CONFLICT (kind, table_name) DO UPDATE SET removed = retention_cursors.removed + excluded.removed"
)
_MOVE: Final = text(
    "UPDATE retention_cursors SET block = :block, removed = removed + :removed "
    "WHERE kind = :kind AND table_name = :table_name"
)
_ROUND: Final = text(
    """
    WITH gone AS (DELETE FROM retention_cursors RETURNING kind, table_name, removed)
    SELECT kind, sum(removed)::bigint AS removed FROM gone GROUP BY kind HAVING sum(removed) > 0 ORDER BY kind
    """
)


@dataclass(frozen=True, slots=True)
class Removal:
    """One statement's part of a round."""

    removed: int
    over: bool
    """Whether the round has come to the end of the tables of this kind."""


@dataclass(frozen=True, slots=True)
class Retention(Repository):
    """The only code that removes what has been kept long enough."""

    def count(self, kind: str, kept: timedelta) -> int:
        """How many rows of this kind are due, after having been kept so long."""
        rule, *_ = _RULES[kind]
        found = self.connection.execute(
            text(f"SELECT count(*) FROM {rule.table} WHERE {rule.due}"), {"kept": kept}
        )
        return int(found.scalar_one())

    def remove(self, kind: str, kept: timedelta, *, seconds: float) -> Removal:
        """Go on with the round where it stopped: remove or blank what is due in the next blocks of a table.

        Rows that others hold are left to the next round.

        Args:
            kind: The kind of data.
            kept: How long it is kept.
            seconds: What a statement may take.
        """
        self.limit(seconds)
        for nth, rule in enumerate(_RULES[kind]):
            place = {"kind": kind, "table_name": rule.table}
            at = self.connection.execute(_CURSOR, place).one()
            if at.block >= at.blocks:
                continue
            past = min(at.block + _BLOCKS, at.blocks)
            within = {"first": f"({at.block},0)", "past": f"({past},0)", "kept": kept, "most": _ROWS}
            removed = self.connection.execute(_statement(rule), within).scalar_one()
            # There may be more in these blocks than one statement removes.
            reached = at.block if removed == _ROWS else past
            # The runs that carried what was sent are no data of their own.
            told = removed if nth == 0 else 0
            self.connection.execute(_MOVE, {**place, "block": reached, "removed": told})
            return Removal(told, over=nth == len(_RULES[kind]) - 1 and reached == at.blocks)
        return Removal(0, over=True)

    def note(self, kind: str, table: str, removed: int) -> None:
        """Count what was removed in the round otherwise than by `remove`."""
        self.connection.execute(_NOTE, {"kind": kind, "table_name": table, "removed": removed})

    def limit(self, seconds: float) -> None:
        """Give the statements of this transaction so much time."""
        self.connection.execute(_LIMIT_STATEMENT, {"milliseconds": str(round(seconds * 1000))})

    def begin_anew(self) -> None:
        """Let the round begin at the first blocks again."""
        self.connection.execute(_ROUND)

    def end_round(self) -> dict[str, int]:
        """Forget where the round was; how many rows it removed of each kind of which there were any."""
        return {row.kind: row.removed for row in self.connection.execute(_ROUND)}


def _statement(rule: _Rule) -> TextClause:
    verb = f"DELETE FROM {rule.table}" if rule.change is None else f"UPDATE {rule.table} SET {rule.change}"
    key = "run_id" if rule.then else "1 AS removed"
    return text(
        f"""
        WITH gone AS (
            {verb} WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM {rule.table}
                WHERE ctid >= CAST(:first AS tid) AND ctid < CAST(:past AS tid) AND {rule.due}
                LIMIT :most FOR UPDATE SKIP LOCKED))
            RETURNING {key}
        ){f", further AS ({rule.then})" if rule.then else ""}
        SELECT count(*) FROM gone
        """
    )
