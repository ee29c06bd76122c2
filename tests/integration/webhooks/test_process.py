"""The real process: ended in mid-delivery, told to stop, without its database."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.settings import PROJECT
from tests.house import CIPHER_KEY
from tests.integration.fleet.conditions import wait_until
from tests.integration.webhooks.office import Office, event
from tests.integration.webhooks.receiver import Received, Receiver, Reply


@contextmanager
def courier(database_url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m workers webhooks`, begun."""
    mark = folder / "ready"
    mark.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "UNPEND_DATABASE_URL": database_url,
        "UNPEND_BROKER_URL": "redis://127.0.0.1:1/0",
        "UNPEND_CIPHER_KEY": CIPHER_KEY,
        "UNPEND_CALLBACK_SECRET": "a secret of the tests",
        "UNPEND_READY_FILE": str(mark),
    }
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers", "webhooks"],
            cwd=PROJECT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(mark.exists, seconds=180)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(180)


@pytest.fixture
def held(receiver: Receiver) -> threading.Event:
    """The receiver answers nothing before this is set."""
    answered = threading.Event()

    def behave(_: Received) -> Reply:
        return Reply(after=answered)

    receiver.behaviour = behave
    return answered


def test_what_was_under_way_when_it_was_killed_is_sent_again_under_the_same_id(
    office: Office, receiver: Receiver, held: threading.Event, database_url: str, tmp_path: Path
) -> None:
    office.subscribe(receiver.url)
    office.tell(event("a"))
    with courier(database_url, tmp_path) as process:
        wait_until(lambda: len(receiver.received) == 1)
        process.kill()
    held.set()
    assert office.states() == ["waiting"]
    office.change("UPDATE deliveries SET due_at = clock_timestamp()")
    with courier(database_url, tmp_path):
        wait_until(lambda: office.states() == ["delivered"])
    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)


def test_told_to_stop_it_writes_down_what_was_under_way(
    office: Office, receiver: Receiver, held: threading.Event, database_url: str, tmp_path: Path
) -> None:
    office.subscribe(receiver.url)
    office.tell(event("a"))
    with courier(database_url, tmp_path) as process:
        wait_until(lambda: len(receiver.received) == 1)
        process.send_signal(signal.SIGTERM)
        held.set()
        assert process.wait(180) == 0
    assert office.states() == ["delivered"]


def test_its_log_holds_no_secret_and_no_path_of_an_address(
    office: Office, receiver: Receiver, database_url: str, tmp_path: Path
) -> None:
    receiver.behaviour = lambda _: Reply(500)
    office.subscribe(f"{receiver.url}?token=abcdef")
    office.tell(event("a"))
    with courier(database_url, tmp_path):
        wait_until(lambda: office.log() != [] and office.log()[0].last_status == 500)
    written = (tmp_path / "log").read_text(encoding="utf-8")
    assert "answered 500" in written
    assert "token" not in written
    assert "whsec_" not in written
