"""Orders as people look for them: by state, by what they wait for, by where they came in; counted by the same rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from statemachine.orders.states import State
from storage.core.unit_of_work import Repository
from storage.engine.states import (
    ENDED,
    LEASED,
    OFFERED,
    PARKED,
    PUBLISHED,
    READY,
    RUN_PAUSED,
    RUNS_OPEN,
    SCHEDULED,
)

# The same order as in `tasks.orders.explain.status`: what is at work before what waits, a person's step last.
_FOREMOST: Final = f"""
    LEFT JOIN LATERAL (
        SELECT s.step_id, s.node, s.kind, s.state, s.tries, s.due_clock, s.error ->> 'code' AS code
        FROM steps s WHERE s.run_id = t.run_id AND s.state NOT IN ({ENDED})
        ORDER BY s.kind = 'human',
            array_position(CAST(ARRAY[{LEASED}, {PUBLISHED}, {READY}, {PARKED}, {OFFERED}, {SCHEDULED}] AS text[]),
                CAST(s.state AS text)),
            s.due_at NULLS FIRST, s.step_id LIMIT 1
    ) AS foremost ON t.finished_at IS NULL
"""
_NOT_BEFORE: Final = """
    (SELECT step ->> 'not_before' FROM definitions d, json_array_elements(d.body -> 'steps') AS step
     WHERE d.workflow = r.workflow AND d.version = r.version AND step ->> 'id' = foremost.node LIMIT 1)
"""
_LAST_METHOD: Final = """
    (SELECT CASE WHEN last.step_id <> foremost.step_id THEN 'signal'
        WHEN last.contact_method = 'phone' THEN 'call_result' ELSE 'answer' END
     FROM (SELECT c.step_id, c.contact_method FROM contact_logs c
           WHERE c.task_id = t.task_id AND c.direction = 'outbound'
           ORDER BY c.round DESC, c.contact_no DESC LIMIT 1) AS last)
"""
WAIT: Final = f"""
    CASE
        WHEN t.finished_at IS NOT NULL THEN 'nothing'
        WHEN r.state NOT IN ({RUNS_OPEN}) OR foremost.step_id IS NULL THEN 'fault'
        WHEN r.state = {RUN_PAUSED} THEN 'resume'
        WHEN foremost.kind = 'human' THEN 'person'
        WHEN foremost.state = {LEASED} THEN 'result'
        WHEN foremost.state = {PUBLISHED} THEN 'worker'
        WHEN foremost.state = {READY} THEN 'room'
        WHEN foremost.state = {OFFERED} THEN 'caller'
        WHEN foremost.state = {PARKED} AND t.status = '{State.PENDING}' THEN 'start'
        WHEN foremost.state = {PARKED} THEN coalesce({_LAST_METHOD}, 'signal')
        WHEN foremost.code = 'snoozed' AND foremost.due_clock = 'business' THEN 'permitted_time'
        WHEN foremost.code = 'snoozed' THEN 'look_again'
        WHEN foremost.code <> '' AND foremost.tries > 0 THEN 'retry'
        WHEN t.status = '{State.WAITING_FOLLOWUP}' THEN 'followup'
        WHEN t.status = '{State.NO_RESPONSE}' THEN 'next_attempt'
        WHEN {_NOT_BEFORE} = 'action_not_before' THEN 'undo_window'
        ELSE 'time'
    END
