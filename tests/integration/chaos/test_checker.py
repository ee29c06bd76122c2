"""The checker over real rows: what producers sent, how orders ended, what the provider counted, who was rescued."""

from collections.abc import Sequence

import pytest

from bench.chaos.checks import checker
from bench.chaos.checks.checker import Judgement, check
from bench.chaos.checks.contacts import TWICE
from bench.chaos.customers import CUSTOMERS, ChaosOrder, OrderEntry
from bench.chaos.lives import Lives
from bench.chaos.producers import SentOrders
from fleet.simulator.ledger import KeyCount
from storage.orders.consistency.rescues import RescueLog
from storage.orders.consistency.violations import Consistency
from tasks.orders.intake.intake import Submission
from tests.support.factories import CANCEL, READY, answered, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe

AGREES = CUSTOMERS[0]


def order_of(given: Submission) -> ChaosOrder:
    return ChaosOrder(
        task_id=given.body.task_id,
        payload={},
        customer=AGREES,
        entry=OrderEntry.STREAM,
        at=0.0,
        repeated=False,
    )


def carried(house: InProcessFleet, *given: Submission) -> SentOrders:
    """What is known of these orders, carried to their end."""
    with house.database.transaction() as work:
        RescueLog(work).install()
    house.accept(*given)
    house.run_to_the_end()
    sent = SentOrders()
    sent.times.update(each.body.task_id for each in given)
    return sent


def counted(house: InProcessFleet) -> list[KeyCount]:
    """The ledger of a provider that reached everybody once."""
    with house.database.transaction() as work:
        return [KeyCount(contact.key, 1, 1, 1) for contact in Consistency(work).contact_keys()]


def judged(
    house: InProcessFleet,
    sent: SentOrders,
    orders: Sequence[ChaosOrder] = (),
    *,
    ledger: Sequence[KeyCount] | None = None,
    lives: Lives | None = None,
) -> Judgement:
    with house.database.transaction() as work:
        return check(
            work,
            orders=orders,
            sent=sent,
            ledger=counted(house) if ledger is None else ledger,
            faults=(),
            lives=lives or Lives(),
            lease_seconds=12.0,
        )


def broken(judgement: Judgement) -> list[tuple[str, str]]:
    return [(violation.rule, violation.subject) for violation in judgement.violations]


def test_orders_that_ended_as_they_should_break_nothing(house: InProcessFleet) -> None:
    order = submission(answered(READY))
    assert broken(judged(house, carried(house, order), [order_of(order)])) == []


def test_an_order_that_was_sent_and_never_came_in_is_lost(house: InProcessFleet) -> None:
    sent = carried(house, submission())
    sent.times["HTgone"] = 3
    assert broken(judged(house, sent)) == [(checker.LOST, "HTgone")]


def test_an_order_that_an_entry_point_refused_is_found(house: InProcessFleet) -> None:
    sent = carried(house, submission())
    sent.refused["HTx"] = "409"
    assert broken(judged(house, sent)) == [(checker.REFUSED, "HTx")]


def test_an_order_that_closed_for_what_its_customer_did_not_say_is_found(house: InProcessFleet) -> None:
    order = submission(answered(CANCEL))
    assert broken(judged(house, carried(house, order), [order_of(order)])) == [
        (checker.OTHER_END, order.body.task_id)
    ]


def test_a_customer_who_was_reached_twice_is_found(house: InProcessFleet) -> None:
    order = submission()
    sent = carried(house, order)
    (count,) = counted(house)
    ledger = [KeyCount(count.key, 2, 2, 1)]
    assert broken(judged(house, sent, ledger=ledger)) == [(TWICE, order.body.task_id)]


def test_an_order_without_a_next_step_is_unaccounted(house: InProcessFleet) -> None:
    order = submission(answered("喂？听不清，你说什么"))
    sent = carried(house, order)
    Probe(house.database).write("UPDATE reviews SET state = 'cancelled' WHERE true")
    Probe(house.database).write("UPDATE steps SET state = 'cancelled' WHERE state = 'parked'")
    found = {rule for rule, _ in broken(judged(house, sent))}
    assert {checker.UNACCOUNTED, "an open order has a next step"} <= found


@pytest.mark.parametrize("alive", [True, False])
def test_a_step_taken_from_a_holder_that_lives_is_a_false_rescue(house: InProcessFleet, alive: bool) -> None:
    sent = carried(house, submission())
    Probe(house.database).write(
        "INSERT INTO observed_rescues (step_id, subject_id, queue, holder, expires_at, rescued_at) "
        "VALUES (1, 'HT1', 'contact', 'contact@host:41', now() - interval '1 second', now())"
    )
    lives = Lives()
    if alive:
        (now,) = Probe(house.database).values("SELECT extract(epoch FROM now())::float8")
        lives.note(41, now - 60, waited=0)
        lives.note(41, now + 60, waited=0)
    judgement = judged(house, sent, lives=lives)
    assert broken(judgement) == ([(checker.FALSE_RESCUE, "HT1")] if alive else [])
    assert len(judgement.rescues) == 1
