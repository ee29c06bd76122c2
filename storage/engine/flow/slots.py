"""Slots of limits: how many steps, or runs, go on at the same time, and how many began within a while."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from statemachine.workflow.options.limits import WhenFull
from statemachine.workflow.states import SlotState
from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.engine.flow.tables import slots as slots_table
from storage.engine.states import SLOT_HELD, SLOT_SPENT, SLOT_WAITING

_COUNTED: Final = "granted_at > clock_timestamp() - make_interval(secs => rate_seconds)"

_ASK = BulkInsert(
    slots_table,
    ("name", "run_id", "step_id", "of_run", "state", "most", "when_full", "rate", "rate_seconds"),
)
_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended('slots ' || :name, 0))")
_ROOM = text(
    f"""
    SELECT count(*) FILTER (WHERE state = {SLOT_HELD}) AS held,
        count(*) FILTER (WHERE {_COUNTED}) AS counted,
        min(most) AS most, min(rate) AS rate
    FROM slots WHERE name = :name
    """
)
_NEXT = text(
    f"SELECT slot_id, run_id, step_id, of_run, when_full FROM slots WHERE name = :name AND state = {SLOT_WAITING} "
    "ORDER BY slot_id LIMIT :limit"
)
_HOLDERS = text(
    f"SELECT run_id FROM slots WHERE name = :name AND state = {SLOT_HELD} AND of_run ORDER BY slot_id LIMIT :limit"
)
_GRANT = text(
    f"UPDATE slots SET state = {SLOT_HELD}, granted_at = clock_timestamp() WHERE slot_id = ANY(:ids) "
    f"AND state = {SLOT_WAITING} RETURNING slot_id"
)


def released(which: str) -> str:
    """The parts `gone` and `spent` of a WITH: they give these slots back, and have their names.

    One that a rate counts is kept until its time has passed.
    """
    return f"""
    gone AS (DELETE FROM slots WHERE {which} AND (rate IS NULL OR state = {SLOT_WAITING}) RETURNING name),
    spent AS (UPDATE slots SET state = {SLOT_SPENT} WHERE {which} AND rate IS NOT NULL AND state = {SLOT_HELD}
        RETURNING name)
    """


_RELEASE_STEPS = text(
    f"WITH {released('step_id = ANY(:ids) AND NOT of_run')} SELECT name FROM gone UNION SELECT name FROM spent"
)
_FORGET = text(f"DELETE FROM slots WHERE name = :name AND state = {SLOT_SPENT} AND NOT {_COUNTED}")
# What a crash has left, and what a rate lets go on by now.
_OPEN_NAMES = text(
    f"""
    SELECT name FROM slots WHERE name IN (SELECT DISTINCT name FROM slots WHERE state = {SLOT_WAITING})
    GROUP BY name
    HAVING bool_or(when_full <> 'queue' AND state = {SLOT_WAITING})
        OR (count(*) FILTER (WHERE state = {SLOT_HELD}) < coalesce(min(most), 2147483647)
            AND count(*) FILTER (WHERE {_COUNTED}) < coalesce(min(rate), 2147483647))
    LIMIT :limit
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSlot:
    """A slot that is asked for."""

    name: str
    run_id: str
    step_id: int
    of_run: bool
    most: int | None
    when_full: WhenFull
    rate: int | None
    rate_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingSlot:
    """A slot that is waited for."""

    slot_id: int
    run_id: str
    step_id: int
    of_run: bool
    when_full: str


@dataclass(frozen=True, slots=True)
class Slots(Repository):
    """The only code that writes `slots`."""

    def ask(self, slots: Sequence[NewSlot]) -> None:
        """Wait for these slots."""
        _ASK(
            self.connection,
            [
                (
                    each.name,
                    each.run_id,
                    each.step_id,
                    each.of_run,
                    SlotState.WAITING.value,
                    each.most,
                    each.when_full.value,
                    each.rate,
                    each.rate_seconds,
                )
                for each in slots
            ],
        )

    def hold(self, name: str) -> None:
        """Let nobody else give out slots of this name until the transaction ends."""
        self.connection.execute(_HOLD, {"name": name})

    def room(self, name: str) -> int:
        """How many of these slots may be given out now."""
        self.connection.execute(_FORGET, {"name": name})
        row = self.connection.execute(_ROOM, {"name": name}).one()
        free = [
            most - used for most, used in ((row.most, row.held), (row.rate, row.counted)) if most is not None
        ]
        return max(min(free, default=0), 0)

    def waiting(self, name: str, limit: int) -> list[WaitingSlot]:
        """Who waits for these slots, in the order in which they asked."""
        rows = self.connection.execute(_NEXT, {"name": name, "limit": limit})
        return [WaitingSlot(**row._mapping) for row in rows]

    def holders(self, name: str, limit: int) -> list[str]:
        """The runs that hold these slots, the first to have asked first."""
        return list(self.connection.execute(_HOLDERS, {"name": name, "limit": limit}).scalars())

    def grant(self, slot_ids: Iterable[int]) -> frozenset[int]:
        """Give out these slots, whose runs are locked; those that still wait."""
        return frozenset(self.connection.execute(_GRANT, {"ids": list(slot_ids)}).scalars())

    def release_steps(self, step_ids: Sequence[int]) -> frozenset[str]:
        """Give back the slots of steps that have ended; their names."""
        return frozenset(self.connection.execute(_RELEASE_STEPS, {"ids": list(step_ids)}).scalars())

    def open_names(self, limit: int) -> list[str]:
        """The names of which slots are waited for although there is room."""
        return list(self.connection.execute(_OPEN_NAMES, {"limit": limit}).scalars())
