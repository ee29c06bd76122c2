"""The real process: ended in mid-delivery, told to stop, without its database."""

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.fleet.worker_process import kill, worker_process
from tests.support.outbound.process import beating
from tests.support.outbound.webhook_receiver import Received, Reply, WebhookReceiver
from tests.support.outbound.webhook_sender import WebhookSenderAtWork, event

Wait = Callable[[Callable[[], bool]], None]


@pytest.fixture
def wait(database_url: str, broker_url: str) -> Iterator[Wait]:
    with beating(database_url, broker_url) as waiting:
        yield waiting


@pytest.fixture
def held(receiver: WebhookReceiver) -> threading.Event:
    """The receiver answers nothing before this is set."""
    answered = threading.Event()

    def behave(_: Received) -> Reply:
        return Reply(after=answered)

    receiver.behaviour = behave
    return answered


def test_what_was_under_way_when_it_was_killed_is_sent_again_under_the_same_id(
    office: WebhookSenderAtWork,
    receiver: WebhookReceiver,
    held: threading.Event,
    wait: Wait,
    database_url: str,
    broker_url: str,
    tmp_path: Path,
) -> None:
    office.subscribe(receiver.url)
    office.tell(event("a"))
    with worker_process("outbound", database_url, broker_url, tmp_path, UNPEND_LEASE_SECONDS="3") as process:
        wait(lambda: len(receiver.received) == 1)
        kill(process)
    held.set()
    assert office.states() == ["waiting"]
    with worker_process("outbound", database_url, broker_url, tmp_path):
        wait(lambda: office.states() == ["delivered"])
    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)


def test_told_to_stop_it_writes_down_what_was_under_way(
    office: WebhookSenderAtWork,
    receiver: WebhookReceiver,
    held: threading.Event,
    wait: Wait,
    database_url: str,
    broker_url: str,
    tmp_path: Path,
) -> None:
    office.subscribe(receiver.url)
    office.tell(event("a"))
    with worker_process("outbound", database_url, broker_url, tmp_path) as process:
        wait(lambda: len(receiver.received) == 1)
        process.send_signal(signal.SIGTERM)
        held.set()
        process.wait(180)
    assert office.states() == ["delivered"]


def test_its_log_holds_no_secret_and_no_path_of_an_address(
    office: WebhookSenderAtWork,
    receiver: WebhookReceiver,
    wait: Wait,
    database_url: str,
    broker_url: str,
    tmp_path: Path,
) -> None:
    receiver.behaviour = lambda _: Reply(500)
    office.subscribe(f"{receiver.url}?token=abcdef")
    office.tell(event("a"))
    with worker_process("outbound", database_url, broker_url, tmp_path):
        wait(lambda: office.log() != [] and office.log()[0].last_status == 500)
    written = (tmp_path / "log").read_text(encoding="utf-8")
    assert "answered 500" in written
    assert "token" not in written
    assert "whsec_" not in written
