"""The business clock, for follow-ups, gaps, windows and review deadlines (ARCHITECTURE.md)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Clock(StrEnum):
    """The clock on which a moment lies: the database's or the business clock."""

    DATABASE = "database"
    """PostgreSQL's own: leases, retries, results that a provider owes us."""
    BUSINESS = "business"
    """The customer's days: at rate 1 the same as the database's, faster or leaping in a simulation."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Two simultaneous moments on both clocks, and the rate of the business clock since then."""

    database_time: datetime
    business_time: datetime
    rate: float

    def business(self, database_now: datetime) -> datetime:
        """Return the business time at this database time."""
        return self.business_time + (database_now - self.database_time) * self.rate

    def database(self, business_moment: datetime) -> datetime:
        """Return the database time at which the business clock reaches this moment, unless it is moved before."""
        return self.database_time + timedelta(
            seconds=(business_moment - self.business_time).total_seconds() / self.rate,
        )
