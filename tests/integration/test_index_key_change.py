"""The key of the blind index changes while orders are open: what is known of a number stays known throughout."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from runtime.blind_index import BlindIndex
from runtime.cipher import Cipher
from runtime.phone import Phone
from schemas.orders.signals import PartArrived
from storage.core.database import Database
from storage.orders.contacts.do_not_call import DoNotCall
from storage.orders.contacts.traces import ContactTraces
from storage.orders.orders import Orders
from storage.orders.upkeep.ciphertexts import Ciphertexts
from storage.orders.upkeep.number_marks import NumberMarks
from storage.orders.upkeep.privacy import Privacy
from tasks.forms import Acceptance
from tasks.orders.calls.triage import CustomerWords
from tasks.orders.inbound.signals import ReceiptResult
from tasks.orders.people.barring import allow_number, bar_number
from tasks.orders.rules.constraints import asked_for_orders, number_of
from tasks.orders.upkeep.erasure import Customer, erase, orders_of
from tasks.orders.upkeep.key_change import RenewedMarks, renew_all, renew_marks
from tests.support.factories import PARTS_MISSING, READY, answered, submission
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.orders.contact_constraints import CAPS, accepted, bounded, contact_step
from tests.support.orders.signals import order_run, receive_signal, reviews_of
from tests.support.probe import Probe

FIRST: Final = Cipher.new_key()
SECOND: Final = Cipher.new_key()
BEFORE: Final[dict[str, Any]] = {"index_key": FIRST}
BETWEEN: Final[dict[str, Any]] = {"index_key": SECOND, "index_keys_old": FIRST}
AFTER: Final[dict[str, Any]] = {"index_key": SECOND}
NUMBER: Final = "13800138000"
PHONE: Final = Phone("+8613800138000")

Opened = Callable[..., InProcessFleet]


@pytest.fixture
def opened(database_url: str) -> Iterator[Opened]:
    """The fleet as it is started with these keys, over the same database."""
    houses: list[InProcessFleet] = []

    def open_with(keys: dict[str, Any], **settings: Any) -> InProcessFleet:
        houses.append(InProcessFleet.build(database_url, **keys, **settings))
        return houses[-1]

    yield open_with
    for house in houses:
        house.close()


def renew(house: InProcessFleet) -> RenewedMarks:
    return renew_marks(house.database, house.context.blind_index, house.context.policy)


def bar(house: InProcessFleet) -> tuple[str, bool]:
    entry, is_new = bar_number(
        house.database, house.context.blind_index, PHONE, channel=None, reason="来电", until=None, by="me"
    )
    return entry.entry_id, is_new


def is_barred(house: InProcessFleet) -> bool:
    """Whether an order of the number that comes in now goes to a person and contacts nobody."""
    task_id = accepted(house, NUMBER)
    house.run()
    return reviews_of(house, task_id) == [("do_not_call", "open")]


def contacts_made(house: InProcessFleet) -> int:
    made = Probe(house.database).value("SELECT count(*) FROM contact_logs WHERE status <> 'refused'")
    assert isinstance(made, int)
    return made


def test_a_number_on_the_do_not_call_list_stays_blocked_through_the_whole_change(opened: Opened) -> None:
    bar(opened(BEFORE))
    between = opened(BETWEEN)
    assert is_barred(between)
    # An order has the number now, so the entry can follow it.
    assert renew(between) == RenewedMarks({"do_not_call": 1}, {})
    assert is_barred(between)
    after = opened(AFTER)
    assert is_barred(after)
    assert contacts_made(after) == 0


def test_an_entry_whose_number_no_order_has_needs_the_former_key_until_it_ends(opened: Opened) -> None:
    entry_id, _ = bar(opened(BEFORE))
    between = opened(BETWEEN)
    assert renew(between) == RenewedMarks({}, {"do_not_call": 1})
    with between.database.transaction() as work:
        (found,) = DoNotCall(work).list(marks=between.context.blind_index.marks(PHONE))
    assert found.entry_id == entry_id
    allow_number(between.database, entry_id, by="me")
    assert renew(between) == RenewedMarks({}, {})


def test_an_entry_follows_when_somebody_enters_its_number_again(opened: Opened) -> None:
    entry_id, _ = bar(opened(BEFORE))
    between = opened(BETWEEN)
    assert bar(between) == (entry_id, False)
    assert renew(between).left == {}
    assert is_barred(opened(AFTER))


def test_the_caps_of_a_number_hold_through_the_whole_change(opened: Opened, tmp_path: Path) -> None:
    config = bounded(tmp_path, number_caps=CAPS)
    before = opened(BEFORE, config_folder=config)
    accepted(before, NUMBER)
    before.run()
    between = opened(BETWEEN, config_folder=config)
    waiting = accepted(between, NUMBER)
    between.run()
    assert contact_step(between, waiting)["error"]["why"][0]["code"] == "number_cap"
    assert renew(between) == RenewedMarks({"contact_logs": 1, "tasks": 1}, {})
    after = opened(AFTER, config_folder=config)
    third = accepted(after, NUMBER)
    after.run()
    assert contact_step(after, third)["error"]["why"][0]["code"] == "number_cap"
    assert contacts_made(after) == 1


def test_contacts_under_both_keys_count_together(opened: Opened, tmp_path: Path) -> None:
    config = bounded(tmp_path, number_caps=[{"limit": 2, "period_seconds": 3600}])
    before, between = (opened(keys, config_folder=config) for keys in (BEFORE, BETWEEN))
    for house in (before, between):
        accepted(house, NUMBER)
        house.run()
    assert contacts_made(between) == 2
    waiting = accepted(between, NUMBER)
    between.run()
    assert contact_step(between, waiting)["error"]["why"][0]["code"] == "number_cap"


def test_the_same_order_sent_again_is_recognised_through_the_whole_change(opened: Opened) -> None:
    given = submission(answered(READY), metadata={"phone": NUMBER})
    other = submission(answered(READY), metadata={"phone": "13900139000"}, task_id=given.body.task_id)
    opened(BEFORE).accept(given)
    for keys in (BETWEEN, AFTER):
        house = opened(keys)
        results = [receipt.result for one in (given, other) for receipt in house.accept(one)]
        assert results == [Acceptance.EXISTING, Acceptance.OTHER_BODY]


def test_what_was_sent_is_recognised_after_the_cipher_key_changed_too(
    opened: Opened, database_url: str
) -> None:
    given = submission(answered(PARTS_MISSING), answered(READY))
    before = opened(BEFORE)
    before.accept(given)
    before.run()
    receive_signal(before, given.body.task_id, PartArrived(part="压缩机"))
    new = Cipher.new_key()
    with Database(database_url, Cipher(new, [CIPHER_KEY])) as database:
        renewed = renew_all(database)
        assert (renewed.written["tasks.digest"], renewed.written["signals.digest"]) == (1, 1)
        with database.snapshot() as work:
            assert not any(Ciphertexts(work).old().values())
    with Database(database_url, Cipher(new)) as database, database.transaction() as work:
        order = Orders(work).find([given.body.task_id])[given.body.task_id]
    assert order.was_sent_as(given.body.digest())
    assert not order.was_sent_as(b"another")


def test_a_signal_sent_again_is_recognised_through_the_whole_change(opened: Opened) -> None:
    before = opened(BEFORE)
    task_id = order_run(before, answered(PARTS_MISSING), answered(READY))
    receive_signal(before, task_id, PartArrived(part="压缩机"), signal_id="s")
    for keys in (BETWEEN, AFTER):
        house = opened(keys)
        again = receive_signal(house, task_id, PartArrived(part="压缩机"), signal_id="s")
        other = receive_signal(house, task_id, PartArrived(part="电机"), signal_id="s")
        assert (again.result, other.result) == (ReceiptResult.REPEATED, ReceiptResult.OTHER_BODY)


def test_words_of_a_call_before_the_change_are_known_by_one_of_their_marks() -> None:
    before, between = (BlindIndex(*keys) for keys in ((FIRST, ()), (SECOND, (FIRST,))))
    taken = CustomerWords.of(READY, "HT1", before).marks[0]
    assert taken in CustomerWords.of(READY, "HT1", between).marks
    assert taken not in CustomerWords.of(READY, "HT2", between).marks


def test_orders_and_texts_of_a_number_are_found_under_either_key(opened: Opened) -> None:
    before = opened(BEFORE)
    task_id = accepted(before, NUMBER, answered(PARTS_MISSING))
    before.run()
    between = opened(BETWEEN)
    index = between.context.blind_index
    assert orders_of(between.engine, index, Customer(phone=PHONE)) == [task_id]
    with between.database.transaction() as work:
        assert Orders(work).open_with_number(index.marks(PHONE)) == task_id
        sent = ContactTraces(work).sent_to([index.marks(PHONE)])
    assert {number for number, _ in sent} == {index.mark(PHONE)}


def test_a_forgotten_number_is_known_under_either_key_until_its_time_is_over(opened: Opened) -> None:
    before = opened(BEFORE)
    accepted(before, NUMBER)
    before.run()
    erase(before.engine, before.context.blind_index, Customer(phone=PHONE), by="me", cancel_open=True)
    between = opened(BETWEEN)
    index = between.context.blind_index
    with between.database.transaction() as work:
        assert Privacy(work).forgotten(index.marks(PHONE))
    assert renew(between).left == {"forgotten_numbers": 1}
    # The customer has an order again: the number is known, and what was forgotten twice is one row.
    accepted(between, NUMBER)
    Probe(between.database).write(
        "INSERT INTO forgotten_numbers (phone_index) VALUES (%s)", index.mark(PHONE)
    )
    assert renew(between).left == {}
    marks = Probe(between.database).values("SELECT phone_index FROM forgotten_numbers")
    assert [bytes(mark) for mark in marks] == [index.mark(PHONE)]


def test_an_erasure_during_the_change_takes_the_reason_from_an_entry_of_the_former_key(
    opened: Opened,
) -> None:
    before = opened(BEFORE)
    accepted(before, NUMBER)
    before.run()
    bar(before)
    between = opened(BETWEEN)
    erase(between.engine, between.context.blind_index, Customer(phone=PHONE), by="me", cancel_open=True)
    assert Probe(between.database).value("SELECT reason FROM do_not_call") == ""


def test_a_change_that_was_broken_off_goes_on_where_it_was(opened: Opened) -> None:
    before = opened(BEFORE)
    accepted(before, NUMBER)
    before.run()
    bar(before)
    between = opened(BETWEEN)
    new, *former = between.context.blind_index.marks(PHONE)
    with between.database.transaction() as work:
        assert NumberMarks(work).renew("contact_logs", dict.fromkeys(former, new)) == 1
    assert renew(between) == RenewedMarks({"do_not_call": 1, "tasks": 1}, {})
    assert renew(between) == RenewedMarks({}, {})


def test_what_somebody_holds_is_left_to_the_next_time(opened: Opened) -> None:
    before = opened(BEFORE)
    accepted(before, NUMBER)
    between = opened(BETWEEN)
    with before.database.transaction() as work:
        work.connection.exec_driver_sql("SELECT FROM tasks FOR UPDATE")
        assert renew(between) == RenewedMarks({}, {"tasks": 1})
    assert renew(between) == RenewedMarks({"tasks": 1}, {})


def test_with_one_key_no_number_is_opened_to_look_it_up(opened: Opened) -> None:
    house = opened(AFTER)
    task_id = accepted(house, NUMBER)
    Probe(house.database).write("UPDATE tasks SET phone = 'no ciphertext'")
    order = house.order(task_id)
    assert number_of(house.context, order) == house.context.blind_index.mark(PHONE)
    assert asked_for_orders(house.context, [order]).marks == [order.phone_index]


def test_an_order_whose_number_cannot_be_opened_holds_nothing_up_and_is_told_of(opened: Opened) -> None:
    before = opened(BEFORE)
    task_id = accepted(before, NUMBER)
    Probe(before.database).write("UPDATE tasks SET phone = 'no ciphertext'")
    accepted(before, "13900139000")
    between = opened(BETWEEN)
    assert renew(between) == RenewedMarks({"tasks": 1}, {"tasks": 1})
    order = between.order(task_id)
    assert number_of(between.context, order) == order.phone_index


def test_a_process_that_waits_for_the_new_key_and_one_that_has_it_hold_the_same_locks() -> None:
    waiting, taken = BlindIndex(FIRST, [SECOND]), BlindIndex(SECOND, [FIRST])
    assert set(waiting.marks(PHONE)) == set(taken.marks(PHONE))
