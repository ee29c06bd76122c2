"""A row whose key is gone stands in nobody's way: what can be read is erased, and the rest is counted."""

import pytest

from runtime.cipher import Cipher, UnreadableCiphertext
from runtime.phone import normalise
from runtime.settings import PROJECT
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.orders.upkeep.privacy import UNREADABLE
from storage.people.rejects import NewReject, Rejects
from tasks.orders.upkeep.erasure import Customer, erase
from tasks.orders.upkeep.key_change import renew_all
from tasks.orders.upkeep.retention import retain
from tests.support.factories import READY, answered
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.orders.signals import order_run
from tests.support.probe import Probe
from tools.policies.retention import DataKind, load_retention

NUMBER = "13800139999"
BROKEN = f"enc1.00000000.{'A' * 41}"
"""In the form of an encrypted text, and no base64 of anything."""


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
    task_id = order_run(house, answered(READY), metadata={"phone": NUMBER})
    Probe(house.database).write("UPDATE tasks SET phone = decode('00', 'hex') || phone")
    customer = Customer(customer_id=str(house.order(task_id).metadata["customer_id"]))
    erased = erase(house.engine, house.context.blind_index, customer, by="me", cancel_open=True)
    assert erased.counts[UNREADABLE] == 1
    phone = normalise(NUMBER)
    assert phone is not None
    marks = Probe(house.database).values("SELECT phone_index FROM forgotten_numbers")
    assert [bytes(mark) for mark in marks] == [house.context.blind_index.mark(phone)]


def test_a_text_that_is_no_base64_is_unreadable_and_nothing_worse() -> None:
    with pytest.raises(UnreadableCiphertext):
        Cipher(Cipher.new_key()).open_text(BROKEN, "anywhere")


def test_a_broken_text_and_a_value_of_another_form_do_not_keep_the_rest_from_a_new_key(
    house: InProcessFleet, database_url: str
) -> None:
    order_run(house, answered(READY), metadata={"phone": NUMBER})
    with house.database.transaction() as work:
        run = work.connection.exec_driver_sql
        run("UPDATE contact_logs SET user_feedback = %s", (BROKEN,))
        run(
            "UPDATE steps SET input = %s WHERE step_id = (SELECT min(step_id) FROM steps)", (f'["{BROKEN}"]',)
        )
    with Database(database_url, Cipher(Cipher.new_key(), [CIPHER_KEY])) as database:
        renewed = renew_all(database)
    assert renewed.written == {"tasks.phone": 1, "tasks.digest": 1, "contact_logs.transcript": 1}
    assert renewed.left == {"contact_logs.user_feedback": 1}
    assert len(renewed.unreadable) == 1


def test_what_no_key_opens_is_removed_when_its_time_has_come(house: InProcessFleet) -> None:
    order_run(house, answered(READY))
    with house.database.transaction() as work:
        run = work.connection.exec_driver_sql
        run(
            "UPDATE contact_logs SET transcript = %s, contact_time = contact_time - interval '2 years'",
            (BROKEN,),
        )
    kept = load_retention(PROJECT / "config" / "policies" / "retention.yaml")
    assert retain(house.database, kept)[DataKind.TRANSCRIPTS] == 1
    assert Probe(house.database).value("SELECT count(*) FROM contact_logs WHERE transcript IS NOT NULL") == 0
