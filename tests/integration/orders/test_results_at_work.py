"""Results that come while a worker is at work on the contact, and what zombies learn: nobody is called twice."""

from collections.abc import Iterator

import pytest

from schemas.orders.contact import ContactResult
from storage.orders.contacts.contacts import Contacts
from tasks.orders.inbound.reports import ReportOutcome
from tests.support.factories import READY
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.scripted_channel import (
    ScriptedChannel,
    called,
    lapse,
    make_due,
    report_of,
    taken,
    tell,
)
from tests.support.probe import Probe
from tools.channels.contract import (
    Absent,
    ContactFound,
    ContactRequest,
    NotSent,
    Rejected,
    Unknown,
    Unreachable,
)


@pytest.fixture
def channel() -> ScriptedChannel:
    return ScriptedChannel()


@pytest.fixture
def house(database_url: str, channel: ScriptedChannel) -> Iterator[InProcessFleet]:
    built = InProcessFleet.build(database_url, gateway=channel)
    yield built
    built.close()


def test_an_answer_that_comes_before_our_request_times_out_settles_the_contact(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    channel.answers = [Unknown("no answer within 30 s")]
    channel.during_send = [lambda request: tell(house, report_of(request.key))]
    task_id = taken(house)
    assert house.order(task_id).finish_reason == "visit_arranged"
    assert len(channel.reached) == 1
    assert channel.queried == []


def test_an_answer_that_comes_while_the_channel_is_asked_in_vain_settles_the_contact(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    channel.answers, channel.on_query = [Unknown("the line went dead")], Unreachable("no answer within 5 s")
    task_id, key = called(house, channel)
    channel.during_query = [lambda sought: tell(house, report_of(sought.key))]
    make_due(house)
    house.run()
    assert house.order(task_id).finish_reason == "visit_arranged"
    assert channel.reached == [key]


def test_an_answer_goes_before_a_refusal_that_the_channel_gave_meanwhile(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    channel.answers = [Rejected("no such template")]
    channel.during_send = [lambda request: tell(house, report_of(request.key))]
    assert house.order(taken(house)).finish_reason == "visit_arranged"


def test_word_that_a_text_was_delivered_does_not_end_the_search_for_its_outcome(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    channel.answers = [Unknown("the line went dead")]
    channel.during_send = [lambda request: tell(house, report_of(request.key, ContactResult.DELIVERED))]
    task_id, key = called(house, channel)
    channel.on_query = ContactFound(f"p-{key}", None)
    make_due(house)
    house.run()
    assert tell(house, report_of(key, event="2")) == [ReportOutcome.APPLIED]
    house.run()
    assert house.order(task_id).finish_reason == "visit_arranged"
    assert channel.reached == [key]


def test_what_a_zombie_was_told_is_taken_by_its_successor_and_the_customer_is_not_called_again(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    task_id, key = called(house, channel)
    channel.during_query = [lambda _: lapse(house)]
    channel.on_query = ContactFound(f"p-{key}", report_of(key))
    make_due(house, parked=True)
    house.run()
    make_due(house)
    house.run()
    assert house.order(task_id).finish_reason == "visit_arranged"
    assert channel.reached == [key]
    with house.database.transaction() as work:
        (contact,) = Contacts(work).of_task(task_id)
    assert (contact.status, contact.contact_result, contact.transcript) == ("concluded", "answered", READY)


def test_that_nothing_left_a_zombie_says_nothing_of_what_its_successor_sent(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    def rescued_and_sent_by_another(_: object) -> None:
        lapse(house)
        house.run()

    channel.answers = [NotSent("too many requests", 0.01)]
    channel.during_send = [rescued_and_sent_by_another]
    task_id = taken(house)
    with house.database.transaction() as work:
        (contact,) = Contacts(work).of_task(task_id)
    assert contact.status == "sent"
    channel.on_query = Absent()
    make_due(house, parked=True)
    house.run()
    assert channel.reached.count(contact.key) == 1


def test_a_result_that_came_to_a_dead_worker_is_heard_by_its_successor_without_another_contact(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    def answered_and_then_the_worker_dies(request: ContactRequest) -> None:
        tell(house, report_of(request.key))
        lapse(house)
        raise SystemExit("killed")

    channel.during_send = [answered_and_then_the_worker_dies]
    with pytest.raises(SystemExit):
        taken(house)
    house.run()
    (key,) = channel.reached
    assert channel.queried == []
    assert house.order(key.partition(".")[0]).finish_reason == "visit_arranged"


def test_who_has_opted_out_at_the_provider_is_barred_from_every_channel(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    channel.answers = [Rejected("the person has answered STOP", opted_out=True)]
    taken(house)
    listed = Probe(house.database).value("SELECT count(*) FROM do_not_call")
    assert listed == 1
