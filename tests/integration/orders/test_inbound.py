"""Customers who write to us without having been texted, and strangers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.factories import READY
from tests.support.orders.real_providers import ApiWithProviders, opened
from tests.support.orders.signals import alerts_of, contacts
from tests.support.probe import Probe

STRANGER = "13700137000"
ENOUGH = "别再给我发短信了"


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[ApiWithProviders]:
    with opened(database_url, tmp_path) as office:
        yield office


def alerts(office: ApiWithProviders) -> list[tuple[str, str]]:
    """Kind and message of every alert."""
    rows = Probe(office.house.database).rows("SELECT alert_type, message FROM alerts ORDER BY alert_type")
    return [(row[0], row[1]) for row in rows]


def barred(office: ApiWithProviders) -> list[str]:
    """The masked numbers of the do-not-call list."""
    return list(Probe(office.house.database).values("SELECT masked FROM do_not_call"))


def test_a_text_of_a_customer_who_was_only_called_counts_as_their_answer(office: ApiWithProviders) -> None:
    task_id = office.taken()
    assert office.push(office.aliyun.reply("13800139999", READY)).status_code == 200
    office.house.run()
    assert office.house.order(task_id).finish_reason == "visit_arranged"
    assert [contact.transcript for contact in contacts(office.house, task_id, "inbound")] == [READY]


def test_a_repeated_text_counts_once(office: ApiWithProviders) -> None:
    task_id = office.taken()
    text = office.aliyun.reply("13800139999", READY)
    office.push(text)
    office.push(text)
    office.house.run()
    assert len(contacts(office.house, task_id, "inbound")) == 1


def test_a_stop_word_of_a_customer_who_was_only_called_bars_the_number_and_alerts_a_person(
    office: ApiWithProviders,
) -> None:
    task_id = office.taken()
    office.push(office.aliyun.reply("13800139999", ENOUGH))
    office.house.run()
    assert barred(office) == ["138****9999"]
    assert "do_not_contact" in alerts_of(office.house, task_id)


def test_a_stranger_alerts_a_person_without_their_number_being_shown(office: ApiWithProviders) -> None:
    office.push(office.aliyun.reply(STRANGER, "在吗"))
    ((kind, message),) = alerts(office)
    assert kind == "unmatched_reply"
    assert "137****7000" in message
    assert STRANGER not in message
    assert barred(office) == []


def test_a_stop_word_of_a_stranger_holds_at_once(office: ApiWithProviders) -> None:
    office.push(office.aliyun.reply(STRANGER, ENOUGH))
    assert barred(office) == ["137****7000"]
