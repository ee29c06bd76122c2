"""What counts as a request to stop."""

import os
import signal
from collections.abc import Iterator

import pytest

from fleet.supervisor.stop_request import STOP_SIGNALS, StopRequest


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Signals mean what they mean by default, also under nohup, and after the test what they meant before it."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_asks_for_the_stop_and_means_again_what_it_meant(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with StopRequest() as request:
        assert not request.happened()
        os.kill(os.getpid(), number)
        assert request.happened()
    assert signal.getsignal(number) == before


def test_a_terminal_that_is_closed_does_not_stop_what_was_started_under_nohup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with StopRequest() as request:
        os.kill(os.getpid(), signal.SIGHUP)
        assert not request.happened()


def test_a_request_from_elsewhere_holds_once_it_was_made() -> None:
    answers = iter([False, True])
    request = StopRequest(further=lambda: next(answers))
    assert [request.happened() for _ in range(3)] == [False, True, True]
