"""Pulses: each background job stores the time at which it last worked, and since when without a gap."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from storage.core.unit_of_work import Repository

# Looking before writing keeps a pulse of the last second from being locked, and so from being written at all.
_BEAT = text(
    """
    INSERT INTO pulses (name, at, steady_since) SELECT CAST(:name AS text), clock_timestamp(), '-infinity'
    WHERE NOT EXISTS (
        SELECT FROM pulses WHERE name = CAST(:name AS text)
        AND at BETWEEN clock_timestamp() - interval '1 second' AND clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET at = excluded.at, steady_since = CASE
        WHEN pulses.at BETWEEN excluded.at - make_interval(secs => :gap_seconds) AND excluded.at
        THEN pulses.steady_since ELSE excluded.at END
    """
)
_SINCE = text(
    "SELECT greatest(0, extract(epoch FROM clock_timestamp() - at))::float AS seconds "
    "FROM pulses WHERE name = :name"
)

TICK_PULSE: Final = "tick"
"""The pulse of the tick."""
FRESH_SECONDS: Final = 15.0
"""How long ago the last sweep of the tick may be; while it works it sweeps many times a second."""

_NO_GAP: Final = 1e9
"""Seconds that no pause lasts: for jobs of which nobody asks since when they have worked."""


@dataclass(frozen=True, slots=True)
class Pulses(Repository):
    """The only code that reads or writes `pulses`."""

    def beat(self, name: str, *, gap_seconds: float = _NO_GAP) -> None:
        """Store the present time, by the database's clock, for this name; at most once a second.

        Args:
            name: The job.
            gap_seconds: After a longer pause, or where the clock went back, the job is steady only from now on.
        """
        self.connection.execute(_BEAT, {"name": name, "gap_seconds": gap_seconds})

    def seconds_since(self, name: str) -> float | None:
        """Seconds since the last beat of this name; `None` when there was none."""
        found: float | None = self.connection.execute(_SINCE, {"name": name}).scalar_one_or_none()
        return found
