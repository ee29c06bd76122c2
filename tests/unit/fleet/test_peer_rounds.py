"""Rounds of the comparison: in turn, in reverse, and what they come to."""

from contextlib import AbstractContextManager

from bench.peers.peer import Ground, Peer, RunningPeer
from bench.peers.rounds import PeerRun, Spread, figures_of, in_turn


def never(ground: Ground) -> AbstractContextManager[RunningPeer]:
    raise AssertionError(ground)


def peer_run(name: str, number: int, seconds: float) -> PeerRun:
    return PeerRun(peer=name, round=number, workflows=100, seconds=seconds, cpu_seconds=seconds)


def test_every_second_round_runs_in_reverse_and_one_more_comes_before() -> None:
    peers = [Peer(name=name, run=never) for name in "AB"]
    assert [(number, one.name) for number, one in in_turn(peers, 2)] == [
        (0, "A"), (0, "B"), (1, "B"), (1, "A"), (2, "A"), (2, "B"),
    ]  # fmt: skip


def test_ratios_are_taken_round_by_round_and_the_first_round_does_not_count() -> None:
    made = [
        peer_run("ours", 0, 100), peer_run("theirs", 0, 1),
        peer_run("ours", 1, 1), peer_run("theirs", 1, 2),
        peer_run("ours", 2, 4), peer_run("theirs", 2, 16),
        peer_run("ours", 3, 2), peer_run("theirs", 3, 6),
    ]  # fmt: skip
    told = figures_of(made)
    assert list(told) == ["ours", "theirs"]
    assert told["ours"].rate == Spread(median=50, low=25, high=100)
    assert told["ours"].ratios["theirs"] == Spread(median=3, low=2, high=4)
    assert told["theirs"].cpu_milliseconds == Spread(median=60, low=20, high=160)
