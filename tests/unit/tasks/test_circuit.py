"""How much a subscriber gets at once: by how it answered lately."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.outbound.circuit import FAILURES_TO_OPEN, Circuit


def failed(number: int, now: float = 0.0) -> Circuit:
    """A subscriber of which so many tries in a row have failed."""
    circuit = Circuit(4)
    for _ in range(number):
        circuit.under_way += 1
        circuit.note(now, delivered=False)
    return circuit


def test_one_that_answers_gets_what_is_allowed() -> None:
    circuit = Circuit(4)
    circuit.under_way = 3
    assert circuit.room(0.0) == 1


def test_one_that_fails_often_is_left_alone_and_then_tried_once() -> None:
    circuit = failed(FAILURES_TO_OPEN)
    assert circuit.room(4.9) == 0
    assert circuit.room(5.1) == 1
    circuit.under_way = 1
    assert circuit.room(5.1) == 0


def test_one_success_opens_the_way_again() -> None:
    circuit = failed(FAILURES_TO_OPEN)
    circuit.under_way = 1
    circuit.note(6.0, delivered=True)
    assert circuit.room(6.0) == 4


@given(st.integers(FAILURES_TO_OPEN, 200))
def test_a_pause_grows_to_five_minutes_and_no_further(failures: int) -> None:
    pause = failed(failures).paused_until
    assert 5.0 <= pause <= 300.0
    assert failed(failures + 1).paused_until >= pause


@given(st.lists(st.booleans(), max_size=50))
def test_there_is_never_less_than_no_room(results: list[bool]) -> None:
    circuit = Circuit(4)
    for delivered in results:
        circuit.under_way += 1
        assert circuit.room(1e9) >= 0
        circuit.note(0.0, delivered=delivered)
    assert circuit.under_way == 0
