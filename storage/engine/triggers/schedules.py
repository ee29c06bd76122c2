"""Schedules: when the triggers of active workflows that go by the clock are due next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text

from storage.core.bulk import BulkInsert, dump_json
from storage.core.unit_of_work import Repository
from storage.engine.states import RUNS_OPEN
from storage.engine.triggers.trigger_tables import schedules as schedules_table

_FIELDS: Final = "workflow, position, version, cron, timezone, next_due, last_due, last_run_id, queued"
_IS_OPEN: Final = (
    f"EXISTS (SELECT FROM runs WHERE runs.run_id = schedules.last_run_id AND runs.state IN ({RUNS_OPEN}))"
)


def is_due(now: str) -> str:
    """The condition of a schedule for which a run can begin, in SQL; `now` is the business time, in SQL too."""
    return f"(next_due <= {now} OR (queued <> '[]' AND NOT {_IS_OPEN}))"


# A version whose times are those of the one before goes on where that stands.
_PUT = BulkInsert(
    schedules_table,
    ("workflow", "position", "version", "cron", "timezone", "next_due"),
    on_conflict="(workflow, position)",
    update="version = excluded.version, cron = excluded.cron, timezone = excluded.timezone, "
    "next_due = CASE WHEN (schedules.cron, schedules.timezone) = (excluded.cron, excluded.timezone) "
    "THEN schedules.next_due ELSE excluded.next_due END",
)
_REMOVE = text(
    "DELETE FROM schedules WHERE workflow = :workflow AND NOT position = ANY(CAST(:positions AS smallint[]))"
)
_DUE = text(f"SELECT workflow, position FROM schedules WHERE {is_due(':now')} ORDER BY next_due LIMIT :limit")
_LOCK_DUE = text(
    f"SELECT {_FIELDS}, {_IS_OPEN} AS is_open FROM schedules "
    f"WHERE workflow = :workflow AND position = :position AND {is_due(':now')} FOR UPDATE SKIP LOCKED"
)
_ADVANCE = text(
    "UPDATE schedules SET next_due = :next_due, last_due = coalesce(:last_due, last_due), "
    "last_run_id = coalesce(:run_id, last_run_id), queued = CAST(:queued AS jsonb) "
    "WHERE workflow = :workflow AND position = :position"
)
_LIST = text(f"SELECT {_FIELDS}, {_IS_OPEN} AS is_open FROM schedules ORDER BY workflow, position")


@dataclass(frozen=True, slots=True, order=True)
class ScheduleKey:
    """Which trigger of which workflow."""

    workflow: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSchedule:
    """A schedule of the version that new runs begin with."""

    workflow: str
    position: int
    version: str
    cron: str
    timezone: str
    next_due: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """A schedule as it stands."""

    workflow: str
    position: int
    version: str
    cron: str
    timezone: str
    next_due: datetime | None
    last_due: datetime | None
    """The last time for which a run was begun."""
    last_run_id: str | None
    queued: tuple[datetime, ...]
    """Times whose runs wait for the one before to end, the oldest first."""
    is_open: bool
    """Whether the run that was begun last is still open."""

    @property
    def key(self) -> ScheduleKey:
        """Which trigger it is of."""
        return ScheduleKey(self.workflow, self.position)


@dataclass(frozen=True, slots=True)
class Schedules(Repository):
    """The only code that reads or writes `schedules`."""

    def replace(self, workflow: str, schedules: Sequence[NewSchedule]) -> None:
        """Let a workflow have these schedules and no others; one that is the same goes on where it stands."""
        positions = [each.position for each in schedules]
        self.connection.execute(_REMOVE, {"workflow": workflow, "positions": positions})
        _PUT(
            self.connection,
            [
                (each.workflow, each.position, each.version, each.cron, each.timezone, each.next_due)
                for each in schedules
            ],
        )

    def due(self, now: datetime, limit: int) -> list[ScheduleKey]:
        """Those that are due at this business time, or whose queued run can begin."""
        return [ScheduleKey(*row) for row in self.connection.execute(_DUE, {"now": now, "limit": limit})]

    def lock_due(self, key: ScheduleKey, now: datetime) -> ScheduleRow | None:
        """Lock one that is due; `None` when it is no more, or another has it."""
        place = {"workflow": key.workflow, "position": key.position, "now": now}
        row = self.connection.execute(_LOCK_DUE, place).one_or_none()
        return None if row is None else _schedule(row)

    def advance(
        self,
        key: ScheduleKey,
        *,
        next_due: datetime | None,
        queued: Sequence[datetime] = (),
        last_due: datetime | None = None,
        run_id: str | None = None,
    ) -> None:
        """Write when a locked schedule is due next, what waits, and the run that was begun last, if one was."""
        self.connection.execute(
            _ADVANCE,
            {
                "workflow": key.workflow,
                "position": key.position,
                "next_due": next_due,
                "queued": dump_json(list(queued)),
                "last_due": last_due,
                "run_id": run_id,
            },
        )

    def all(self) -> list[ScheduleRow]:
        """Every schedule, by workflow."""
        return [_schedule(row) for row in self.connection.execute(_LIST)]


def _schedule(row: Row[Any]) -> ScheduleRow:
    return ScheduleRow(
        **{**row._mapping, "queued": tuple(datetime.fromisoformat(moment) for moment in row.queued)}
    )
