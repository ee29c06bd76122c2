"""Rounds of runs: every peer in turn, the next round in reverse, and what they come to."""

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import psutil

from bench.cpu_shares import CpuShares
from bench.peers.peer import Peer
from bench.peers.servers import PeerServers


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRun:
    """One peer's workflows in one round; round 0 warms up the machine and does not count."""

    peer: str
    round: int
    workflows: int
    seconds: float
    cpu_seconds: float
    """Of its processes, PostgreSQL, the broker, and this process, which enqueues and waits."""

    @property
    def rate(self) -> float:
        """Workflows a second, from the first one enqueued to the last one done."""
        return self.workflows / self.seconds

    @property
    def cpu_milliseconds(self) -> float:
        """CPU a workflow."""
        return self.cpu_seconds / self.workflows * 1000


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with what it lies between."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        """The spread of at least one figure."""
        return cls(statistics.median(figures), min(figures), max(figures))


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerFigures:
    """What a peer's rounds come to."""

    rate: Spread
    cpu_milliseconds: Spread
    ratios: Mapping[str, Spread]
    """Its rate to that of each other peer, round by round."""


def in_turn(peers: Sequence[Peer], rounds: int) -> Iterator[tuple[int, Peer]]:
    """Each round's number with each peer; every second round in reverse, and one more before the first."""
    for number in range(rounds + 1):
        for peer in peers if number % 2 == 0 else reversed(peers):
            yield number, peer


def measured(servers: PeerServers, peer: Peer, number: int, workflows: int) -> PeerRun:
    """Measure one peer once, on a fresh database, with workers that have done a tenth as many before."""
    with servers.ground(peer.name) as ground, peer.run(ground) as workers:
        workers.carry(max(workflows // 10, 2))
        shares = CpuShares({**workers.parts, **servers.parts, "bench": psutil.Process()})
        began = time.perf_counter()
        workers.carry(workflows)
        seconds = time.perf_counter() - began
        spent = sum(seconds for _, seconds, _ in shares.spent())
    return PeerRun(peer=peer.name, round=number, workflows=workflows, seconds=seconds, cpu_seconds=spent)


def figures_of(runs: Sequence[PeerRun]) -> dict[str, PeerFigures]:
    """What the counted rounds come to, by peer in the order of round 0."""
    counted: dict[str, dict[int, PeerRun]] = {one.peer: {} for one in runs}
    for one in runs:
        if one.round:
            counted[one.peer][one.round] = one
    return {
        name: PeerFigures(
            rate=Spread.of([one.rate for one in rounds.values()]),
            cpu_milliseconds=Spread.of([one.cpu_milliseconds for one in rounds.values()]),
            ratios={
                other: Spread.of([one.rate / against[number].rate for number, one in rounds.items()])
                for other, against in counted.items()
            },
        )
        for name, rounds in counted.items()
    }
