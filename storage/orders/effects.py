"""The writers of what the steps of orders return: every effect of a batch in one statement a table (SPEC.md §3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table

from schemas.core.effects import Effect
from schemas.orders.effects import (
    AppointmentBooked,
    EngineerNotified,
    FollowupScheduled,
    Move,
    OrderCancelled,
)
from statemachine.orders.machine import IllegalTransition
from statemachine.orders.states import CUTS_SHORT, Event
from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import UnitOfWork
from storage.orders.actions import Actions
from storage.orders.orders import Orders
from storage.orders.places import Changes, NoPlaceLeft, Places
from storage.orders.tables import appointments, cancellations, engineer_notices, followups
from storage.outbound.notices import OF_ENGINEERS


def _writer(table: Table, *columns: str) -> BulkInsert:
    if table is engineer_notices:
        returned = "action_id, task_id, order_id, engineer_id, message"
        return BulkInsert(
            table, columns, stamped="at", on_conflict=" ", returning=returned, then=OF_ENGINEERS
        )
    return BulkInsert(table, columns, stamped="at", on_conflict=" ")


_EVIDENCE: Mapping[type[Effect], tuple[BulkInsert, tuple[str, ...]]] = {
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

MOVING = (Move, AppointmentBooked, OrderCancelled)
"""What moves orders or takes places; `move` writes them together, since the one refuses the other."""

CARRIED_OUT = (EngineerNotified, FollowupScheduled)
"""What else an action did, as our own tables keep it."""


def move(
    work: UnitOfWork, effects: Sequence[tuple[int, Effect]]
) -> dict[int, IllegalTransition | NoPlaceLeft]:
    """Move orders, book visits and cancel; a step with a move or a place that cannot be had writes nothing.

    Returns:
        The refused steps with the reason.
    """
    moves = [(step_id, effect) for step_id, effect in effects if isinstance(effect, Move)]
    places, changes = Places(work), _changes(effects, moves)
    full = places.judge(changes)
    by_task = Orders(work).move([move for step_id, move in moves if step_id not in full])
    cut_short = {move.task_id for _, move in moves if move.event in CUTS_SHORT} - by_task.keys()
    if cut_short:
        Actions(work).flag_unmatched(cut_short)
    refused: dict[int, IllegalTransition | NoPlaceLeft] = {
        **full,
        **{step_id: by_task[move.task_id] for step_id, move in moves if move.task_id in by_task},
    }
    places.write(changes.without(refused))
    for kind in (AppointmentBooked, OrderCancelled):
        keep(work, [effect for step_id, effect in effects if type(effect) is kind and step_id not in refused])
    return refused


def keep(work: UnitOfWork, effects: Sequence[Effect]) -> None:
    """Write what actions did, in the table of each kind."""
    for kind in dict.fromkeys(type(effect) for effect in effects):
        insert, columns = _EVIDENCE[kind]
        own = [effect for effect in effects if type(effect) is kind]
        insert(work.connection, [tuple(getattr(effect, column) for column in columns) for effect in own])


def _changes(effects: Sequence[tuple[int, Any]], moves: Sequence[tuple[int, Move]]) -> Changes:
    """What these effects do to the engineers' places."""
    return Changes(
        booked=[(step_id, effect) for step_id, effect in effects if isinstance(effect, AppointmentBooked)],
        orders=[
            (step_id, effect.order_id) for step_id, effect in effects if isinstance(effect, OrderCancelled)
        ],
        tasks=[(step_id, move.task_id) for step_id, move in moves if move.event is Event.CANCEL],
    )
