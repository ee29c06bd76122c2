"""What the provider does wrong on request, and what the adapter makes of it."""

import time

import pytest

from tests.support.simulator.contacts import contact, faulty
from tests.support.simulator.provider_process import SECRET, CallbackReceiver, ProviderProcess
from tests.support.sought_contact import sought
from tests.support.waiting import wait_until
from tools.channels.contract import (
    Absent,
    Accepted,
    ContactFound,
    NotSent,
    Unknown,
)
from tools.channels.http_channel import HttpChannel
from tools.channels.signature import SignatureError, verify


def test_a_dropped_connection_is_unknown_and_the_query_finds_the_contact(
    channel: HttpChannel, receiver: CallbackReceiver, key: str
) -> None:
    assert isinstance(channel.send(contact(key, receiver, faulty("accept_then_drop"))), Unknown)
    found = channel.query(sought(key), timeout_seconds=5)
    assert isinstance(found, ContactFound)
    assert found.report is not None
    assert found.report.transcript == "可以上门了。"


def test_an_answer_after_the_timeout_is_unknown_and_the_query_finds_the_contact(
    channel: HttpChannel, receiver: CallbackReceiver, key: str
) -> None:
    slow = faulty({"kind": "slow", "seconds": 3})
    started = time.monotonic()
    assert isinstance(channel.send(contact(key, receiver, slow, timeout_seconds=0.5)), Unknown)
    assert time.monotonic() - started < 2
    assert isinstance(channel.query(sought(key), timeout_seconds=5), ContactFound)


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_sends_nothing_and_says_when_to_come_back(
    provider: ProviderProcess, channel: HttpChannel, receiver: CallbackReceiver, key: str, status: int
) -> None:
    refused = faulty({"kind": "status", "status": status, "times": 1, "retry_after": 7})
    outcome = channel.send(contact(key, receiver, refused))
    assert isinstance(outcome, NotSent)
    assert outcome.retry_after_seconds == 7
    assert provider.ledger(key)["reached"] == 0
    assert isinstance(channel.send(contact(key, receiver, refused)), Accepted)


def test_an_internal_error_is_unknown(channel: HttpChannel, receiver: CallbackReceiver, key: str) -> None:
    assert isinstance(
        channel.send(contact(key, receiver, faulty({"kind": "status", "status": 500}))), Unknown
    )
    assert channel.query(sought(key), timeout_seconds=5) == Absent()


def test_a_duplicated_callback_names_the_same_event(
    provider: ProviderProcess, channel: HttpChannel, receiver: CallbackReceiver, key: str
) -> None:
    channel.send(contact(key, receiver, faulty({"kind": "duplicate_callback", "times": 2})))
    wait_until(lambda: provider.ledger(key)["callbacks_owed"] == 0)
    assert len(receiver.of(key)) == 3
    assert len({callback.report["event_id"] for callback in receiver.of(key)}) == 1


def test_a_callback_may_come_before_the_answer(
    channel: HttpChannel, receiver: CallbackReceiver, key: str
) -> None:
    channel.send(contact(key, receiver, faulty("callback_before_response")))
    assert len(receiver.of(key)) == 1


def test_a_late_callback_is_behind_the_query(
    channel: HttpChannel, receiver: CallbackReceiver, key: str
) -> None:
    channel.send(contact(key, receiver, faulty({"kind": "late_callback", "seconds": 1})))
    found = channel.query(sought(key), timeout_seconds=5)
    assert isinstance(found, ContactFound)
    assert found.report is not None
    assert not receiver.of(key)
    wait_until(lambda: len(receiver.of(key)) == 1)


def test_a_bad_signature_does_not_verify(channel: HttpChannel, receiver: CallbackReceiver, key: str) -> None:
    channel.send(contact(key, receiver, faulty("bad_signature")))
    wait_until(lambda: bool(receiver.of(key)))
    callback = receiver.of(key)[0]
    with pytest.raises(SignatureError):
        verify(
            [SECRET],
            timestamp=callback.timestamp,
            signature=callback.signature,
            body=callback.body,
            now=time.time(),
        )


def test_without_a_callback_the_result_is_found_by_query(
    provider: ProviderProcess, channel: HttpChannel, receiver: CallbackReceiver, key: str
) -> None:
    channel.send(contact(key, receiver, faulty("no_callback")))
    found = channel.query(sought(key), timeout_seconds=5)
    assert isinstance(found, ContactFound)
    assert found.report is not None
    assert provider.ledger(key)["callbacks_owed"] == 0


def test_an_armed_fault_hits_as_many_requests_as_it_says(
    provider: ProviderProcess, channel: HttpChannel, receiver: CallbackReceiver, key: str
) -> None:
    body = {"fault": {"kind": "status", "status": 503, "times": 9}, "key": key, "requests": 1}
    assert provider.client.post("/v1/faults", json=body).status_code == 201
    assert isinstance(channel.send(contact(key, receiver)), NotSent)
    assert isinstance(channel.send(contact(key, receiver)), Accepted)
