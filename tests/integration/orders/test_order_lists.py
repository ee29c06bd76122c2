"""Lists of orders and attempts: every row waits for what its explanation says, and every number is a list's length."""

from collections import Counter

import pytest

from statemachine.orders.states import State
from storage.orders.lists.attempt_list import AttemptOutcome
from storage.orders.lists.order_list import ListedOrder, OrderFilter
from tasks.orders.explain.explanation import Wait
from tasks.orders.explain.lists import LedgerReader, attempts_page, counted_orders_page, ledger_of
from tasks.orders.explain.situation import situation_of
from tasks.orders.explain.status import explain
from tasks.orders.people.intervention import cancel, pause
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered, silent, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe

UNCLEAR = "喂？听不清，你说什么"


@pytest.fixture
def orders(house: InProcessFleet) -> list[str]:
    """Orders that wait for as many things as can be had without a worker that dies."""
    made = [
        submission(answered(READY)),
        submission(answered(PARTS_MISSING)),
        submission(answered(PARTS_MISSING)),
        submission(answered(UNCLEAR)),
        submission(answered(CANCEL)),
        submission(silent(), silent()),
        submission(answered(READY), hold=True),
        submission(answered(READY), mode="manual"),
        submission(answered(READY)),
    ]
    house.accept(*made[:-1])
    house.run()
    names = [each.body.task_id for each in made]
    pause(house.engine, names[2], by="operator")
    house.accept(made[-1])
    cancelled = submission(answered(PARTS_MISSING))
    house.accept(cancelled)
    cancel(house.engine, cancelled.body.task_id, by="operator", reason="重复")
    return [*names, cancelled.body.task_id]


def test_a_list_says_of_every_order_what_its_explanation_says(
    house: InProcessFleet, orders: list[str]
) -> None:
    page, _ = counted_orders_page(house.database, OrderFilter(), after=None, limit=100)
    listed = {order.task_id: order.wait for order in page.orders}
    explained = {}
    with house.database.transaction() as work:
        for task_id in orders:
            situation = situation_of(work, task_id)
            assert situation is not None
            explained[task_id] = explain(situation).wait.value
    assert listed == explained
    assert {
        Wait.NOTHING, Wait.FOLLOWUP, Wait.RESUME, Wait.PERSON, Wait.UNDO_WINDOW, Wait.ANSWER, Wait.START,
        Wait.CALLER, Wait.WORKER,
    } <= set(listed.values())  # fmt: skip


SNOOZED = '{"code": "snoozed"}'
FAULT = '{"code": "calendar_away"}'


@pytest.mark.parametrize(
    ("wait", "status", "changes"),
    [
        (Wait.PERMITTED_TIME, State.CONTACTING, f"error = '{SNOOZED}'"),
        (Wait.LOOK_AGAIN, State.CONTACTING, f"error = '{SNOOZED}', due_clock = 'database'"),
        (Wait.RETRY, State.CLASSIFIED, f"error = '{FAULT}', tries = 1"),
        (Wait.FOLLOWUP, State.WAITING_FOLLOWUP, f"error = '{FAULT}', tries = 0"),
        (Wait.NEXT_ATTEMPT, State.NO_RESPONSE, "node = 'step4_retry_contact'"),
        (Wait.UNDO_WINDOW, State.CLASSIFIED, "node = 'step7_execute'"),
        (Wait.TIME, State.CLASSIFIED, "node = 'step5_triage'"),
        (Wait.CALL_RESULT, State.CONTACTING, "state = 'parked'"),
        (Wait.SIGNAL, State.CONTACTING, "state = 'parked'"),
        (
            Wait.ROOM,
            State.RESPONDED,
            "state = 'ready', ready_at = created_at, due_at = NULL, due_clock = NULL",
        ),
        (
            Wait.FAULT,
            State.RESPONDED,
            "state = 'done', finished_at = created_at, due_at = NULL, due_clock = NULL",
        ),
    ],
)
def test_every_state_of_a_step_is_listed_as_it_is_explained(
    house: InProcessFleet, wait: Wait, status: State, changes: str
) -> None:
    order = submission(answered(PARTS_MISSING))
    house.accept(order)
    house.run()
    name, probe = order.body.task_id, Probe(house.database)
    probe.write("UPDATE tasks SET status = %s WHERE task_id = %s", status.value, name)
    if wait is Wait.CALL_RESULT:
        probe.write(
            "UPDATE contact_logs SET step_id = (SELECT max(step_id) FROM steps) WHERE task_id = %s", name
        )
    probe.write(
        f"UPDATE steps SET {changes} WHERE step_id = (SELECT max(step_id) FROM steps WHERE state = 'scheduled')"
    )
    page, _ = counted_orders_page(house.database, OrderFilter(), after=None, limit=100)
    with house.database.transaction() as work:
        situation = situation_of(work, name)
    assert situation is not None
    assert explain(situation).wait is wait
    assert [each.wait for each in page.orders] == [wait.value]


def test_every_number_of_the_ledger_is_the_length_of_its_list(
    house: InProcessFleet, orders: list[str]
) -> None:
    ledger = ledger_of(house.database)
    accounts = ledger.orders
    assert accounts.difference == 0
    assert sum(accounts.accepted.values()) == len(orders)
    filters = {
        **{OrderFilter(source=name): number for name, number in accounts.accepted.items()},
        **{OrderFilter(reason=name): number for name, number in accounts.closed.items()},
        **{OrderFilter(wait=name): number for name, number in accounts.open.items()},
    }
    for asked, number in filters.items():
        page, total = counted_orders_page(house.database, asked, after=None, limit=100)
        assert (len(page.orders), total) == (number, number), asked
    for outcome, number in ledger.attempts.by_outcome.items():
        attempts = attempts_page(house.database, outcome, before=None, limit=100)
        assert (len(attempts.attempts), attempts.total) == (number, number), outcome
    assert ledger.attempts.by_outcome[AttemptOutcome.ANSWERED] > 0
    assert ledger.attempts.intended == sum(ledger.attempts.by_outcome.values())


def test_pages_have_every_order_once_the_newest_first(house: InProcessFleet, orders: list[str]) -> None:
    seen: list[ListedOrder] = []
    place = None
    while True:
        page, total = counted_orders_page(house.database, OrderFilter(), after=place, limit=3)
        assert total == len(orders)
        seen += page.orders
        place = page.next
        if place is None:
            break
    assert Counter(order.task_id for order in seen) == Counter(orders)
    assert [order.created_at for order in seen] == sorted((order.created_at for order in seen), reverse=True)


def test_filters_are_taken_together(house: InProcessFleet, orders: list[str]) -> None:
    asked = OrderFilter(status=State.WAITING_FOLLOWUP.value, wait=Wait.RESUME.value, named=orders[2])
    page, total = counted_orders_page(house.database, asked, after=None, limit=10)
    assert ([order.task_id for order in page.orders], total) == ([orders[2]], 1)
    other = OrderFilter(wait=Wait.RESUME.value, named="SO-other")
    assert counted_orders_page(house.database, other, after=None, limit=10)[1] == 0


def test_a_ledger_that_took_long_is_not_read_again_at_once(house: InProcessFleet) -> None:
    # It takes 2 seconds by this clock, and so holds for 20 more.
    moments = iter([0.0, 2.0, 21.9, 22.0, 24.0])
    reader = LedgerReader(house.database, clock=lambda: next(moments))
    assert sum(reader.read().orders.accepted.values()) == 0
    house.accept(submission(answered(READY)))
    assert sum(reader.read().orders.accepted.values()) == 0
    assert sum(reader.read().orders.accepted.values()) == 1
