"""How each table's rows are changed when a customer is erased.

Of free JSON what is *kept* is listed, not what goes: a name that nobody thought of goes. Every column that can
hold text is either changed here or named, with the reason why it stays, in tests/integration/test_forgetting.py.
"""

from typing import Final

from sqlalchemy import TextClause, text

from statemachine.orders.intents import Level1, Level2
from storage.access.tables import SYSTEM_AUDIT
from storage.orders.tables import AUDIT_LOGS

KEPT_NAMES: Final = (
    "action_id", "action_not_before", "actions", "alert_id", "appointment_updated", "at", "attempt", "attempts_left",
    "automatic", "callable", "cancelled", "channel", "code", "confidence", "contact_count", "contact_id",
    "contact_result", "contacts", "data", "decided_by", "decision", "default_followup_at", "delivery",
    "duration_seconds", "engineer_id", "engineer_notified", "entry_id", "event", "event_id", "execution_id", "field",
    "final_state", "finish_reason", "flags", "followup_at", "followup_by_default", "followup_date", "followup_days",
    "followup_id", "followup_scheduled", "from", "held", "intent", "intent_level1", "intent_level2", "level2",
    "logged_by", "max_contacts", "model", "next_contact_time", "not_after", "order_cancelled", "order_id", "origin",
    "outcome", "priority", "raised_by", "reject_id", "request_id", "requires_human_review", "result", "review_id",
    "review_reason", "round", "round_ends_in", "rounds", "script_id", "script_version", "signal_id", "source",
    "state", "status", "step", "step_id", "suggested_action", "task_id", "timestamp", "trace_id", "type",
    "until", "user_intent_l1", "user_intent_l2", "valid", "visit_at", "visit_until",
)  # fmt: skip
"""Names in JSON under which the fleet keeps what was done, and when."""

# What follows a colon would be a parameter's name to SQLAlchemy.
_PLAIN: Final = r'^\[?(("[A-Za-z0-9_.+\:-]{0,64}"|-?[0-9][0-9.e+-]*|true|false|null)(, )?)*\]?$'
"""What stays even under those names: numbers, truths, moments, and words in the form of an identifier."""

INTENTS: Final = tuple(f'"{label.value}"' for label in (*Level1, *Level2))
"""And the labels of intents, which are Chinese."""

_WORD: Final = "'^[a-z][a-z0-9_.]*$'"
"""The form of the names that the fleet gives to events, actions and alerts; callers may write anything."""
_ERASED: Final = "'erased'"
_DATA: Final = "payload -> 'data'"
_OF_TASKS: Final = "task_id = ANY(:ids)"
_OF_RUNS: Final = "run_id IN (SELECT run_id FROM runs WHERE subject_id = ANY(:ids))"
# The events of an order are those of its runs and of its refused input, and these have an index.
_OF_EVENTS: Final = (
    "execution_id = ANY(ARRAY(SELECT run_id FROM runs WHERE subject_id = ANY(:ids) "
    f"UNION ALL SELECT reject_id FROM rejects WHERE {_OF_TASKS})) AND {_OF_TASKS}"
)
_NAMES_TASKS: Final = (
    f"key IN (SELECT alert_id FROM alerts WHERE {_OF_TASKS} "
    f"UNION ALL SELECT action_id FROM actions WHERE {_OF_TASKS})"
)


NO_REJECT: Final = "payload = '', problems = '[]', digest = NULL, envelope = NULL"
"""What becomes of refused input: nothing of what was sent stays, nor what tells the same input again."""


def _kept(column: str) -> str:
    return (
        "(SELECT coalesce(jsonb_object_agg(name, value), '{}') FROM jsonb_each(CASE jsonb_typeof("
        f"{column}) WHEN 'object' THEN {column} END) AS each(name, value) WHERE name = ANY(:kept) "
        f"AND (CAST(value AS text) ~ '{_PLAIN}' OR CAST(value AS text) = ANY(:intents)))"
    )


def _each_kept(*columns: str) -> str:
    return ", ".join(f"{column} = {_kept(column)}" for column in columns)


def _named(column: str, otherwise: str) -> str:
    return f"{column} = CASE WHEN {column} ~ {_WORD} THEN {column} ELSE {otherwise} END"


def _change(table: str, change: str, where: str = _OF_TASKS) -> TextClause:
    return text(f"UPDATE {table} SET {change} WHERE {where}")


LOCK: Final = text("SELECT run_id FROM runs WHERE subject_id = ANY(:ids) ORDER BY run_id FOR UPDATE")
"""What records results and hears callbacks locks the run first: it comes before this, or sees it."""

