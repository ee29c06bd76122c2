"""The business clock's row, and both clocks read at once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from runtime.clock import Anchor, Clock
from storage.core.unit_of_work import Repository

_READ = text(
    "SELECT database_time, business_time, rate, clock_timestamp() AS database_now FROM business_clock"
)
_SET = text(
    "UPDATE business_clock SET business_time = :moment, database_time = clock_timestamp(), "
    "rate = coalesce(:rate, rate)",
)


@dataclass(frozen=True, slots=True)
class Moments:
    """One instant on both clocks: the database's and the business clock."""

    anchor: Anchor
    database_now: datetime

    @property
    def business_now(self) -> datetime:
        """The business time of this instant."""
        return self.anchor.business(self.database_now)

    def on(self, clock: Clock) -> datetime:
        """This instant on one of the clocks."""
        return self.database_now if clock is Clock.DATABASE else self.business_now


@dataclass(frozen=True, slots=True)
class BusinessClock(Repository):
    """The only code that reads or sets the clock."""

    def now(self) -> Moments:
        """This instant on both clocks, by the database."""
        row = self.connection.execute(_READ).one()
        return Moments(Anchor(row.database_time, row.business_time, row.rate), row.database_now)

    def set(self, moment: datetime, rate: float | None = None) -> None:
        """Let the business clock show this moment now, and from here on run at this rate."""
        self.connection.execute(_SET, {"moment": moment, "rate": rate})
