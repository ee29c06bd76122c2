"""The writers of what steps return: every effect of a batch in one statement a table (SPEC.md §3)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from schemas.orders.effects import (
    ActionTaken,
    AlertRaised,
    AppointmentBooked,
    Audit,
    ContactNoted,
    DoNotCallAdded,
    Effect,
    EngineerNotified,
    FollowupScheduled,
    Move,
    OrderCancelled,
    OrderNoted,
    ProductEvent,
)
from statemachine.orders.machine import IllegalTransition
from statemachine.orders.states import Event
from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.orders.contacts.contacts import Contacts
from storage.orders.contacts.do_not_call import DoNotCall
from storage.orders.orders import Orders
from storage.orders.places import Changes, NoPlaceLeft, Places
from storage.orders.tables import actions, appointments, cancellations, engineer_notices, followups
from storage.orders.timeline import Timeline
from storage.outbound.notices import OF_ENGINEERS
from storage.people.alerts import Alerts


def _writer(table: Table, *columns: str) -> BulkInsert:
    if table is engineer_notices:
        returned = "action_id, order_id, engineer_id, message"
        return BulkInsert(
            table, columns, stamped="at", on_conflict=" ", returning=returned, then=OF_ENGINEERS
        )
    return BulkInsert(table, columns, stamped="at", on_conflict=" ")


_ACTIONS = BulkInsert(
    actions,
    ("action_id", "task_id", "action_type", "key", "parameters", "result", "status"),
    stamped="at",
    on_conflict="(key)",
)
_BUILT_IN: Mapping[type[Any], tuple[BulkInsert, tuple[str, ...]]] = {
    kind: (_writer(table, *columns), columns)
    for kind, table, columns in (
        (
            AppointmentBooked,
            appointments,
            ("action_id", "task_id", "order_id", "visit_at", "engineer_id", "note", "region", "day", "slot"),
        ),
        (EngineerNotified, engineer_notices, ("action_id", "task_id", "order_id", "engineer_id", "message")),
        (OrderCancelled, cancellations, ("action_id", "task_id", "order_id", "reason")),
        (
            FollowupScheduled,
            followups,
            ("action_id", "task_id", "order_id", "followup_id", "followup_at", "reason"),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Effects(Repository):
    """Writes effects through the repositories that own the tables."""

    def apply(self, effects: Sequence[tuple[int, Effect]]) -> dict[int, IllegalTransition | NoPlaceLeft]:
        """Write effects, each given with its step; a step that cannot be written leaves nothing but evidence.

        Evidence is what was learned of the world (a contact was made): it is kept even then.

        Returns:
            The refused steps with the reason: an illegal move, or an appointment whose place is taken.
        """
        by_kind: defaultdict[type[Any], list[tuple[int, Any]]] = defaultdict(list)
        for step_id, effect in effects:
            by_kind[type(effect)].append((step_id, effect))
        moves = by_kind.pop(Move, [])
        changes = _changes(by_kind, moves)
        places = Places(self.work)
        full = places.judge(changes)
        illegal = self._move([(step_id, move) for step_id, move in moves if step_id not in full])
        refused: dict[int, IllegalTransition | NoPlaceLeft] = {**full, **illegal}
        places.write(changes.without(refused))
        Contacts(self.work).note([effect for _, effect in by_kind.pop(ContactNoted, [])])
        for kind, given in by_kind.items():
            self._write(kind, [effect for step_id, effect in given if step_id not in refused])
        return refused

    def _move(self, moves: list[tuple[int, Move]]) -> dict[int, IllegalTransition]:
        by_task = Orders(self.work).move([move for _, move in moves])
        return {step_id: by_task[move.task_id] for step_id, move in moves if move.task_id in by_task}

    def _write(self, kind: type[Any], effects: list[Any]) -> None:
        if kind is OrderNoted:
            Orders(self.work).note(effects)
        elif kind is Audit:
            Timeline(self.work).audit(effects)
        elif kind is ProductEvent:
            Timeline(self.work).tell(effects)
        elif kind is AlertRaised:
            Alerts(self.work).raise_all(effects)
        elif kind is DoNotCallAdded:
            DoNotCall(self.work).add_all(effects)
        elif kind is ActionTaken:
            _ACTIONS(
                self.connection,
                [
                    (e.action_id, e.task_id, e.action_type, e.key, e.parameters, e.result, "executed")
                    for e in effects
                ],
            )
        else:
            writer, columns = _BUILT_IN[kind]
            writer(self.connection, [tuple(getattr(e, column) for column in columns) for e in effects])


def _changes(by_kind: Mapping[type[Any], list[tuple[int, Any]]], moves: list[tuple[int, Move]]) -> Changes:
    """What these effects do to the engineers' places."""
    return Changes(
        booked=by_kind.get(AppointmentBooked, ()),
        orders=[(step_id, off.order_id) for step_id, off in by_kind.get(OrderCancelled, ())],
        tasks=[(step_id, move.task_id) for step_id, move in moves if move.event is Event.CANCEL],
    )
