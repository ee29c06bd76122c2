"""Rounds of measurements: every candidate in turn, the next round in reverse, and what they come to."""

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import psutil

from bench.cpu_shares import CpuShares
from bench.peers.candidate import Candidate
from bench.peers.servers import PeerServers


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One candidate's workflows in one round; round 0 warms up the machine and does not count."""

    candidate: str
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
class Standing:
    """What a candidate's rounds come to."""

    rate: Spread
    cpu_milliseconds: Spread
    ratios: Mapping[str, Spread]
    """Its rate to that of each other candidate, round by round."""


def in_turn(candidates: Sequence[Candidate], rounds: int) -> Iterator[tuple[int, Candidate]]:
    """Each round's number with each candidate; every second round in reverse, and one more before the first."""
    for number in range(rounds + 1):
        for candidate in candidates if number % 2 == 0 else reversed(candidates):
            yield number, candidate


def measured(servers: PeerServers, candidate: Candidate, number: int, workflows: int) -> Measurement:
    """Measure one candidate once, on a fresh database, with workers that have done a tenth as many before."""
    with servers.ground(candidate.name) as ground, candidate.run(ground) as workers:
        workers.carry(max(workflows // 10, 2))
        shares = CpuShares({**workers.parts, **servers.parts, "bench": psutil.Process()})
        began = time.perf_counter()
        workers.carry(workflows)
        seconds = time.perf_counter() - began
        spent = sum(seconds for _, seconds, _ in shares.spent())
    return Measurement(
        candidate=candidate.name, round=number, workflows=workflows, seconds=seconds, cpu_seconds=spent
    )


def standings(measurements: Sequence[Measurement]) -> dict[str, Standing]:
    """What the counted rounds come to, by candidate in the order of round 0."""
    counted: dict[str, dict[int, Measurement]] = {one.candidate: {} for one in measurements}
    for one in measurements:
        if one.round:
            counted[one.candidate][one.round] = one
    return {
        name: Standing(
            rate=Spread.of([one.rate for one in rounds.values()]),
            cpu_milliseconds=Spread.of([one.cpu_milliseconds for one in rounds.values()]),
            ratios={
                other: Spread.of([one.rate / against[number].rate for number, one in rounds.items()])
                for other, against in counted.items()
            },
        )
        for name, rounds in counted.items()
    }
