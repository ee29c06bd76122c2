"""Emergency stops: nobody is contacted while one is open, everywhere, by one channel, or in one region."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from runtime.ids import Prefix, new_id
from schemas.orders.contact import Channel
from storage.core.unit_of_work import Repository
from storage.orders.contacts.constraints import ContactConstraints

_FIELDS: Final = "stop_id, channel, region, reason, stopped_by, stopped_at, lifted_at, lifted_by"
_STANDING = text(
    f"SELECT {_FIELDS} FROM contact_stops WHERE lifted_at IS NULL "
    "AND channel IS NOT DISTINCT FROM CAST(:channel AS text) AND region IS NOT DISTINCT FROM CAST(:region AS text) "
    "ORDER BY stopped_at LIMIT 1",
)
_RAISE = text(
    "INSERT INTO contact_stops (stop_id, channel, region, reason, stopped_by) "
    f"VALUES (:stop_id, :channel, :region, :reason, :by) RETURNING {_FIELDS}",
)
_LIFT = text(
    "UPDATE contact_stops SET lifted_at = clock_timestamp(), lifted_by = :by "
    f"WHERE stop_id = :stop_id AND lifted_at IS NULL RETURNING {_FIELDS}",
)
_FIND = text(f"SELECT {_FIELDS} FROM contact_stops WHERE stop_id = :stop_id")
_LIST = text(
    f"SELECT {_FIELDS} FROM contact_stops WHERE :lifted OR lifted_at IS NULL "
    "ORDER BY stopped_at DESC, stop_id DESC LIMIT :limit",
)
_OPEN_BY_REGION = text(
    "SELECT NULLIF(btrim(CASE WHEN jsonb_typeof(metadata -> 'region') = 'string' THEN metadata ->> 'region' END), '') "
    "AS region, count(*) AS orders FROM tasks WHERE finished_at IS NULL GROUP BY 1",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A stop; a channel or region that is None means all of them. It holds until it is lifted."""

    stop_id: str
    channel: str | None
    region: str | None
    reason: str
    stopped_by: str
    stopped_at: datetime
    lifted_at: datetime | None
    lifted_by: str | None


@dataclass(frozen=True, slots=True)
class ContactStops(Repository):
    """The only code that writes `contact_stops`."""

    def stop(self, *, channel: Channel | None, region: str | None, reason: str, by: str) -> tuple[Stop, bool]:
        """The stop, and whether it is new: one with the same scope that is open is left as it is.

        Waits for the intents that are being committed. When the transaction commits, no contact of its scope
        can begin whose intent was not committed before, whatever is queued.
        """
        ContactConstraints(self.work).hold_all()
        scope = {"channel": channel, "region": region}
        standing = self.connection.execute(_STANDING, scope).one_or_none()
        if standing is not None:
            return Stop(**standing._mapping), False
        row = self.connection.execute(
            _RAISE, {**scope, "stop_id": new_id(Prefix.STOP), "reason": reason, "by": by}
        ).one()
        return Stop(**row._mapping), True

    def lift(self, stop_id: str, *, by: str) -> tuple[Stop | None, bool]:
        """End a stop; the stop, `None` when there is none, and whether this call ended it."""
        lifted = self.connection.execute(_LIFT, {"stop_id": stop_id, "by": by}).one_or_none()
        if lifted is not None:
            return Stop(**lifted._mapping), True
        return self.find(stop_id), False

    def find(self, stop_id: str) -> Stop | None:
        """The stop with this id."""
        row = self.connection.execute(_FIND, {"stop_id": stop_id}).one_or_none()
        return None if row is None else Stop(**row._mapping)

    def open_orders(self) -> dict[str | None, int]:
        """How many orders are open, by their region; None for those that name none."""
        return {row.region: row.orders for row in self.connection.execute(_OPEN_BY_REGION)}

    def list(self, *, lifted: bool = False, limit: int = 100) -> list[Stop]:
        """Stops, the newest first; those that were lifted too, when asked for."""
        rows = self.connection.execute(_LIST, {"lifted": lifted, "limit": limit})
        return [Stop(**row._mapping) for row in rows]
