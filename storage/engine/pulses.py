"""Pulses: each background job stores the time at which it last worked."""

from dataclasses import dataclass

from sqlalchemy import text

from storage.core.unit_of_work import Repository

# Looking before writing keeps a pulse of the last second from being locked, and so from being written at all.
_BEAT = text(
    """
    INSERT INTO pulses (name, at) SELECT CAST(:name AS text), clock_timestamp()
    WHERE NOT EXISTS (
        SELECT FROM pulses WHERE name = CAST(:name AS text)
        AND at BETWEEN clock_timestamp() - interval '1 second' AND clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET at = excluded.at
    """
)
_SINCE = text(
    "SELECT greatest(0, extract(epoch FROM clock_timestamp() - at))::float AS seconds "
    "FROM pulses WHERE name = :name"
)


@dataclass(frozen=True, slots=True)
class Pulses(Repository):
    """The only code that reads or writes `pulses`."""

    def beat(self, name: str) -> None:
        """Store the present time, by the database's clock, for this name; at most once a second."""
        self.connection.execute(_BEAT, {"name": name})

    def seconds_since(self, name: str) -> float | None:
        """Seconds since the last beat of this name; `None` when there was none."""
        found: float | None = self.connection.execute(_SINCE, {"name": name}).scalar_one_or_none()
        return found
