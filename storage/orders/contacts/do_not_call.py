"""The do-not-call list: who entered a number, why, until when. It holds blind indexes, not numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import text

from runtime.ids import Prefix, new_id
from schemas.orders.contact import Channel
from schemas.orders.effects import DoNotCallAdded
from storage.core.unit_of_work import Repository
from storage.orders.contacts.constraints import ContactConstraints

_FIELDS: Final = (
    "entry_id, masked, channel, reason, added_by, task_id, until, added_at, lifted_at, lifted_by, "
    "lifted_at IS NULL AND (until IS NULL OR until > business_now()) AS holds"
)
# What bars the number as widely and as long already is enough.
_STANDING = text(
    f"SELECT {_FIELDS} FROM do_not_call WHERE phone_index = :number AND lifted_at IS NULL "
    "AND channel IS NOT DISTINCT FROM CAST(:channel AS text) "
    "AND until IS NOT DISTINCT FROM CAST(:until AS timestamptz) "
    "AND (until IS NULL OR until > business_now()) ORDER BY added_at LIMIT 1",
)
_ADD = text(
    f"INSERT INTO do_not_call (entry_id, phone_index, masked, channel, reason, added_by, task_id, until) "
    f"VALUES (:entry_id, :number, :masked, :channel, :reason, :added_by, :task_id, :until) RETURNING {_FIELDS}",
)
_RENEW = text("UPDATE do_not_call SET phone_index = :number WHERE phone_index = ANY(:former)")
_FIND = text(f"SELECT {_FIELDS} FROM do_not_call WHERE entry_id = :entry_id")
_LIFT = text(
    "UPDATE do_not_call SET lifted_at = business_now(), lifted_by = :by "
    f"WHERE entry_id = :entry_id AND lifted_at IS NULL RETURNING {_FIELDS}",
)
_LIST = text(
    f"""
    SELECT {_FIELDS} FROM do_not_call
    WHERE (CAST(:numbers AS bytea[]) IS NULL OR phone_index = ANY(:numbers))
      AND (:ended OR (lifted_at IS NULL AND (until IS NULL OR until > business_now())))
      AND (CAST(:at AS timestamptz) IS NULL OR (added_at, entry_id) < (:at, :entry_id))
    ORDER BY added_at DESC, entry_id DESC LIMIT :limit
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the list; `holds` says whether it bars contacts now."""

    entry_id: str
    masked: str
    channel: str | None
    reason: str
    added_by: str
    task_id: str | None
    until: datetime | None
    added_at: datetime
    lifted_at: datetime | None
    lifted_by: str | None
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """A number that is not to be contacted; by no channel where none is named, for ever without `until`."""

    number: bytes = field(repr=False)
    masked: str
    reason: str
    added_by: str
    channel: Channel | None = None
    task_id: str | None = None
    until: datetime | None = None
    former: tuple[bytes, ...] = field(default=(), repr=False)
    """What the number may be listed under since before the index key changed."""


@dataclass(frozen=True, slots=True)
class DoNotCall(Repository):
    """The only code that writes `do_not_call`."""

    def add(self, entry: NewEntry) -> tuple[Entry, bool]:
        """The entry, and whether it is new: one with the same scope and end that holds is left as it is.

        When the transaction commits, no contact of this number can begin whose intent was not committed before.
        """
        ContactConstraints(self.work).hold_numbers([entry.number, *entry.former])
        if entry.former:
            self.connection.execute(_RENEW, {"number": entry.number, "former": list(entry.former)})
        return self._add(entry)

    def add_all(self, entries: Sequence[DoNotCallAdded]) -> None:
        """Write what customers told us, as a part of the step that understood it."""
        ContactConstraints(self.work).hold_numbers([entry.phone_index for entry in entries])
        for entry in entries:
            self._add(
                NewEntry(
                    number=entry.phone_index,
                    masked=entry.masked,
                    reason=entry.reason,
                    added_by=entry.added_by,
                    task_id=entry.task_id,
                )
            )

    def lift(self, entry_id: str, *, by: str) -> tuple[Entry | None, bool]:
        """End an entry; the entry, `None` when there is none, and whether this call ended it."""
        lifted = self.connection.execute(_LIFT, {"entry_id": entry_id, "by": by}).one_or_none()
        if lifted is not None:
            return Entry(**lifted._mapping), True
        return self.find(entry_id), False

    def find(self, entry_id: str) -> Entry | None:
        """The entry with this id."""
        row = self.connection.execute(_FIND, {"entry_id": entry_id}).one_or_none()
        return None if row is None else Entry(**row._mapping)

    def list(
        self,
        *,
        marks: Sequence[bytes] | None = None,
        ended: bool = False,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> list[Entry]:
        """Entries, the newest first; of one number, with those that ended too, when asked for."""
        at, entry_id = after or (None, "")
        numbers = None if marks is None else list(marks)
        wanted = {"numbers": numbers, "ended": ended, "at": at, "entry_id": entry_id, "limit": limit}
        return [Entry(**row._mapping) for row in self.connection.execute(_LIST, wanted)]

    def _add(self, entry: NewEntry) -> tuple[Entry, bool]:
        scope = {"number": entry.number, "channel": entry.channel, "until": entry.until}
        standing = self.connection.execute(_STANDING, scope).one_or_none()
        if standing is not None:
            return Entry(**standing._mapping), False
        row = self.connection.execute(
            _ADD,
            {
                **scope,
                "entry_id": new_id(Prefix.DO_NOT_CALL),
                "masked": entry.masked,
                "reason": entry.reason,
                "added_by": entry.added_by,
                "task_id": entry.task_id,
            },
        ).one()
        return Entry(**row._mapping), True
