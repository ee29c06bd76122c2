"""别再打了: the number is barred for every order, and a person is asked."""

from datetime import timedelta

import pytest

from runtime.phone import Phone, normalise
from schemas.orders.contact import Channel
from storage.access.system_audit import SystemAudit
from storage.engine.clock import BusinessClock
from storage.orders.contacts.contacts import Contacts
from storage.orders.contacts.do_not_call import DoNotCall, Entry
from tasks.orders.people.barring import allow_number, bar_number
from tests.support.factories import answered, silent
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.contact_constraints import accepted, moments_of
from tests.support.orders.signals import alerts_of, reviews_of
from tests.support.probe import Probe

PHONE = "13800138000"
NO_MORE = "别再打了，不要再给我打电话"


def barred(house: InProcessFleet, text: str = PHONE, **more: object) -> Entry:
    phone = normalise(text)
    assert isinstance(phone, Phone)
    wish = {"channel": None, "reason": "客户来电", "until": None, "by": "王芳", **more}
    entry, _ = bar_number(house.database, house.context.blind_index, phone, **wish)  # type: ignore[arg-type]
    return entry


def entries(house: InProcessFleet) -> list[Entry]:
    with house.database.transaction() as work:
        return DoNotCall(work).list()


def test_a_customer_who_wants_no_more_calls_is_listed_and_a_person_told(house: InProcessFleet) -> None:
    task_id = accepted(house, PHONE, answered(NO_MORE))
    house.run()
    (entry,) = entries(house)
    assert (entry.added_by, entry.task_id, entry.masked, entry.channel) == (
        "customer",
        task_id,
        "138****8000",
        None,
    )
    assert entry.until is None
    assert entry.reason == "客户要求不要再联系"
    assert "do_not_contact" in alerts_of(house, task_id)
    assert [state for _, state in reviews_of(house, task_id)] == ["open"]


def test_other_orders_of_the_number_go_to_a_person_instead_of_calling(house: InProcessFleet) -> None:
    accepted(house, PHONE, answered(NO_MORE))
    house.run()
    other = accepted(house, "0086-138-0013-8000")
    house.run()
    assert len(moments_of(house, PHONE)) == 1
    assert reviews_of(house, other) == [("do_not_call", "open")]


def test_of_a_masked_number_a_person_is_told_and_nothing_listed(house: InProcessFleet) -> None:
    task_id = accepted(house, "138****0000", answered(NO_MORE))
    house.run()
    assert entries(house) == []
    assert "do_not_contact" in alerts_of(house, task_id)


def test_ordinary_words_list_nobody(house: InProcessFleet) -> None:
    accepted(house, PHONE)
    house.run()
    assert entries(house) == []


def channels_of(house: InProcessFleet, task_id: str) -> list[str]:
    with house.database.transaction() as work:
        return [contact.contact_method for contact in Contacts(work).of_task(task_id)]


@pytest.mark.parametrize(
    ("channels", "taken"),
    [
        ([Channel.SMS], ["phone", "phone", "im", "im"]),
        ([Channel.PHONE], ["sms", "sms", "sms", "im"]),
        ([Channel.PHONE, Channel.SMS], ["im"] * 4),
    ],
)
def test_a_number_barred_by_some_channels_is_contacted_by_the_others(
    house: InProcessFleet, channels: list[Channel], taken: list[str]
) -> None:
    for channel in channels:
        barred(house, channel=channel)
    task_id = accepted(house, PHONE, silent(), silent(), silent("expired"), silent("expired"))
    house.run_to_the_end()
    assert channels_of(house, task_id) == taken
    assert reviews_of(house, task_id) == []


def test_a_number_barred_by_every_channel_goes_to_a_person(house: InProcessFleet) -> None:
    for channel in Channel:
        barred(house, channel=channel)
    task_id = accepted(house, PHONE)
    house.run()
    assert channels_of(house, task_id) == []
    assert reviews_of(house, task_id) == [("do_not_call", "open")]


def test_an_entry_ends_at_its_time(house: InProcessFleet) -> None:
    with house.database.transaction() as work:
        now = BusinessClock(work).now().business_now
    barred(house, until=now + timedelta(days=1))
    with house.database.transaction() as work:
        BusinessClock(work).set(now + timedelta(days=1, seconds=1))
    task_id = accepted(house, PHONE)
    house.run()
    assert house.order(task_id).status == "closed"
    assert entries(house) == []


def test_a_lifted_entry_bars_no_more_and_stays_in_the_record(house: InProcessFleet) -> None:
    entry = barred(house)
    assert allow_number(house.database, entry.entry_id, by="李雷")[1]
    task_id = accepted(house, PHONE)
    house.run()
    assert house.order(task_id).status == "closed"
    with house.database.transaction() as work:
        (kept,) = DoNotCall(work).list(ended=True)
        lines = [(line.what, line.actor) for line in SystemAudit(work).recent()]
    assert (kept.lifted_by, kept.holds) == ("李雷", False)
    assert lines == [("do_not_call_lifted", "李雷"), ("do_not_call_added", "王芳")]


def test_the_same_entry_again_is_the_one_that_holds(house: InProcessFleet) -> None:
    assert barred(house).entry_id == barred(house, "+8613800138000").entry_id
    assert barred(house).entry_id != barred(house, channel=Channel.IM).entry_id


@pytest.mark.parametrize("mode", ["auto", "manual"])
def test_a_barred_number_is_not_contacted_whoever_drives_the_order(house: InProcessFleet, mode: str) -> None:
    barred(house)
    task_id = accepted(house, PHONE)
    Probe(house.database).write(f"UPDATE tasks SET mode = '{mode}'")
    house.run()
    assert moments_of(house, PHONE) == []
    assert reviews_of(house, task_id) == [("do_not_call", "open")]


def test_the_list_holds_no_number(house: InProcessFleet) -> None:
    barred(house, reason="请勿拨打13800138000")
    shown = Probe(house.database).value("SELECT do_not_call::text FROM do_not_call")
    shown += Probe(house.database).value("SELECT system_audit::text FROM system_audit")
    assert "13800138000" not in shown
