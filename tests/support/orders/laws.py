"""What holds of every order at every moment, whatever has happened to it."""

from collections import Counter
from collections.abc import Collection
from typing import Final

from statemachine.orders.machine import TRANSITIONS
from statemachine.orders.states import Event, State
from storage.engine.steps import Steps
from storage.orders.contacts.contacts import Contacts
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders
from storage.people.reviews import Reviews
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.ledger_channel import LedgerChannel
from tests.support.probe import Probe


def history_is_a_legal_path(house: InProcessFleet, task_ids: Collection[str]) -> None:
    """Transitions chain from `pending` to the order's state by rows of the table, and never fork."""
    with house.database.transaction() as work:
        orders = Orders(work).find(list(task_ids))
        histories = {task_id: OrderView(work).transitions(task_id) for task_id in task_ids}
    for task_id, history in histories.items():
        state, version = State.PENDING, 0
        for row in history:
            move = TRANSITIONS[State(row["from_state"]), Event(row["event"])]
            assert (row["from_state"], row["to_state"]) == (state, move.target)
            assert row["version"] == version + 1
            state, version = move.target, row["version"]
        assert (orders[task_id].status, orders[task_id].version) == (state, version)


def closed_is_final_and_leaves_nothing_open(house: InProcessFleet, task_ids: Collection[str]) -> None:
    """A closed order has a reason, no open step and no open question; an open one is waited for by something."""
    with house.database.transaction() as work:
        orders = Orders(work).find(list(task_ids))
        open_steps = {order.task_id: Steps(work).open_of(order.run_id) for order in orders.values()}
    assert orders.keys() == set(task_ids)
    for order in orders.values():
        if order.status is State.CLOSED:
            assert order.finish_reason
            assert order.finished_at
            # The last step of a run that closed its order is recorded in the same transaction.
            assert not open_steps[order.task_id]
        else:
            assert len(open_steps[order.task_id]) == 1


def no_attempt_is_made_twice(house: InProcessFleet, task_ids: Collection[str]) -> None:
    """At most one contact for each (task, round, contact number), and never more than the counts say."""
    with house.database.transaction() as work:
        orders = Orders(work).find(list(task_ids))
        contacts = [contact for task_id in task_ids for contact in Contacts(work).of_task(task_id)]
    attempts = [(c.task_id, c.round, c.contact_no) for c in contacts if c.direction == "outbound"]
    assert len(set(attempts)) == len(attempts)
    made = Counter(task_id for task_id, _, _ in attempts)
    assert all(made[task_id] <= order.contacts_total for task_id, order in orders.items())


def what_reached_a_customer_did_so_once_and_is_known(house: InProcessFleet, channel: LedgerChannel) -> None:
    """The provider's ledger has no key twice, and each is an attempt that may have left."""
    assert len(set(channel.reached)) == len(channel.reached), channel.reached
    with house.database.transaction() as work:
        known = {contact.key: contact.status for contact in Contacts(work).by_keys(channel.reached)}
    assert known.keys() == set(channel.reached)
    assert set(known.values()) <= {"sending", "sent", "concluded"}, known


def no_answer_is_lost(house: InProcessFleet, channel: LedgerChannel) -> None:
    """Once everything has been reported, each answer of a customer is kept with its contact."""
    answers = {key: report for key, report in channel.ended.items() if report.transcript}
    with house.database.transaction() as work:
        kept = {contact.key: contact.transcript for contact in Contacts(work).by_keys(list(answers))}
    assert kept == {key: report.transcript for key, report in answers.items()}


def nothing_is_told_twice_or_out_of_order(house: InProcessFleet) -> None:
    """No alert is raised twice, and of a contact nobody is told the result before its beginning."""
    for broken in (_ALERTS_TWICE, _LINES_OUT_OF_ORDER, _EVENTS_OUT_OF_ORDER):
        assert Probe(house.database).rows(broken) == []


def everybody_has_ended_or_waits_for_a_person(house: InProcessFleet, task_ids: Collection[str]) -> None:
    """Left alone, every order ends, or a person is asked."""
    for task_id in task_ids:
        with house.database.transaction() as work:
            waits_for_person = bool(Reviews(work).list(task_id=task_id))
        assert house.order(task_id).status is State.CLOSED or waits_for_person, house.steps(task_id)


_ALERTS_TWICE: Final = """
    SELECT alert_type, task_id, metadata, count(*) FROM alerts GROUP BY alert_type, task_id, metadata
    HAVING count(*) > 1
"""
_LINES_OUT_OF_ORDER: Final = """
    SELECT r.task_id, r.metadata FROM audit_logs r JOIN audit_logs i
      ON i.event_type = 'contact_initiated' AND i.metadata->>'contact_id' = r.metadata->>'contact_id'
    WHERE r.event_type = 'contact_result' AND r.position < i.position
"""
_EVENTS_OUT_OF_ORDER: Final = """
    SELECT task_id, before, event_type FROM (
        SELECT task_id, event_type, lag(event_type) OVER (PARTITION BY task_id ORDER BY feed_order, event_id) AS before
        FROM events) AS told
    WHERE before = 'customer_responded' AND event_type IN ('contact_initiated', 'customer_silent')
"""
