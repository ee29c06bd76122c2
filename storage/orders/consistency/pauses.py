"""Pauses on the database's clock, which no time jump passes over, ended for a simulation."""

from dataclasses import dataclass

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.engine.states import SCHEDULED

_END_LONG = text(
    f"UPDATE steps SET due_at = clock_timestamp() WHERE state = {SCHEDULED} AND due_clock = 'database' "
    "AND due_at > clock_timestamp() + interval '1 minute'"
)


@dataclass(frozen=True, slots=True)
class Pauses(Repository):
    """The pauses of steps that try again later."""

    def end_long(self) -> None:
        """Let all be over that last longer than a minute: those for which a channel that is away is left alone."""
        self.connection.execute(_END_LONG)
