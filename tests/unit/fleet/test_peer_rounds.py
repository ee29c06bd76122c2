"""Rounds of the comparison: in turn, in reverse, and what they come to."""

from contextlib import AbstractContextManager

from bench.peers.candidate import Candidate, Ground, Workers
from bench.peers.rounds import Measurement, Spread, in_turn, standings


def never(ground: Ground) -> AbstractContextManager[Workers]:
    raise AssertionError(ground)


def measurement(name: str, number: int, seconds: float) -> Measurement:
    return Measurement(candidate=name, round=number, workflows=100, seconds=seconds, cpu_seconds=seconds)


def test_every_second_round_runs_in_reverse_and_one_more_comes_before() -> None:
    candidates = [Candidate(name=name, run=never) for name in "AB"]
    assert [(number, one.name) for number, one in in_turn(candidates, 2)] == [
        (0, "A"), (0, "B"), (1, "B"), (1, "A"), (2, "A"), (2, "B"),
    ]  # fmt: skip


def test_ratios_are_taken_round_by_round_and_the_first_round_does_not_count() -> None:
    made = [
        measurement("ours", 0, 100), measurement("theirs", 0, 1),
        measurement("ours", 1, 1), measurement("theirs", 1, 2),
        measurement("ours", 2, 4), measurement("theirs", 2, 16),
        measurement("ours", 3, 2), measurement("theirs", 3, 6),
    ]  # fmt: skip
    told = standings(made)
    assert list(told) == ["ours", "theirs"]
    assert told["ours"].rate == Spread(median=50, low=25, high=100)
    assert told["ours"].ratios["theirs"] == Spread(median=3, low=2, high=4)
    assert told["theirs"].cpu_milliseconds == Spread(median=60, low=20, high=160)
