"""Leases: one row a batch, on the database's clock, renewed while the work lasts."""

from collections.abc import Collection
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
_LOCK_OURS = text(
    f"SELECT step_id FROM steps WHERE step_id = ANY(:ids) AND state = {LEASED} AND lease_id = :lease_id "
    "AND early_signals IS NULL ORDER BY step_id FOR SHARE",
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

    def lock_ours(self, step_ids: Collection[int], lease_id: str) -> frozenset[int]:
        """Lock those of these steps that are still ours, before what they send is committed as an intent.

        Not in the answer, and not to be sent: a step that another holds, and one of which a result has come. Steps
        before everything else is the order in which everybody locks them.
        """
        rows = self.connection.execute(_LOCK_OURS, {"ids": list(step_ids), "lease_id": lease_id})
        return frozenset(row.step_id for row in rows)

    def clean(self) -> None:
        """Remove expired leases that hold nothing any more."""
        self.connection.execute(_CLEAN)
