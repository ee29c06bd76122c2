"""A worker is told to stop while contacts are in the middle of their sends, and they take longer than it is given."""

import signal

from tests.support.fleet.sending import Sending
from tests.support.probe import Probe

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
