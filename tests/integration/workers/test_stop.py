"""A worker is told to stop: while contacts are in the middle of their sends, and while its pool cannot end."""

import signal
from pathlib import Path

import psutil

from tests.support.fleet.sending import Sending
from tests.support.fleet.worker_process import worker_process
from tests.support.probe import Probe
from tests.support.waiting import wait_until

_INTENTS = "SELECT status FROM contact_logs"


def test_what_is_still_being_sent_after_the_soft_shutdown_is_asked_for_by_key_and_not_sent_again(
    sending: Sending,
) -> None:
    with sending.worker(UNPEND_SOFT_SHUTDOWN_SECONDS="0.5", UNPEND_LEASE_SECONDS="3") as worker:
        sending.begin(2)
        worker.send_signal(signal.SIGTERM)
        worker.wait(180)
    assert Probe(sending.process.database).values(_INTENTS) == ["sending"] * 2
    sending.provider.answers.set()
    with sending.worker(UNPEND_LEASE_SECONDS="3"):
        sending.parked(2)
    assert set(sending.provider.sent.values()) == {1}
    assert set(sending.provider.asked) == set(sending.provider.sent)
    assert Probe(sending.process.database).values(_INTENTS) == ["sent"] * 2


def test_a_worker_ends_though_a_child_of_its_pool_never_does(
    database_url: str, broker_url: str, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    with worker_process(
        "outbound",
        database_url,
        broker_url,
        tmp_path,
        UNPEND_READY_FILE=str(ready),
        UNPEND_SOFT_SHUTDOWN_SECONDS="0.5",
    ) as worker:
        wait_until(ready.exists, seconds=90)
        for child in psutil.Process(worker.pid).children():
            child.suspend()
        worker.send_signal(signal.SIGTERM)
        worker.wait(180)
