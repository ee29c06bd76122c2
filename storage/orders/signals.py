"""Signals to tasks: each kept once under its id, encrypted, with what became of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import text

from runtime.cipher import Sealed
from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.orders.tables import signals as signals_table

_INSERT: Final = BulkInsert(
    signals_table,
    ("task_id", "signal_id", "type", "body", "digest", "outcome", "status", "effect", "sent_by"),
    stamped="received_at",
)
_FIND: Final = text(
    "SELECT task_id, signal_id, type, body, digest, outcome, status, effect, sent_by, received_at FROM signals "
    "WHERE task_id = :task_id AND signal_id = :signal_id",
)
_SETTLE: Final = text(
    "UPDATE signals SET outcome = :outcome, status = :status, effect = :effect "
    "WHERE task_id = :task_id AND signal_id = :signal_id",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSignal:
    """A signal and what became of it; the body may hold a number or a customer's words."""

    task_id: str
    signal_id: str
    type: str
    body: str = field(repr=False)
    digest: bytes = field(repr=False)
    outcome: str
    status: str
    effect: str
    sent_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSignal:
    """A signal as kept; `status` and `effect` are what its sender was told."""

    task_id: str
    signal_id: str
    type: str
    sealed_body: Sealed
    sealed_digest: Sealed
    outcome: str
    status: str
    effect: str
    sent_by: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Signals(Repository):
    """The only code that writes `signals`; whoever does holds the lock of the task's run."""

    def find(self, task_id: str, signal_id: str) -> KeptSignal | None:
        """The signal of this id to this task."""
        row = self.connection.execute(_FIND, {"task_id": task_id, "signal_id": signal_id}).one_or_none()
        if row is None:
            return None
        values = row._asdict()
        sealed = Sealed(bytes(values.pop("body")), _place("body", task_id, signal_id), self.cipher)
        digest = Sealed(bytes(values.pop("digest")), _place("digest", task_id, signal_id), self.cipher)
        return KeptSignal(**values | {"sealed_body": sealed, "sealed_digest": digest})

    def keep(self, signal: NewSignal) -> None:
        """Keep a signal that is not known yet."""
        body = self.cipher.encrypt(signal.body, _place("body", signal.task_id, signal.signal_id))
        row = (
            signal.task_id,
            signal.signal_id,
            signal.type,
            body,
            self.cipher.encrypt(signal.digest.hex(), _place("digest", signal.task_id, signal.signal_id)),
            signal.outcome,
            signal.status,
            signal.effect,
            signal.sent_by,
        )
        _INSERT(self.connection, [row])

    def settle(self, task_id: str, signal_id: str, *, outcome: str, status: str, effect: str) -> None:
        """Write the result of a signal that had to wait."""
        parameters = {"outcome": outcome, "status": status, "effect": effect}
        self.connection.execute(_SETTLE, {"task_id": task_id, "signal_id": signal_id, **parameters})


def _place(column: str, task_id: str, signal_id: str) -> str:
    return f"signals.{column}.{task_id}.{signal_id}"
