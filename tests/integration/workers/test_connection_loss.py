"""The broker is lost while contacts are in the middle of their sends (docs/decisions/0007)."""

from tests.support.fleet.sending import Sending, children_of
from tests.support.fleet.worker_events import hearing
from tests.support.waiting import wait_until


def test_what_is_being_sent_when_the_broker_is_lost_is_recorded_by_whoever_sent_it(sending: Sending) -> None:
    with sending.worker() as worker:
        sending.begin(3)
        before = children_of(worker)
        sending.lose_broker()
        sending.provider.answers.set()
        steps = sending.parked(3)
        assert children_of(worker) == before
    assert [(step.delivery, step.crashes) for step in steps] == [(1, 0)] * 3
    assert set(sending.provider.sent.values()) == {1}
    assert not sending.provider.asked


def test_after_a_lost_broker_the_next_message_is_worked_and_its_end_is_told(sending: Sending) -> None:
    with sending.worker():
        sending.begin(1)
        sending.lose_broker()
        with hearing(sending.process.app, "task-succeeded") as ended:
            sending.provider.answers.set()
            sending.parked(1)
            sending.begin(1)
            sending.parked(2)
            wait_until(lambda: len(ended()) == 2, "the end of both messages is told")
    assert set(sending.provider.sent.values()) == {1}
