"""The channel contract, the personas, and the adapter against a provider's odd answers."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.orders.contact import Channel, ContactResult
from tests.support.sought_contact import sought
from tools.channels.contract import (
    Absent,
    Accepted,
    Completed,
    ContactRequest,
    NotSent,
    Rejected,
    SendOutcome,
    Unknown,
    Unreachable,
)
from tools.channels.http_channel import HttpChannel
from tools.channels.simulated.instant import InstantChannel
from tools.channels.simulated.personas import PERSONAS, draw, persona_of
from tools.channels.simulated.simulation import ScriptError, parse_entry, results_on

PHONE = "13800139999"


def request(key: str = "k1", channel: Channel = Channel.PHONE, **changes: Any) -> ContactRequest:
    values: dict[str, Any] = {
        "key": key,
        "channel": channel,
        "to": PHONE,
        "task_id": "HT1",
        "script_id": "visit",
        "variables": {"name": "王建国"},
        "callback_url": "http://127.0.0.1:9/callbacks",
        "simulation": None,
        "timeout_seconds": 5.0,
    }
    return ContactRequest(**(values | changes))


@contextmanager
def provider_answering(answer: bytes) -> Iterator[HttpChannel]:
    """A provider that reads one request and answers these bytes, then closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            received = b""
            while b"\r\n\r\n" not in received:
                received += connection.recv(65536)
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    gateway = HttpChannel(f"http://127.0.0.1:{listener.getsockname()[1]}", "secret-token")
    yield gateway
    gateway.close()
    thread.join(180)
    listener.close()


def http(status: str, body: object, *headers: str) -> bytes:
    text = json.dumps(body, ensure_ascii=False).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(text)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + text


def sent(answer: bytes) -> SendOutcome:
    with provider_answering(answer) as gateway:
        return gateway.send(request())


def test_no_repr_shows_a_number_a_name_or_a_token() -> None:
    shown = repr(request()) + repr(HttpChannel("http://127.0.0.1:9", "secret-token"))
    shown += repr(InstantChannel().send(request(simulation={"result": "answered", "transcript": PHONE})))
    assert "138****9999" in shown
    assert not any(private in shown for private in (PHONE, "王建国", "secret-token"))


def test_a_refused_connection_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    gateway = HttpChannel(f"http://127.0.0.1:{port}", "t")
    assert isinstance(gateway.send(request()), NotSent)
    assert isinstance(gateway.query(sought("k1"), timeout_seconds=1), Unreachable)
    gateway.close()


def test_a_connection_closed_without_an_answer_is_unknown() -> None:
    assert isinstance(sent(b""), Unknown)


def test_half_an_answer_is_unknown() -> None:
    assert isinstance(sent(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{"), Unknown)


@pytest.mark.parametrize("body", [{}, [], {"provider_id": "p"}, {"provider_id": "p", "key": "another"}])
def test_an_acceptance_that_does_not_name_the_contact_is_unknown(body: object) -> None:
    assert isinstance(sent(http("202 Accepted", body)), Unknown)


def test_an_acceptance_names_the_provider_id() -> None:
    assert sent(http("202 Accepted", {"provider_id": "p", "key": "k1"})) == Accepted("p", duplicate=False)


@pytest.mark.parametrize("status", ["500 X", "502 X", "504 X"])
def test_a_server_error_is_unknown(status: str) -> None:
    assert isinstance(sent(http(status, {})), Unknown)


@pytest.mark.parametrize("status", ["301 X", "400 X", "401 X", "403 X", "404 X", "409 X", "422 X"])
def test_a_refusal_is_permanent(status: str) -> None:
    assert isinstance(sent(http(status, {})), Rejected)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("12", 12.0),
        ("999999999", 3600.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
        ("1 Jan 99999999999999999999 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(header: str, seconds: float | None) -> None:
    outcome = sent(http("429 Too Many Requests", {}, f"Retry-After: {header}"))
    assert isinstance(outcome, NotSent)
    assert outcome.retry_after_seconds == seconds


def test_a_reason_repeats_the_provider_without_the_number() -> None:
    outcome = sent(http("400 Bad Request", {"error": {"message": f"{PHONE} is no number"}}))
    assert isinstance(outcome, Rejected)
    assert "is no number" in outcome.reason
    assert PHONE not in outcome.reason


def test_only_a_404_that_names_the_key_is_an_absence() -> None:
    with provider_answering(http("404 Not Found", {"key": "k1"})) as gateway:
        assert gateway.query(sought("k1"), timeout_seconds=5) == Absent()
    with provider_answering(http("404 Not Found", {"error": "no such page"})) as gateway:
        assert isinstance(gateway.query(sought("k1"), timeout_seconds=5), Unreachable)


@pytest.mark.parametrize("address", ["127.0.0.1:80", "ftp://host", "http://", "http://user:word@host"])
def test_a_base_url_that_is_no_address_is_refused_at_once(address: str) -> None:
    with pytest.raises(ValueError, match="channel_url"):
        HttpChannel(address, "t")


@given(key=st.text(min_size=1), channel=st.sampled_from(Channel), task=st.text())
def test_an_instant_answer_depends_on_the_request_alone(key: str, channel: Channel, task: str) -> None:
    asked = request(key, channel, task_id=task)
    assert InstantChannel().send(asked) == InstantChannel().send(asked)


def test_an_instant_channel_plays_the_script() -> None:
    outcome = InstantChannel().send(request(simulation={"result": "answered", "transcript": "不修了。"}))
    assert isinstance(outcome, Completed)
    assert (outcome.report.result, outcome.report.transcript) == (ContactResult.ANSWERED, "不修了。")


def test_an_instant_channel_rejects_a_script_it_cannot_play() -> None:
    assert isinstance(InstantChannel().send(request(simulation={"result": "?"})), Rejected)


def test_every_persona_and_every_result_of_a_call_is_drawn() -> None:
    tasks = [f"HT{number}" for number in range(3000)]
    assert {persona_of("seed", task).name for task in tasks} == {persona.name for persona in PERSONAS}
    drawn = {draw("seed", task, f"{task}/1", Channel.PHONE).result for task in tasks}
    texts_only = {ContactResult.DELIVERED, ContactResult.UNDELIVERED, ContactResult.EXPIRED}
    assert drawn == set(ContactResult) - texts_only


def test_another_seed_draws_other_customers() -> None:
    tasks = [f"HT{number}" for number in range(50)]
    assert [persona_of("one", task) for task in tasks] != [persona_of("two", task) for task in tasks]


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("result", ContactResult)
def test_only_an_answer_is_reported_as_one(channel: Channel, result: ContactResult) -> None:
    reported = results_on(channel, result)
    assert (ContactResult.ANSWERED in reported) == (result is ContactResult.ANSWERED)
    assert channel is Channel.PHONE or reported[0] in {ContactResult.DELIVERED, ContactResult.UNDELIVERED}


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({}, "result"),
        ({"result": "answered", "transcript": 1}, "transcript"),
        ({"result": "answered", "delay_seconds": -1}, "delay_seconds"),
        ({"result": "answered", "delay_seconds": float("nan")}, "delay_seconds"),
        ({"result": "answered", "says": "?"}, "says"),
    ],
)
def test_a_bad_script_entry_names_the_field(entry: dict[str, object], field: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_entry(entry)
    assert caught.value.field == field