STATEMENTS: Final[tuple[tuple[str, TextClause], ...]] = (
    # The digest stays: the same order sent again is recognised, and not taken in or kept a second time.
    (
        "orders",
        _change(
            "tasks",
            "phone = NULL, phone_index = NULL, personal = NULL, followup_rule = NULL, erased_at = clock_timestamp(), "
            "metadata = jsonb_build_object('erased', true)",
        ),
    ),
    (
        "callbacks",
        _change(
            "callbacks",
            "body = ''",
            f"key IN (SELECT key FROM contact_logs WHERE {_OF_TASKS}) AND body <> ''",
        ),
    ),
    (
        "contacts",
        _change(
            "contact_logs",
            "transcript = NULL, user_feedback = NULL, recording_url = NULL, phone_index = NULL",
        ),
    ),
    ("rejects", _change("rejects", NO_REJECT, f"{_OF_TASKS} AND payload <> ''")),
    ("signals", _change("signals", "body = '', effect = ''", f"{_OF_TASKS} AND body <> ''")),
    ("labels", _change("intent_labels", "words = ''", f"{_OF_TASKS} AND words <> ''")),
    (
        "reviews",
        _change("reviews", f"question = '', product = '', region = '', {_each_kept('context', 'decision')}"),
    ),
    (
        "answers",
        _change(
            "review_answers",
            "note = NULL, form = '{}'",
            f"review_id IN (SELECT review_id FROM reviews WHERE {_OF_TASKS})",
        ),
    ),
    (
        "held_decisions",
        _change(
            "held_decisions",
            "payload = ''",
            f"review_id IN (SELECT review_id FROM reviews WHERE {_OF_TASKS}) AND payload <> ''",
        ),
    ),
    (
        "steps",
        _change(
            "steps",
            f"{_each_kept('input', 'output', 'error')}, early_signals = NULL, progress = NULL",
            _OF_RUNS,
        ),
    ),
    ("http_requests", _change("http_requests", "answer = NULL, callback = NULL", _OF_RUNS)),
    ("reports", _change("reports", "title = '', body = ''", _OF_RUNS)),
    (
        "artifacts",
        _change(
            "artifacts",
            "content = NULL, location = NULL",
            "execution_id IN (SELECT run_id FROM runs WHERE subject_id = ANY(:ids)) "
            "AND (content IS NOT NULL OR location IS NOT NULL)",
        ),
    ),
    (
        "runs",
        _change(
            "runs",
            f"description = NULL, {_each_kept('variables', 'error', 'written', 'output')}",
            "subject_id = ANY(:ids)",
        ),
    ),
    ("scopes", _change("scopes", "bound = '{}', elements = NULL", _OF_RUNS)),
    ("variable_writes", _change("variable_writes", "value = NULL", _OF_RUNS)),
    ("arrivals", _change("join_arrivals", "given = NULL", _OF_RUNS)),
    ("dispatches", _change("dispatches", "given = '{}'")),
    # A notice that waits would tell what is gone: it is given up, and whoever takes it finds nothing to send.
    (
        "notices",
        _change(
            "notices",
            "title = '', text = '', last_error = NULL, "
            "state = CASE state WHEN 'waiting' THEN 'given_up' ELSE state END",
            f"{_NAMES_TASKS} OR interrupt_id IN (SELECT review_id FROM reviews WHERE {_OF_TASKS})",
        ),
    ),
    ("actions", _change("actions", _each_kept("parameters", "result"))),
    ("appointments", _change("appointments", "note = NULL")),
    ("engineer_notices", _change("engineer_notices", "message = NULL")),
    ("cancellations", _change("cancellations", "reason = NULL")),
    ("followups", _change("followups", "reason = NULL")),
    (
        "alerts",
        _change(
            "alerts", f"message = '', note = NULL, {_named('alert_type', _ERASED)}, {_each_kept('metadata')}"
        ),
    ),
    (
        "events",
        _change("events", _each_kept("parameters"), _OF_EVENTS),
    ),
    (
        "deliveries",
        _change(
            "deliveries",
            f"last_error = NULL, payload = {_kept('payload')} || jsonb_build_object('data', {_kept(_DATA)})",
        ),
    ),
    ("transitions", _change("transitions", _each_kept("metadata"))),
    (
        "audit_logs",
        _change(
            "audit_logs",
            f"{_named('event_type', _ERASED)}, {_named('action', 'NULL')}, {_each_kept('metadata')}, "
            f"{AUDIT_LOGS.erase}",
        ),
    ),
    # The list holds no number and goes on protecting it; why somebody is on it may be told in their words.
    ("do_not_call", _change("do_not_call", "reason = ''", f"{_OF_TASKS} OR phone_index = ANY(:marks)")),
    (
        "system_audit",
        _change(
            "system_audit",
            f"{_each_kept('detail')}, {SYSTEM_AUDIT.erase}",
            "detail ->> 'task_id' = ANY(:ids) OR detail ->> 'entry_id' IN "
            "(SELECT entry_id FROM do_not_call WHERE phone_index = ANY(:marks))",
        ),
    ),
)
"""The tables in the order in which they are changed, each with the name that is told of it."""
