"""The checker: what must be true of every order and of the whole fleet, whatever was killed on the way."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from statemachine.orders.states import Event, State
from storage.core.unit_of_work import UnitOfWork
from storage.orders.consistency.ledger import WholeLedger
from storage.orders.consistency.violations import Consistency
from storage.orders.contacts.contact import Contact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders
from tests.support.fleet.scripted_orders import Script, ScriptedOrder

_TABLE_OF = {
    "update_appointment": "appointments",
    "notify_engineer": "engineer_notices",
    "cancel_order": "cancellations",
    "schedule_followup": "followups",
}
_ENDED = frozenset({"done", "failed", "cancelled"})


def faults_of(work: UnitOfWork, orders: Sequence[ScriptedOrder]) -> list[str]:
    """Everything that is not as it would be had nothing happened, in words; nothing when all is well."""
    faults = [fault for order in orders for fault in _faults_of_order(work, order)]
    ids = {order.task_id for order in orders}
    faults += [str(broken) for broken in Consistency(work).violations() if broken.subject in ids]
    unaccounted = WholeLedger(work).look().unaccounted
    if unaccounted:
        faults.append(f"{unaccounted} orders are neither closed nor open nor in review")
    return faults


def _faults_of_order(work: UnitOfWork, order: ScriptedOrder) -> Iterator[str]:
    task_id, script = order.task_id, order.script
    found = Orders(work).find([task_id]).get(task_id)
    if found is None:
        yield f"{task_id} was never accepted"
        return
    if (found.status, found.finish_reason) != (State.CLOSED, script.finish_reason):
        yield f"{task_id} is {found.status} ({found.finish_reason}), not closed ({script.finish_reason})"
    moves = OrderView(work).transitions(task_id)
    steps = OrderView(work).steps(found.run_id)
    contacts = Contacts(work).of_task(task_id)
    lines = Counter(line["event_type"] for line in OrderView(work).audit_lines(task_id))
    for fault in (
        *_other_way(moves, script),
        *_contacts(contacts, script),
        *_actions(work, task_id, script),
        *_audit(lines, moves, contacts, script),
        *_open(steps),
    ):
        yield f"{task_id}: {fault}"


def _other_way(moves: Sequence[Mapping[str, Any]], script: Script) -> Iterator[str]:
    events = tuple(move["event"] for move in moves)
    if events != script.events:
        yield f"went {' → '.join(events)} instead of {' → '.join(script.events)}"


def _contacts(contacts: Sequence[Contact], script: Script) -> Iterator[str]:
    if len(contacts) != script.contacts:
        yield f"{len(contacts)} contacts instead of {script.contacts}"
    for contact in contacts:
        if contact.status != "concluded":
            yield f"contact {contact.key} is still {contact.status}"


def _actions(work: UnitOfWork, task_id: str, script: Script) -> Iterator[str]:
    rows = work.connection.exec_driver_sql("SELECT action_type FROM actions WHERE task_id = %s", (task_id,))
    taken = sorted(row.action_type for row in rows)
    if taken != sorted(script.actions):
        yield f"took the actions {taken} instead of {sorted(script.actions)}"
    for action, table in _TABLE_OF.items():
        done = int(_value(work, f"SELECT count(*) FROM {table} WHERE task_id = %s", (task_id,)))
        if done != script.actions.count(action):
            yield f"{done} rows in {table} instead of {script.actions.count(action)}"


def _audit(
    lines: Counter[str], moves: Iterable[Mapping[str, Any]], contacts: Sequence[Contact], script: Script
) -> Iterator[str]:
    made = Counter(move["event"] for move in moves)
    wanted = {
        "task_received": 1,
        "task_validated": 1,
        "contact_result": sum(contact.status == "concluded" for contact in contacts),
        "contact_retry": made[Event.CONTACT_RETRY],
        "intent_classified": made[Event.TRIAGE_COMPLETE],
        "followup_reached": made[Event.FOLLOWUP_TIME_REACHED],
        "action_executed": len(script.actions),
        "task_completed": 1,
    }
    for kind, number in wanted.items():
        if lines[kind] != number:
            yield f"{lines[kind]} audit lines {kind} instead of {number}"
    # A call whose report was found by asking was never waited for, and has no line of its beginning.
    if lines["contact_initiated"] > len(contacts):
        yield f"{lines['contact_initiated']} audit lines contact_initiated for {len(contacts)} contacts"
    unknown = lines.keys() - wanted.keys() - {"contact_initiated"}
    if unknown:
        yield f"unexpected audit lines {sorted(unknown)}"


def _open(steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for step in steps:
        if step["state"] not in _ENDED:
            yield f"step {step['node']} is still {step['state']}"
        elif step["state"] != "done":
            yield f"step {step['node']} is {step['state']}: {step['error']}"


def _value(work: UnitOfWork, statement: str, parameters: tuple[object, ...] = ()) -> Any:
    return work.connection.exec_driver_sql(statement, parameters).scalar_one()
