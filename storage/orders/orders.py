"""Suspended orders: accepted once; their state changes only by the transition table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import text

from runtime.cipher import Sealed
from runtime.ids import Prefix, new_id
from schemas.orders.effects import Move, OrderNoted
from statemachine.orders.guards import Facts
from statemachine.orders.machine import IllegalTransition, transition
from statemachine.orders.states import Event, State
from storage.core.bulk import BulkInsert, recordset, rows_of
from storage.core.unit_of_work import Repository
from storage.orders.order import NewOrder, Order, sealed_place
from storage.orders.tables import tasks as tasks_table
from storage.orders.tables import transitions as transitions_table

_INSERT = BulkInsert(
    tasks_table,
    (
        "task_id", "order_id", "order_type", "status", "contact_count", "max_contacts", "last_contact_time",
        "metadata", "priority", "mode", "run_id", "phone", "phone_index", "digest", "source",
        "personal",
    ),
    stamped="created_at",
    on_conflict=" ",
    returning="task_id",
)  # fmt: skip
_INSERT_TRANSITIONS = BulkInsert(
    transitions_table,
    ("transition_id", "task_id", "version", "from_state", "event", "to_state", "agent_id", "metadata"),
    stamped="at",
)
# In the order of the fields of `Order`.
_FIND = text(
    "SELECT status, phone, digest, task_id, order_id, order_type, contact_count, max_contacts, last_contact_time, "
    "next_contact_time, user_intent_l1, user_intent_l2, CAST(confidence AS double precision) AS confidence, "
    "created_at, updated_at, finished_at, finish_reason, metadata, version, round, contacts_total, priority, mode, "
    "run_id, phone_index, followup_rule FROM tasks WHERE task_id = ANY(:ids)"
)
_OPEN_ORDERS = text("SELECT order_id, task_id FROM tasks WHERE order_id = ANY(:ids) AND finished_at IS NULL")
_UPDATED = (
    "task_id", "status", "version", "round", "contact_count", "contacts_total", "last_contact_time",
    "next_contact_time", "user_intent_l1", "user_intent_l2", "confidence", "finish_reason",
    "followup_rule",
)  # fmt: skip
_LOCK = text(
    f"SELECT {', '.join(_UPDATED)}, max_contacts, (SELECT business_now()) AS now, EXISTS (SELECT FROM reviews r "
    "WHERE r.task_id = tasks.task_id AND r.state = 'open') AS review_open "
    "FROM tasks WHERE task_id = ANY(:ids) ORDER BY task_id FOR NO KEY UPDATE",
)
_UPDATE = text(
    f"""
    UPDATE tasks SET {", ".join(f"{column} = c.{column}" for column in _UPDATED[1:])},
        updated_at = (SELECT business_now()),
        finished_at = CASE WHEN c.status = 'closed' THEN coalesce(tasks.finished_at, (SELECT business_now())) END
    FROM {recordset(tasks_table, _UPDATED, from_version="integer")}
    WHERE tasks.task_id = c.task_id AND tasks.version = c.from_version
    """,
)
_OPEN_WITH_NUMBER = text(
    "SELECT task_id FROM tasks WHERE phone_index = ANY(:numbers) AND finished_at IS NULL "
    "ORDER BY coalesce(last_contact_time, created_at) DESC, task_id DESC LIMIT 1",
)
_SET_PHONE = text(
    "UPDATE tasks SET phone = :sealed, phone_index = :index, updated_at = (SELECT business_now()), "
    "metadata = metadata || jsonb_build_object('phone', CAST(:masked AS text)) WHERE task_id = :task_id",
)
_SET_PRIORITY = text(
    "UPDATE tasks SET priority = :priority, updated_at = (SELECT business_now()) WHERE task_id = :task_id",
)
_COUNTS = text("SELECT status, count(*) AS rows FROM tasks GROUP BY status")
_OPEN = text("SELECT count(*) FROM tasks WHERE finished_at IS NULL")

_CHANGEABLE = frozenset(_UPDATED[6:])
"""The columns an effect may set; the others follow from the event."""


@dataclass(slots=True)
class _LockedOrder:
    """An order under lock while moves are folded into it."""

    row: Any
    status: State
    version: int
    round: int
    contact_count: int
    contacts_total: int
    changes: dict[str, object]

    @classmethod
    def of(cls, row: Any, changes: dict[str, object]) -> Self:
        """As the row is under its lock, with changes that are to be made."""
        status = State(row.status)
        return cls(row, status, row.version, row.round, row.contact_count, row.contacts_total, changes)


@dataclass(frozen=True, slots=True)
class Orders(Repository):
    """The only code that writes `tasks` and `transitions`."""

    def insert(self, orders: Sequence[NewOrder]) -> frozenset[str]:
        """Insert orders as `pending`; the ids of those that were new."""
        rows = [
            (
                order.task_id,
                order.order_id,
                order.order_type,
                State.PENDING.value,
                order.contact_count,
                order.max_contacts,
                order.last_contact_time,
                order.metadata,
                order.priority,
                order.mode,
                order.run_id,
                self._sealed(order.phone, sealed_place("phone", order.task_id)),
                order.phone_index,
                self.cipher.encrypt(order.digest.hex(), sealed_place("digest", order.task_id)),
                order.source,
                self._sealed(order.personal, sealed_place("personal", order.task_id)),
            )
            for order in orders
        ]
        return frozenset(str(row[0]) for row in _INSERT(self.connection, rows))

    def find(self, task_ids: Sequence[str]) -> dict[str, Order]:
        """The orders with these ids."""
        rows = self.connection.execute(_FIND, {"ids": list(task_ids)}).all()
        return {order.task_id: order for order in map(self._order, rows)}

    def open_for(self, order_ids: Sequence[str]) -> dict[str, str]:
        """The open task of each of these order ids."""
        return {
            row.order_id: row.task_id
            for row in self.connection.execute(_OPEN_ORDERS, {"ids": list(order_ids)})
        }

    def open_with_number(self, marks: Sequence[bytes]) -> str | None:
        """The open order of the number with these marks that was last in touch with its customer."""
        found = self.connection.execute(_OPEN_WITH_NUMBER, {"numbers": list(marks)}).scalar_one_or_none()
        return None if found is None else str(found)

    def move(self, moves: Sequence[Move]) -> dict[str, IllegalTransition]:
        """Apply events in the order given; an order whose event is not allowed keeps its state.

        Returns:
            For each refused order the reason; none of its moves was applied.
        """
        wanted = sorted({move.task_id for move in moves})
        if not wanted:
            return {}
        locked = {
            row.task_id: _LockedOrder.of(row, {})
            for row in self.connection.execute(_LOCK, {"ids": wanted}).all()
        }
        history: dict[str, list[tuple[object, ...]]] = {}
        refused: dict[str, IllegalTransition] = {}
        for move in moves:
            order = locked[move.task_id]
            try:
                history.setdefault(move.task_id, []).append(_fold(order, move))
            except IllegalTransition as error:
                refused[move.task_id] = error
        kept = [order for task_id, order in locked.items() if task_id not in refused]
        self._update(kept)
        rows = [row for task_id, made in history.items() if task_id not in refused for row in made]
        _INSERT_TRANSITIONS(self.connection, rows)
        return refused

    def note(self, notes: Sequence[OrderNoted]) -> None:
        """Set columns of orders without a change of state."""
        changes = {note.task_id: note.changes for note in notes}
        locked = self.connection.execute(_LOCK, {"ids": sorted(changes)}).all()
        self._update([_LockedOrder.of(row, _changeable(changes[row.task_id])) for row in locked])

    def set_phone(self, task_id: str, phone: str, masked: str, index: bytes | None) -> None:
        """Give an order another number; encrypted at rest, in its metadata only `masked` is shown."""
        sealed = self.cipher.encrypt(phone, sealed_place("phone", task_id))
        changed = {"task_id": task_id, "sealed": sealed, "masked": masked, "index": index}
        self.connection.execute(_SET_PHONE, changed)

    def set_priority(self, task_id: str, priority: int) -> None:
        """Give an order another priority; its run and steps have their own."""
        self.connection.execute(_SET_PRIORITY, {"task_id": task_id, "priority": priority})

    def counts(self) -> dict[str, int]:
        """Orders by state."""
        return {row.status: row.rows for row in self.connection.execute(_COUNTS)}

    def open_count(self) -> int:
        """How many orders are not closed."""
        return int(self.connection.execute(_OPEN).scalar_one())

    def _sealed(self, text: str | None, place: str) -> bytes | None:
        return None if text is None else self.cipher.encrypt(text, place)

    def _update(self, orders: Sequence[_LockedOrder]) -> None:
        if not orders:
            return
        rows = [(*_updated(order), order.row.version) for order in orders]
        written = self.connection.execute(_UPDATE, rows_of((*_UPDATED, "from_version"), rows))
        # No index over all months guards the versions of an order; this does, with the rows that are held.
        if written.rowcount != len(rows):
            raise RuntimeError(f"{len(rows) - written.rowcount} orders changed while they were held")

    def _order(self, row: Any) -> Order:
        status, phone, digest, task_id, *further = row
        return Order(
            State(status),
            None if phone is None else Sealed(phone, sealed_place("phone", task_id), self.cipher),
            Sealed(digest, sealed_place("digest", task_id), self.cipher),
            task_id,
            *further,
        )


def _updated(order: _LockedOrder) -> tuple[object, ...]:
    """The columns of `_UPDATED`, in their order."""
    own = (
        order.row.task_id,
        order.status,
        order.version,
        order.round,
        order.contact_count,
        order.contacts_total,
    )
    return (*own, *(order.changes.get(name, getattr(order.row, name)) for name in _UPDATED[len(own) :]))


def _fold(order: _LockedOrder, move: Move) -> tuple[object, ...]:
    """Apply one move to an order under lock; the row of history it leaves."""
    merged = {**order.changes, **_changeable(move.changes)}
    confidence = merged.get("confidence", order.row.confidence)
    facts = Facts(
        contact_count=order.contact_count,
        max_contacts=order.row.max_contacts,
        confidence=None if confidence is None else float(confidence),  # type: ignore[arg-type]
        decided_by_person=move.decided_by_person,
        permitted=move.permitted,
        next_contact_time=merged.get("next_contact_time", order.row.next_contact_time),  # type: ignore[arg-type]
        now=order.row.now,
        review_open=order.row.review_open or move.decided_by_person,
        reason=move.reason,
    )
    row = transition(order.status, move.event, facts)
    order.status = row.target
    order.version += 1
    order.changes = merged
    if row.target is State.CONTACTING:
        new_round = move.event in (Event.START, Event.FOLLOWUP_TIME_REACHED)
        order.round += new_round
        order.contact_count = 1 if move.event is Event.FOLLOWUP_TIME_REACHED else order.contact_count + 1
        order.contacts_total += 1
        order.changes["next_contact_time"] = None
    return (
        new_id(Prefix.TRANSITION),
        move.task_id,
        order.version,
        row.source.value,
        row.event.value,
        row.target.value,
        move.agent_id,
        move.metadata,
    )


def _changeable(changes: Mapping[str, object]) -> dict[str, object]:
    unknown = changes.keys() - _CHANGEABLE
    if unknown:
        raise ValueError(f"an effect cannot set {', '.join(sorted(unknown))} of an order")
    return dict(changes)
