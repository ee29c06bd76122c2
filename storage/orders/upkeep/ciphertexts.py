"""Every encrypted column: finds values of old keys, and encrypts them again with the current key."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import text

from runtime.cipher import PRINTED, UnreadableCiphertext, is_printed
from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository


class _Form(StrEnum):
    BYTES = "bytes"
    TEXT = "text"
    OBJECT = "object"
    """A JSON object whose texts may be sealed, at any depth, each at the place of its own name."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A column and, as SQL, what its values are bound to; in an object the value's name takes the place of `%`."""

    table: str
    column: str
    place: str
    form: _Form = _Form.BYTES
    rows: str = ""
    """As SQL: which rows hold an encrypted value, where not all do."""

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"

    @property
    def is_old(self) -> str:
        """As SQL: the value is not of the current key, whose name is `:key`."""
        return f"{self.rows} AND {self._is_old}" if self.rows else self._is_old

    @property
    def _is_old(self) -> str:
        match self.form:
            case _Form.BYTES:
                return (
                    f"octet_length({self.column}) > 0 AND substring({self.column} FROM 1 FOR 5) "
                    "<> decode('01' || CAST(:key AS text), 'hex')"
                )
            case _Form.TEXT:
                return f"{self.column} <> '' AND {self.column} NOT LIKE 'enc1.' || CAST(:key AS text) || '.%'"
            case _:
                value = "v #>> '{}'"
                sealed = f"{value} ~ '^{PRINTED}$' AND {value} NOT LIKE 'enc1.' || CAST(:key AS text) || '.%'"
                return (
                    f"strpos({self.column}::text, '\"enc1.') > 0 "
                    f"AND EXISTS (SELECT FROM jsonb_path_query(CASE jsonb_typeof({self.column}) WHEN 'object' "
                    f"THEN {self.column} END, 'strict $.**') v WHERE jsonb_typeof(v) = 'string' AND {sealed})"
                )


_COLUMNS: Final = (
    _Column("tasks", "phone", "'tasks.phone.' || task_id"),
    _Column("tasks", "digest", "'tasks.digest.' || task_id"),
    _Column("tasks", "personal", "'tasks.personal.' || task_id"),
    _Column("contact_logs", "transcript", "'contact_logs.transcript.' || contact_id", _Form.TEXT),
    _Column("contact_logs", "user_feedback", "'contact_logs.user_feedback.' || contact_id", _Form.TEXT),
    _Column("callbacks", "body", "'callbacks.body.' || provider || '.' || event_id"),
    _Column("rejects", "payload", "'rejects.payload.' || reject_id"),
    _Column("signals", "body", "'signals.body.' || task_id || '.' || signal_id"),
    _Column("signals", "digest", "'signals.digest.' || task_id || '.' || signal_id"),
    _Column("intent_labels", "words", "'intent_labels.words.' || label_id"),
    _Column("subscribers", "secret", "'subscribers.secret.' || subscriber_id"),
    _Column("idempotency_keys", "body", "'idempotency_keys.body.' || agent_id || '.' || key"),
    _Column("http_requests", "answer", "'http_requests.answer.' || step_id || '.' || delivery"),
    _Column("http_requests", "callback", "'http_requests.callback.' || step_id || '.' || delivery"),
    _Column("held_decisions", "payload", "'held_decisions.payload.' || hold_id"),
    _Column("artifacts", "content", "'artifacts.content.' || path", rows="sensitive"),
    _Column("runs", "variables", "'runs.variables.%.' || run_id", _Form.OBJECT),
    _Column("steps", "input", "'runs.variables.%.' || run_id", _Form.OBJECT),
    _Column("steps", "output", "'runs.variables.%.' || run_id", _Form.OBJECT),
    _Column("reviews", "context", "'runs.variables.%.' || run_id", _Form.OBJECT),
    _Column("reviews", "decision", "'runs.variables.%.' || run_id", _Form.OBJECT),
    _Column(
        "review_answers",
        "form",
        "'runs.variables.%.' || (SELECT run_id FROM reviews r WHERE r.review_id = review_answers.review_id)",
        _Form.OBJECT,
    ),
)
COLUMNS: Final[Mapping[str, _Column]] = {column.name: column for column in _COLUMNS}
"""By name, such as `tasks.phone`."""