"""
"""What an order waits for, as `tasks.orders.explain.status.explain` says it of one."""

_WAITING: Final = f"tasks t JOIN runs r ON r.run_id = t.run_id {_FOREMOST}"
_COLUMNS: Final = (
    "t.task_id, t.order_id, t.status, t.round, t.contact_count, t.priority, t.user_intent_l1, t.user_intent_l2, "
    "t.finish_reason, t.next_contact_time, t.created_at"
)
_CONDITIONS: Final[Mapping[str, str]] = {
    "status": "t.status = :status",
    "reason": "t.finished_at IS NOT NULL AND coalesce(t.finish_reason, 'none') = :reason",
    "source": "t.source = :source",
    "named": "(t.order_id = :named OR t.task_id = :named)",
}
_OF_ALL: Final = ("nothing", "open")
"""Waits that stand for closed orders, and for all that are not."""
_CLOSED_BY_REASON = text(
    "SELECT coalesce(finish_reason, 'none') AS name, count(*) AS orders FROM tasks "
    "WHERE finished_at IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
)
_OPEN_BY_WAIT = text(
    f"SELECT {WAIT} AS name, count(*) AS orders FROM {_WAITING} WHERE t.finished_at IS NULL "
    "GROUP BY 1 ORDER BY 2 DESC, 1"
)
_BY_SOURCE = text("SELECT source AS name, count(*) AS orders FROM tasks GROUP BY 1 ORDER BY 2 DESC, 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders are asked for."""

    status: str | None = None
    wait: str | None = None
    """What they wait for; `nothing`: those that are closed, `open`: all others."""
    reason: str | None = None
    """Why they were closed."""
    source: str | None = None
    """Where they came in."""
    named: str | None = None
    """Upstream's order id, or ours of the task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedOrder:
    """An order as a list shows it."""

    task_id: str
    order_id: str
    status: str
    round: int
    contact_count: int
    priority: int
    user_intent_l1: str | None
    user_intent_l2: str | None
    finish_reason: str | None
    next_contact_time: datetime | None
    created_at: datetime
    wait: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAccounts:
    """The orders of the ledger, by name of the account: each adds up to all of its kind."""

    accepted: Mapping[str, int]
    """By where they came in."""
    closed: Mapping[str, int]
    """By why."""
    open: Mapping[str, int]
    """By what they wait for."""

    @property
    def difference(self) -> int:
        """Orders that were accepted and are in none of the accounts; any number but 0 is a fault."""
        return sum(self.accepted.values()) - sum(self.closed.values()) - sum(self.open.values())


@dataclass(frozen=True, slots=True)
class ListedOrders(Repository):
    """Read-only queries."""

    def page(
        self, filters: OrderFilter, *, after: tuple[datetime, str] | None, limit: int
    ) -> list[ListedOrder]:
        """The orders that pass, the newest first, from behind this place on."""
        conditions, values = _where(filters)
        if after is not None:
            conditions.append("(t.created_at, t.task_id) < (:at, :name)")
            values |= {"at": after[0], "name": after[1]}
        statement = text(
            f"SELECT {_COLUMNS}, {WAIT} AS wait FROM {_WAITING} WHERE {_all(conditions)} "
            "ORDER BY t.created_at DESC, t.task_id DESC LIMIT :limit"
        )
        rows = self.connection.execute(statement, {**values, "limit": limit})
        return [ListedOrder(**row._mapping) for row in rows]

    def count(self, filters: OrderFilter) -> int:
        """How many orders pass: as many as all the pages together have."""
        conditions, values = _where(filters)
        source = "tasks t" if filters.wait in (None, *_OF_ALL) else _WAITING
        statement = text(f"SELECT count(*) FROM {source} WHERE {_all(conditions)}")
        return int(self.connection.execute(statement, values).scalar_one())

    def accounts(self) -> OrderAccounts:
        """Where every order came from, and where it is."""
        return OrderAccounts(
            accepted=self._counts(_BY_SOURCE),
            closed=self._counts(_CLOSED_BY_REASON),
            open=self._counts(_OPEN_BY_WAIT),
        )

    def _counts(self, statement: Any) -> dict[str, int]:
        return {row.name: row.orders for row in self.connection.execute(statement)}


def _where(filters: OrderFilter) -> tuple[list[str], dict[str, object]]:
    values: dict[str, object] = {
        name: value for name in _CONDITIONS if (value := getattr(filters, name)) is not None
    }
    conditions = [_CONDITIONS[name] for name in values]
    if filters.wait is not None:
        conditions.append(f"t.finished_at IS {'NOT ' if filters.wait == 'nothing' else ''}NULL")
        if filters.wait not in _OF_ALL:
            conditions.append(f"{WAIT} = :wait")
            values["wait"] = filters.wait
    return conditions, values


def _all(conditions: Sequence[str]) -> str:
    return " AND ".join(conditions) or "true"
