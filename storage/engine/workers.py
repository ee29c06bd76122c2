"""The worker processes of the fleet, by their database connections and leases."""

from dataclasses import dataclass

from sqlalchemy import text

from storage.core.unit_of_work import Repository

_APPLICATION = "unpend-"
"""What the name of a process's connections begins with (`workers.process.Process.database`)."""

# A worker process keeps its connections while it lives; the server drops them when it dies.
_CONNECTIONS = text(
    f"""
    SELECT substr(application_name, {len(_APPLICATION) + 1}) AS name, count(*) AS connections
    FROM pg_stat_activity
    WHERE datname = current_database() AND starts_with(application_name, '{_APPLICATION}')
    GROUP BY application_name
    """
)
_AT_WORK = text(
    "SELECT queue AS name, count(DISTINCT holder) AS processes FROM leases "
    "WHERE expires_at > clock_timestamp() GROUP BY queue"
)


@dataclass(frozen=True, slots=True)
class WorkersSeen:
    """What PostgreSQL sees of the processes that serve one queue."""

    connections: int = 0
    """Connections they keep open; none before a process has worked for the first time."""
    at_work: int = 0
    """Processes that hold a lease at this moment."""


@dataclass(frozen=True, slots=True)
class Workers(Repository):
    """Read-only queries."""

    def seen(self) -> dict[str, WorkersSeen]:
        """By the name of the process (of an agent: its queue), those that are seen at all."""
        connections = {row.name: row.connections for row in self.connection.execute(_CONNECTIONS)}
        at_work = {row.name: row.processes for row in self.connection.execute(_AT_WORK)}
        return {
            name: WorkersSeen(connections.get(name, 0), at_work.get(name, 0))
            for name in connections.keys() | at_work.keys()
        }
