"""Draws a plan of faults from a seed: the same seed, duration and least number of kills give the same plan."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FaultKind(StrEnum):
    """What goes wrong."""

    PROCESS_KILLED = "process killed"
    POOL_KILLED = "pool process killed"
    PROCESS_FROZEN = "process frozen"
    POOL_FROZEN = "pool process frozen"
    BROKER_FLUSHED = "broker flushed"
    BROKER_RESTARTED = "broker restarted"
    BROKER_KILLED = "broker killed"
    DATABASE_RESTARTED = "database restarted (fast)"
    DATABASE_CRASHED = "database restarted (immediate)"
    DATABASE_KILLED = "database killed"
    COMMIT_CUT = "connection cut at a commit"
    MESSAGES_REPEATED = "messages repeated"
    MESSAGES_REORDERED = "messages reordered"
    MESSAGES_TRUNCATED = "messages truncated"
    PROVIDER_SLOW = "provider slow"
    PROVIDER_FAILING = "provider failing"
    PROVIDER_ANSWER_LOST = "provider's answer lost"
    CALLBACK_LOST = "callback lost"
    CALLBACKS_REPEATED = "callbacks repeated"
    CALLBACK_FIRST = "callback before the answer"
    CLOCK_OFF = "process with a clock that is off"


KILLS: Final = frozenset(
    {
        FaultKind.PROCESS_KILLED,
        FaultKind.POOL_KILLED,
        FaultKind.BROKER_KILLED,
        FaultKind.DATABASE_KILLED,
    }
)
"""The faults that end a process by SIGKILL."""

DATABASE_FAULTS: Final = frozenset(
    {FaultKind.DATABASE_RESTARTED, FaultKind.DATABASE_CRASHED, FaultKind.DATABASE_KILLED}
)
"""The faults during which PostgreSQL cannot be reached."""

_WEIGHTS: Final = {
    FaultKind.PROCESS_KILLED: 8,
    FaultKind.POOL_KILLED: 6,
    FaultKind.PROCESS_FROZEN: 3,
    FaultKind.POOL_FROZEN: 3,
    FaultKind.BROKER_FLUSHED: 3,
    FaultKind.BROKER_KILLED: 2,
    FaultKind.COMMIT_CUT: 5,
    FaultKind.MESSAGES_REPEATED: 3,
    FaultKind.MESSAGES_REORDERED: 3,
    FaultKind.MESSAGES_TRUNCATED: 2,
    FaultKind.PROVIDER_SLOW: 2,
    FaultKind.PROVIDER_FAILING: 2,
    FaultKind.PROVIDER_ANSWER_LOST: 3,
    FaultKind.CALLBACK_LOST: 2,
    FaultKind.CALLBACKS_REPEATED: 2,
    FaultKind.CALLBACK_FIRST: 2,
}
"""How often each is drawn beside the one of each kind that every plan has, where there is room."""

_EVERY_SECONDS: Final = 2.5
"""The mean time between two faults."""
_QUIET: Final = 0.08
"""The share of the time at its beginning and its end that has no faults."""
_LONGEST_FREEZE: Final = 20.0
_MOST_TIMES: Final = 6
_CLOCKS: Final = (-7, -3, 2, 9)
_SHIFTED: Final = ("contact", "triage", "action", "audit", "tick")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """One fault of a plan."""

    at: float
    """Seconds from the beginning."""
    kind: FaultKind
    target: str
    """The process, where the fault is one of a process."""
    seconds: float
    """How long it lasts, where it lasts."""
    times: int
    """How often, or by how much: commits cut, messages repeated, requests refused, hours a clock is off."""


def draw_plan(
    seed: int, *, seconds: float, kills: int, processes: Sequence[str], pools: Sequence[str]
) -> tuple[PlannedFault, ...]:
    """Return the plan of this seed, in the order of its moments.

    Args:
        seed: Draws everything.
        seconds: How long faults are made.
        kills: The least number of processes that are killed.
        processes: The names of the processes that may be killed and frozen.
        pools: Those of them that have a pool of processes.
    """
    # The numbers must be the same for the same seed, not impossible to guess.
    drawn = random.Random(f"unpend chaos {seed}")  # noqa: S311
    kinds = _kinds(drawn, max(int(seconds / _EVERY_SECONDS), 1), kills)
    begin, end = seconds * _QUIET, seconds * (1 - _QUIET)
    moments = sorted(drawn.uniform(begin, end) for _ in kinds)
    faults = []
    for at, kind in zip(moments, kinds, strict=True):
        target = ""
        times = drawn.randint(1, _MOST_TIMES)
        if kind in (FaultKind.PROCESS_KILLED, FaultKind.PROCESS_FROZEN):
            target = drawn.choice(processes)
        elif kind in (FaultKind.POOL_KILLED, FaultKind.POOL_FROZEN):
            target = drawn.choice(pools)
        elif kind is FaultKind.CLOCK_OFF:
            target, times = drawn.choice(_SHIFTED), drawn.choice(_CLOCKS)
        faults.append(
            PlannedFault(
                at=at,
                kind=kind,
                target=target,
                seconds=min(drawn.uniform(1.0, _LONGEST_FREEZE), seconds / 3),
                times=times,
            )
        )
    return tuple(faults)


def _kinds(drawn: random.Random, number: int, kills: int) -> list[FaultKind]:
    """The kinds in the order in which they are made: one of each first drawn, then by weight, then what kills lack."""
    once = list(FaultKind)
    drawn.shuffle(once)
    chosen = once[:number]
    further = max(number - len(chosen), 0)
    chosen += drawn.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()), k=further)
    lacking = kills - sum(kind in KILLS for kind in chosen)
    chosen += drawn.choices(
        [FaultKind.PROCESS_KILLED, FaultKind.POOL_KILLED], weights=[4, 3], k=max(lacking, 0)
    )
    drawn.shuffle(chosen)
    return chosen
