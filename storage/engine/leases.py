"""Leases: one row a batch, on the database's clock, renewed while the work lasts."""

from dataclasses import dataclass

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.engine.states import LEASED

_RENEW = text(
    "UPDATE leases SET expires_at = clock_timestamp() + make_interval(secs => :seconds) "
    "WHERE lease_id = ANY(:ids) RETURNING lease_id",
)
# What its holder renews at this moment is left alone, so that neither waits for the other.
_RELEASE = text("DELETE FROM leases WHERE lease_id = ANY(:ids)")
_CLEAN = text(
    "DELETE FROM leases WHERE lease_id IN (SELECT l.lease_id FROM leases l WHERE l.expires_at < clock_timestamp() "
    f"AND NOT EXISTS (SELECT FROM steps s WHERE s.lease_id = l.lease_id AND s.state = {LEASED}) "
    "FOR UPDATE SKIP LOCKED)",
)


@dataclass(frozen=True, slots=True)
class Leases(Repository):
    """The only code that writes `leases`, but for the claim, which writes its own."""

    def renew(self, lease_ids: list[str], seconds: float) -> frozenset[str]:
        """Prolong these leases; those that are missing from the answer are lost."""
        rows = self.connection.execute(_RENEW, {"ids": lease_ids, "seconds": seconds})
        return frozenset(row.lease_id for row in rows)

    def release(self, *lease_ids: str) -> None:
        """End these leases."""
        self.connection.execute(_RELEASE, {"ids": list(lease_ids)})

    def clean(self) -> None:
        """Remove expired leases that hold nothing any more."""
        self.connection.execute(_CLEAN)
