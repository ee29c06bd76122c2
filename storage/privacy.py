"""What is known of a customer: found over all orders, and removed from every table but the trail of what was done."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, TextClause, text

from runtime.cipher import Cipher

_ORDERS: Final = text(
    "SELECT task_id, status, phone FROM tasks WHERE (metadata ->> 'customer_id' = CAST(:customer_id AS text) "
    "OR phone_index = CAST(:number AS bytea)) ORDER BY task_id"
)
_HELD: Final = ("timezone", "pending_reason", "region", "product")
"""What of an order's metadata says nothing of a person."""
_ANSWERS: Final = (
    "intent_level1", "intent_level2", "confidence", "model", "flags", "contact_id", "review_reason", "contact_result",
    "requires_human_review", "suggested_action", "followup_at", "visit_at",
)  # fmt: skip
_TOLD: Final = (
    "reason",
    "reasons",
    "note",
    "message",
    "part",
    "text",
    "words",
    "review_message",
    "date_words",
    "call",
)
"""Names under which people, or the reading of what they said, may have written anything."""
_FREE: Final = "CAST(:told AS text[])"
_KEPT_OF: Final = (
    "(SELECT coalesce(jsonb_object_agg(name, value), '{{}}') FROM jsonb_each({0}) AS each(name, value) "
    "WHERE name = ANY(:{1}))"
)
_OF_TASKS: Final = "task_id = ANY(:ids)"


def _blank(table: str, change: str, where: str = _OF_TASKS) -> TextClause:
    return text(f"UPDATE {table} SET {change} WHERE {where}")


_STATEMENTS: Final[tuple[tuple[str, TextClause], ...]] = (
    # Callbacks and idle steps are found through rows that are blanked later, so they come first.
    (
        "callbacks",
        _blank(
            "callbacks",
            "body = ''",
            f"key IN (SELECT key FROM contact_logs WHERE {_OF_TASKS}) AND body <> ''",
        ),
    ),
    (
        "contacts",
        _blank(
            "contact_logs",
            "transcript = NULL, user_feedback = NULL, recording_url = NULL, phone_index = NULL",
        ),
    ),
    ("rejects", _blank("rejects", "payload = ''", f"{_OF_TASKS} AND payload <> ''")),
    ("signals", _blank("signals", "body = ''", f"{_OF_TASKS} AND body <> ''")),
    ("labels", _blank("intent_labels", "words = ''", f"{_OF_TASKS} AND words <> ''")),
    (
        "reviews",
        _blank(
            "reviews", f"context = {_KEPT_OF.format('context', 'answers')}, decision = decision - {_FREE}"
        ),
    ),
    (
        "steps",
        _blank(
            "steps",
            f"input = input - {_FREE}, output = output - {_FREE}, early_signals = NULL",
            "subject_id = ANY(:ids)",
        ),
    ),
    ("runs", _blank("runs", "description = NULL", "subject_id = ANY(:ids)")),
    ("dispatches", _blank("dispatches", "given = '{}'")),
    ("actions", _blank("actions", f"parameters = parameters - {_FREE}")),
    ("appointments", _blank("appointments", "note = NULL")),
    ("engineer_notices", _blank("engineer_notices", "message = NULL")),
    ("cancellations", _blank("cancellations", "reason = NULL")),
    ("followups", _blank("followups", "reason = NULL")),
    ("alerts", _blank("alerts", f"note = NULL, metadata = metadata - {_FREE}")),
    ("events", _blank("events", "title = split_part(title, ': ', 1)", f"{_OF_TASKS} AND title LIKE '%: %'")),
    ("deliveries", _blank("deliveries", "payload = payload #- '{data,title}'")),
    ("transitions", _blank("transitions", f"metadata = metadata - {_FREE}")),
    ("audit_logs", _blank("audit_logs", f"metadata = metadata - {_FREE}")),
    # The digest stays: the same order sent again is recognised, and not taken in or kept a second time.
    (
        "orders",
        _blank(
            "tasks",
            f"phone = NULL, phone_index = NULL, metadata = {_KEPT_OF.format('metadata', 'held')} "
            "|| jsonb_build_object('erased', true)",
        ),
    ),
)
_SOME_REJECTS: Final = text(
    "SELECT reject_id, payload FROM rejects WHERE reject_id > :after AND payload <> '' ORDER BY reject_id LIMIT 200"
)
_BLANK_REJECTS: Final = text("UPDATE rejects SET payload = '' WHERE reject_id = ANY(:ids)")
_GAPS: Final = re.compile(r"[\s.\-()（）‐-―]+")


@dataclass(frozen=True, slots=True)
class Known:
    """An order of a customer."""

    task_id: str
    status: str
    phone: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Privacy:
    """The only code that removes what was known of a person."""

    connection: Connection
    cipher: Cipher

    def orders_of(self, *, customer_id: str | None, number: bytes | None) -> list[Known]:
        """Every order of this customer, or with a number of this mark."""
        rows = self.connection.execute(_ORDERS, {"customer_id": customer_id, "number": number})
        return [
            Known(
                row.task_id,
                row.status,
                None
                if row.phone is None
                else self.cipher.decrypt(bytes(row.phone), f"tasks.phone.{row.task_id}"),
            )
            for row in rows
        ]

    def erase(self, task_ids: Sequence[str], numbers: Sequence[str]) -> dict[str, int]:
        """Remove what is known of whoever these orders belong to; how many rows of each kind were blanked.

        Rows, their times and who did what stay. The do-not-call list holds no number and keeps its marks. Of
        refused input also what merely contains one of the numbers (digits without a country) is removed.
        """
        given = {"ids": list(task_ids), "told": list(_TOLD), "answers": list(_ANSWERS), "held": list(_HELD)}
        counts = {
            kind: self.connection.execute(
                statement, {name: given[name] for name in given if f":{name}" in statement.text}
            ).rowcount
            for kind, statement in _STATEMENTS
        }
        counts["rejects"] += self._erase_rejects(numbers)
        return counts

    def _erase_rejects(self, numbers: Sequence[str]) -> int:
        erased, after = 0, ""
        while numbers:
            rows = self.connection.execute(_SOME_REJECTS, {"after": after}).all()
            if not rows:
                break
            after = rows[-1].reject_id
            found = [row.reject_id for row in rows if self._holds(row.reject_id, bytes(row.payload), numbers)]
            if found:
                erased += self.connection.execute(_BLANK_REJECTS, {"ids": found}).rowcount
        return erased

    def _holds(self, reject_id: str, payload: bytes, numbers: Sequence[str]) -> bool:
        told = _GAPS.sub("", self.cipher.decrypt(payload, f"rejects.payload.{reject_id}"))
        return any(number in told for number in numbers)
