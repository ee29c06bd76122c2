"""A row whose key is gone stands in nobody's way: what can be read is erased, and the rest is counted."""

from runtime.phone import normalise
from storage.access.system_audit import SystemAudit
from storage.orders.upkeep.privacy import UNREADABLE
from storage.people.rejects import NewReject, Rejects
from tasks.orders.upkeep.erasure import Customer, erase
from tests.support.factories import READY, answered
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import order_run
from tests.support.probe import Probe

NUMBER = "13800139999"


def test_one_unreadable_row_blocks_no_erasure(house: InProcessFleet) -> None:
    task_id = order_run(house, answered(READY), metadata={"phone": NUMBER})
    with house.database.transaction() as work:
        for name, payload in (("HT-lost", "{}"), ("HT-holds", f'{{"phone": "{NUMBER}"}}')):
            Rejects(work).keep([NewReject(source="http", task_id=name, payload=payload, problems=[])])
        work.connection.exec_driver_sql(
            "UPDATE rejects SET payload = decode('00', 'hex') || payload WHERE task_id = 'HT-lost'"
        )
    customer = Customer(phone=normalise(NUMBER))
    erased = erase(house.engine, house.context.blind_index, customer, by="me", cancel_open=True)
    assert task_id in erased.task_ids
    assert (erased.counts["rejects"], erased.counts[UNREADABLE]) == (1, 1)
    left = Probe(house.database).values("SELECT task_id FROM rejects WHERE payload <> ''")
    assert list(left) == ["HT-lost"]
    with house.database.transaction() as work:
        (line,) = SystemAudit(work).recent(what="customer_erased")
    assert line.detail["rows"][UNREADABLE] == 1


def test_an_order_whose_number_cannot_be_read_is_erased_all_the_same(house: InProcessFleet) -> None:
    task_id = order_run(house, answered(READY))
    with house.database.transaction() as work:
        work.connection.exec_driver_sql("UPDATE tasks SET phone = decode('00', 'hex') || phone")
    customer = Customer(customer_id=str(house.order(task_id).metadata["customer_id"]))
    erased = erase(house.engine, house.context.blind_index, customer, by="me", cancel_open=True)
    assert erased.task_ids == (task_id,)


def test_the_mark_of_a_number_that_cannot_be_read_is_remembered_all_the_same(house: InProcessFleet) -> None:
    task_id = order_run(house, answered(READY))
    mark = Probe(house.database).value("SELECT phone_index FROM tasks")
    with house.database.transaction() as work:
        work.connection.exec_driver_sql("UPDATE tasks SET phone = decode('00', 'hex') || phone")
    customer = Customer(customer_id=str(house.order(task_id).metadata["customer_id"]))
    erased = erase(house.engine, house.context.blind_index, customer, by="me", cancel_open=True)
    assert Probe(house.database).values("SELECT phone_index FROM forgotten_numbers") == [mark]
    assert erased.counts[UNREADABLE] == 1
