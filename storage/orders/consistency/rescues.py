"""Writes down every rescue of a step as it happens, for a measurement; an installation has no such table."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.engine.states import LEASED

# A worker that gives its own rows back after an exception has a lease that has not run out: that is no rescue.
_INSTALL = f"""
    CREATE TABLE IF NOT EXISTS observed_rescues (
        step_id bigint NOT NULL, subject_id text, queue text, holder text, expires_at timestamptz,
        rescued_at timestamptz NOT NULL);
    CREATE OR REPLACE FUNCTION observe_rescue() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        INSERT INTO observed_rescues
        SELECT OLD.step_id, OLD.subject_id, OLD.queue, l.holder, l.expires_at, clock_timestamp()
        FROM (SELECT OLD.lease_id) AS lost LEFT JOIN leases l USING (lease_id)
        WHERE l.lease_id IS NULL OR l.expires_at < clock_timestamp();
        RETURN NULL;
    END $$;
    CREATE OR REPLACE TRIGGER observe_rescue AFTER UPDATE OF crashes ON steps FOR EACH ROW
    WHEN (OLD.state = {LEASED} AND NEW.crashes > OLD.crashes)
    EXECUTE FUNCTION observe_rescue();
    """
_OBSERVED = text(
    "SELECT step_id, subject_id, queue, holder, expires_at, rescued_at FROM observed_rescues ORDER BY rescued_at"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedRescue:
    """One step that was taken from its holder because the lease had run out."""

    step_id: int
    subject_id: str | None
    queue: str | None
    holder: str | None
    """`name@host:pid`; none where there was no lease any more."""
    expires_at: datetime | None
    rescued_at: datetime


@dataclass(frozen=True, slots=True)
class RescueLog(Repository):
    """The rescues of a fleet that is measured, written by a trigger on `steps`."""

    def install(self) -> None:
        """Begin to write rescues down."""
        self.connection.exec_driver_sql(_INSTALL)

    def all(self) -> list[ObservedRescue]:
        """Every rescue since then, the earliest first."""
        return [ObservedRescue(**row._mapping) for row in self.connection.execute(_OBSERVED)]
