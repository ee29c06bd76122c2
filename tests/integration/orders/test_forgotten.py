"""What is told of an order after its customer was forgotten: the result and the time count, and nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.phone import normalise
from storage.orders.contacts.contacts import Contacts
from tasks.orders.inbound.reports import ReportOutcome, take_reports
from tasks.orders.upkeep.erasure import Customer, Erased, erase
from tests.support.factories import READY, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.real_providers import ApiWithProviders, opened, texted
from tests.support.orders.scripted_channel import ScriptedChannel, called, report_of
from tests.support.probe import Probe
from tools.channels.callbacks import CallbackReport
from tools.channels.contract import Completed, ContactReport

NUMBER = "13800139999"
RECORDING = "https://recordings.example.com/1"


@pytest.fixture
def channel() -> ScriptedChannel:
    return ScriptedChannel()


@pytest.fixture
def house(database_url: str, channel: ScriptedChannel) -> Iterator[InProcessFleet]:
    built = InProcessFleet.build(database_url, gateway=channel)
    yield built
    built.close()


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[ApiWithProviders]:
    with opened(database_url, tmp_path) as office:
        yield office


def forget(house: InProcessFleet, task_id: str) -> Erased:
    """As somebody does who cancels what is under way."""
    customer = Customer(customer_id=str(house.order(task_id).metadata["customer_id"]))
    return erase(house.engine, house.context.blind_index, customer, by="me", cancel_open=True)


def forget_number(house: InProcessFleet) -> Erased:
    customer = Customer(phone=normalise(NUMBER))
    return erase(house.engine, house.context.blind_index, customer, by="me", cancel_open=True)


def told(key: str) -> ContactReport:
    return replace(report_of(key), recording_url=RECORDING)


def tell(house: InProcessFleet, one: ContactReport) -> list[ReportOutcome]:
    return take_reports(
        house.engine,
        house.context,
        "simulator",
        [CallbackReport(one, raw=f'{{"transcript": "{one.transcript}"}}')],
    )


def bodies(house: InProcessFleet) -> list[str]:
    """What is left of callbacks, in clear."""
    rows = Probe(house.database).rows("SELECT provider, event_id, body FROM callbacks")
    cipher = house.database.cipher
    return [
        cipher.decrypt(bytes(row.body), f"callbacks.body.{row.provider}.{row.event_id}") if row.body else ""
        for row in rows
    ]


def assert_only_the_result(house: InProcessFleet, task_id: str) -> None:
    with house.database.transaction() as work:
        (contact,) = Contacts(work).of_task(task_id)
    assert (contact.contact_result, contact.duration_seconds) == ("answered", 30)
    assert (contact.transcript, contact.user_feedback, contact.recording_url) == (None, None, None)


def test_a_report_that_comes_after_its_customer_was_forgotten_leaves_its_result_alone(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    task_id, key = called(house, channel)
    assert forget(house, task_id).task_ids == (task_id,)
    assert tell(house, told(key)) == [ReportOutcome.LATE]
    assert_only_the_result(house, task_id)
    assert bodies(house) == [""]


def test_a_second_answer_that_comes_after_its_customer_was_forgotten_is_not_kept(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    task_id, key = called(house, channel)
    tell(house, told(key))
    house.run()
    forget(house, task_id)
    again = replace(told(key), event_id="again", transcript="师傅几点来，我在桃花岛")
    assert tell(house, again) == [ReportOutcome.LATE]
    assert_only_the_result(house, task_id)
    assert bodies(house) == ["", ""]


def test_what_a_worker_learns_while_its_customer_is_forgotten_is_the_result_alone(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    order = submission()
    task_id = order.body.task_id
    house.accept(order)

    key = f"{task_id}-1-1"
    channel.answers = [Completed(told(key))]
    channel.during_send = [lambda _: forget(house, task_id)]
    house.run()
    assert house.order(task_id).finish_reason == "cancelled"
    assert_only_the_result(house, task_id)


def test_a_reply_from_a_forgotten_number_leaves_no_word(office: ApiWithProviders) -> None:
    texted(office)
    forget_number(office.house)
    before = len(office.kept())
    assert office.push(office.aliyun.reply(NUMBER, READY)).status_code == 200
    assert len(office.kept()) == before + 1
    assert bodies(office.house)[-1] == "{}"
    assert not [body for body in bodies(office.house) if NUMBER in body]


def test_a_forgotten_customers_wish_not_to_be_contacted_holds(office: ApiWithProviders) -> None:
    office.taken()
    forget_number(office.house)
    office.push(office.aliyun.reply(NUMBER, "不要再联系我了"))
    assert Probe(office.house.database).value("SELECT count(*) FROM do_not_call") == 1
    assert not [body for body in bodies(office.house) if "联系" in body]


def test_a_reply_that_was_of_no_order_is_forgotten_with_its_number(office: ApiWithProviders) -> None:
    office.taken()
    office.push(office.aliyun.reply(NUMBER, READY))
    office.push(office.aliyun.reply("13912345678", READY, sequence=2))
    assert [body for body in bodies(office.house) if NUMBER in body]
    assert forget_number(office.house).counts["callbacks"] == 1
    assert not [body for body in bodies(office.house) if NUMBER in body]
    assert [body for body in bodies(office.house) if "13912345678" in body]


def test_a_forgotten_customer_who_has_an_order_again_is_heard(office: ApiWithProviders) -> None:
    office.taken()
    forget_number(office.house)
    task_id = office.taken()
    office.call_back(office.twilio.call_state(1, "failed", SipResponseCode="404"))
    office.next_contact()
    office.push(office.aliyun.reply(NUMBER, READY))
    office.house.run()
    assert office.house.order(task_id).finish_reason == "visit_arranged"
    assert office.contacts(task_id)[1].transcript == READY


def test_an_order_that_upstream_calls_erased_is_heard_all_the_same(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    order = submission(metadata={"erased": True})
    house.accept(order)
    house.run()
    tell(house, told(channel.reached[-1]))
    with house.database.transaction() as work:
        (contact,) = Contacts(work).of_task(order.body.task_id)
    assert contact.transcript == READY
