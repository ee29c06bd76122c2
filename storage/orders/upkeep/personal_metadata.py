"""The personal fields of orders' metadata: read in clear, and taken out of orders that still show them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from sqlalchemy import text

from runtime.cipher import UnreadableCiphertext
from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository
from storage.orders.order import sealed_place

_READ: Final = text("SELECT task_id, metadata, personal FROM tasks WHERE task_id = :task_id")
_SOME: Final = text("SELECT task_id, metadata FROM tasks WHERE task_id > :after ORDER BY task_id LIMIT :most")
_LOCK: Final = text(
    "SELECT task_id, metadata, personal FROM tasks WHERE task_id = ANY(:ids) ORDER BY task_id FOR NO KEY UPDATE"
)
_WRITE: Final = text(
    "UPDATE tasks SET metadata = CAST(:metadata AS jsonb), personal = :personal WHERE task_id = :task_id"
)


@dataclass(frozen=True, slots=True)
class KeptMetadata:
    """An order's metadata as it is shown, and what was taken out of it, in clear."""

    task_id: str
    shown: Mapping[str, Any]
    personal: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PersonalMetadata(Repository):
    """The only code that reads the personal fields of orders, and that writes them after an order is accepted."""

    def of(self, task_id: str) -> Mapping[str, Any] | None:
        """The personal fields of this order, in clear, in the places they have in its metadata.

        Raises:
            UnreadableCiphertext: they were encrypted with a key that is gone.
        """
        row = self.connection.execute(_READ, {"task_id": task_id}).one_or_none()
        return None if row is None else self._opened(row)

    def some(self, after: str, most: int) -> list[KeptMetadata]:
        """The metadata of orders in the order of their ids, from behind this one on; nothing is decrypted."""
        rows = self.connection.execute(_SOME, {"after": after, "most": most})
        return [KeptMetadata(row.task_id, row.metadata) for row in rows]

    def lock(self, task_ids: Sequence[str]) -> list[KeptMetadata]:
        """The metadata of these orders, locked, with what was taken out of it before.

        Orders of which no key opens that are left out: it would be lost.
        """
        found = []
        for row in self.connection.execute(_LOCK, {"ids": list(task_ids)}):
            with suppress(UnreadableCiphertext):
                found.append(KeptMetadata(row.task_id, row.metadata, self._opened(row)))
        return found

    def write(self, kept: KeptMetadata) -> None:
        """Write what is shown of a locked order, and what is not."""
        sealed = self.cipher.encrypt(dump_json(kept.personal), sealed_place("personal", kept.task_id))
        changed = {"task_id": kept.task_id, "metadata": dump_json(kept.shown), "personal": sealed}
        self.connection.execute(_WRITE, changed)

    def _opened(self, row: Any) -> Mapping[str, Any] | None:
        if row.personal is None:
            return None
        found: Mapping[str, Any] = orjson.loads(
            self.cipher.decrypt(bytes(row.personal), sealed_place("personal", row.task_id))
        )
        return found
