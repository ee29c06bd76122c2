"""Callbacks of channels: each stored raw, once."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.orders.contacts.tables import callbacks as callbacks_table

_INSERT = BulkInsert(
    callbacks_table,
    ("provider", "event_id", "key", "body", "outcome"),
    on_conflict=" ",
    returning="event_id",
)
_FORGET = text(
    "WITH erased AS (SELECT c.key FROM contact_logs c JOIN tasks t ON t.task_id = c.task_id "
    "WHERE c.key = :key AND t.erased_at IS NOT NULL), "
    "blanked AS (UPDATE callbacks SET body = '' FROM erased WHERE callbacks.key = erased.key AND body <> '') "
    "SELECT count(*) FROM erased"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCallback:
    """A callback as it came in; the body may hold what a customer said, so it is encrypted at rest."""

    provider: str
    event_id: str
    key: str
    body: str
    outcome: str = "received"


@dataclass(frozen=True, slots=True)
class Callbacks(Repository):
    """The only code that writes `callbacks`."""

    def keep(self, callbacks: Sequence[NewCallback]) -> frozenset[str]:
        """Keep these callbacks; the event ids of those that were not known yet.

        In the order of their ids: two who keep the same ones wait for each other, and never each for the other.
        """
        rows = _INSERT(
            self.connection,
            [
                (
                    callback.provider,
                    callback.event_id,
                    callback.key,
                    self.cipher.encrypt(
                        callback.body, f"callbacks.body.{callback.provider}.{callback.event_id}"
                    ),
                    callback.outcome,
                )
                for callback in sorted(callbacks, key=lambda one: (one.provider, one.event_id))
            ],
        )
        return frozenset(str(row[0]) for row in rows)

    def forget_erased(self, key: str) -> bool:
        """Whether this attempt's order was erased; the body of its callbacks is then not kept."""
        return bool(self.connection.execute(_FORGET, {"key": key}).scalar_one())