# Results that came before their step was parked name the key they were sealed with; they are gone within a lease.
_EARLY: Final = text(
    "SELECT count(*) FROM steps WHERE early_signals IS NOT NULL AND strpos(early_signals::text, '\"enc1.') > 0 "
    "AND strpos(early_signals::text, '\"enc1.' || CAST(:key AS text) || '.') = 0"
)


@dataclass(frozen=True, slots=True)
class ReencryptedBatch:
    """The result of re-encrypting one batch."""

    written: int
    unreadable: tuple[str, ...]
    """The places of values that no key of ours opens; they are left as they are."""


@dataclass(frozen=True, slots=True)
class Ciphertexts(Repository):
    """The only code that writes encrypted values of every table, and changes nothing else of them."""

    def old(self) -> dict[str, int]:
        """How many values of each column are not of the current key: of an old one, or in clear from before."""
        given = {"key": self.cipher.key_name}
        counts = {
            column.name: int(
                self.connection.execute(
                    text(f"SELECT count(*) FROM {column.table} WHERE {column.is_old}"), given
                ).scalar_one()
            )
            for column in _COLUMNS
        }
        return counts | {"steps.early_signals": int(self.connection.execute(_EARLY, given).scalar_one())}

    def renew(self, name: str, *, most: int, skip: Sequence[str]) -> ReencryptedBatch:
        """Write so many values of this column anew; rows at work elsewhere are left for the next time.

        Args:
            name: One of `COLUMNS`.
            most: Rows at most.
            skip: Places that are known to be unreadable.
        """
        column = COLUMNS[name]
        rows = self.connection.execute(
            text(
                f"SELECT ctid::text AS row, {column.place} AS place, {column.column} AS stored FROM {column.table} "
                f"WHERE {column.is_old} AND {column.place} <> ALL(:skip) LIMIT :most FOR UPDATE SKIP LOCKED"
            ),
            {"key": self.cipher.key_name, "skip": list(skip), "most": most},
        ).all()
        value = "CAST(:value AS jsonb)" if column.form is _Form.OBJECT else ":value"
        write = text(f"UPDATE {column.table} SET {column.column} = {value} WHERE ctid = CAST(:row AS tid)")
        renewed, unreadable = [], []
        for row in rows:
            try:
                renewed.append({"row": row.row, "value": self._renewed(column, row.stored, row.place)})
            except UnreadableCiphertext:
                unreadable.append(row.place)
        if renewed:
            self.connection.execute(write, renewed)
        return ReencryptedBatch(len(renewed), tuple(unreadable))

    def _renewed(self, column: _Column, stored: Any, place: str) -> object:
        anew: Callable[[str, str], str] = lambda printed, at: self.cipher.seal_text(  # noqa: E731 - used twice below
            self.cipher.open_text(printed, at), at
        )
        match column.form:
            case _Form.BYTES:
                return self.cipher.encrypt(self.cipher.decrypt(bytes(stored), place), place)
            case _Form.TEXT:
                return anew(stored, place)
            case _:
                return dump_json(_renewed_within(stored, "", place, anew))


def _renewed_within(value: Any, name: str, place: str, anew: Callable[[str, str], str]) -> Any:
    """A value of JSON under this name, with every sealed text in it written anew."""
    if isinstance(value, Mapping):
        return {inner: _renewed_within(each, inner, place, anew) for inner, each in value.items()}
    if isinstance(value, list):
        return [_renewed_within(each, name, place, anew) for each in value]
    return anew(value, place.replace("%", name, 1)) if is_printed(value) else value
