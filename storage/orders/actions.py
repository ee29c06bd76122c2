"""Actions on the order system: carried out, taken note of or not, and what people agreed to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from schemas.orders.effects import ActionTaken
from schemas.people.effects import AlertRaised
from statemachine.orders.states import State
from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.orders.tables import actions as actions_table
from storage.people.alerts import Alerts

UNMATCHED = "action_unmatched"
"""The alert that the order system did something for an order that has ended otherwise."""

# What another system was known to have done already, the order takes note of now.
_RECORD = BulkInsert(
    actions_table,
    ("action_id", "task_id", "action_type", "key", "parameters", "result", "status"),
    stamped="at",
    on_conflict="(key)",
    update=(
        "action_id = excluded.action_id, result = excluded.result, status = excluded.status "
        "WHERE actions.status = 'performed' AND excluded.status = 'executed'"
    ),
)
_FLAG_UNMATCHED = text(
    f"""
    UPDATE actions SET status = 'unmatched' FROM tasks
    WHERE actions.task_id = ANY(:tasks) AND actions.status = 'performed'
      AND tasks.task_id = actions.task_id AND tasks.status = '{State.CLOSED.value}'
    RETURNING actions.action_id, actions.task_id, actions.action_type
    """
)
_FIND = text(
    "SELECT a.action_id, a.task_id, t.order_id, a.action_type, a.key, a.status FROM actions a "
    "JOIN tasks t USING (task_id) WHERE a.task_id = :task_id AND a.action_id = :action_id"
)
_TAKE_BACK = text(
    "UPDATE actions SET status = 'taken_back' WHERE action_id = :action_id AND status = 'unmatched' RETURNING action_id"
)
_AGREED = text(
    """
    SELECT task_id, decided_by, context -> 'origin_input' AS given FROM reviews
    WHERE task_id = ANY(:tasks) AND reason = :reason AND state = 'decided'
      AND decision ->> 'decision' = 'retry' ORDER BY review_id
    """,
)
_SINCE = text(
    "SELECT action_type, count(*) AS times FROM actions "
    "WHERE action_type = ANY(:types) AND at >= :since GROUP BY action_type",
)


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's approval of a step that asked for it."""

    task_id: str
    decided_by: str
    given: Mapping[str, Any]
    """The input of the step they agreed to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAction:
    """An action on the order system.

    Its status: `executed` — the order took note of it; `performed` — the order system did it, and the order has not
    taken note of it (yet); `unmatched` — and the order has ended otherwise; `taken_back`.
    """

    action_id: str
    task_id: str
    order_id: str
    action_type: str
    key: str
    status: str


@dataclass(frozen=True, slots=True)
class Actions(Repository):
    """The only code that reads and writes `actions`."""

    def record(self, effects: Sequence[ActionTaken]) -> None:
        """Write actions under their keys; one that the order took note of already changes nothing."""
        self._write(effects)

    def keep_evidence(self, effects: Sequence[ActionTaken]) -> None:
        """Keep what another system did for a step that may not take note of it, with an alert where the order ended."""
        outside = [effect for effect in effects if effect.outside]
        if outside:
            self._write(outside, "performed")
            self.flag_unmatched({effect.task_id for effect in outside})

    def flag_unmatched(self, task_ids: Collection[str]) -> None:
        """Alert a person of what the order system did for those of these orders that have ended otherwise."""
        found = self.connection.execute(_FLAG_UNMATCHED, {"tasks": list(task_ids)}).all()
        if found:
            Alerts(self.work).raise_all(
                [_alert(row.task_id, row.action_id, row.action_type) for row in found]
            )

    def find(self, task_id: str, action_id: str) -> OrderAction | None:
        """The action with this id of an order."""
        row = self.connection.execute(_FIND, {"task_id": task_id, "action_id": action_id}).one_or_none()
        return None if row is None else OrderAction(**row._mapping)

    def take_back(self, action_id: str) -> bool:
        """Note that an unmatched action was taken back; `False` when it is none."""
        return self.connection.execute(_TAKE_BACK, {"action_id": action_id}).one_or_none() is not None

    def agreed(self, task_ids: Sequence[str], reason: str) -> list[Approval]:
        """What people agreed to in these tasks, when they were asked for this reason; the oldest first."""
        rows = self.connection.execute(_AGREED, {"tasks": list(task_ids), "reason": reason})
        return [Approval(row.task_id, row.decided_by, row.given or {}) for row in rows]

    def carried_out(self, action_types: Sequence[str], since: datetime) -> Mapping[str, int]:
        """How many actions of each of these types were carried out since this business time."""
        rows = self.connection.execute(_SINCE, {"types": list(action_types), "since": since})
        return {row.action_type: row.times for row in rows}

    def _write(self, effects: Sequence[ActionTaken], status: str | None = None) -> None:
        _RECORD(
            self.connection,
            [
                (e.action_id, e.task_id, e.action_type, e.key, e.parameters, e.result, status or e.status)
                for e in effects
            ],
        )


def _alert(task_id: str, action_id: str, action_type: str) -> AlertRaised:
    return AlertRaised(
        alert_type=UNMATCHED,
        severity="critical",
        message=f"任务已结束, 但订单系统已执行 {action_type} ({action_id}); 请核对, 必要时撤回该操作",
        task_id=task_id,
        escalated_to="duty_manager",
        metadata={"action_id": action_id, "action_type": action_type, "offer": "take_back"},
    )
