"""Judges rescues: each needs a reason that took the holder from its lease; one without is false.

A lease that was to end at `expires_at` was last renewed its length before. Between that moment and the rescue the
holder must have ended, or been frozen, or PostgreSQL must have been away, or the machine must have left the holder
without a processor for a good part of that time, as the kernel counts it. The moments are those of the journal of
faults and of the watch over processes; a rescue for which none of these holds took a step from a worker at work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bench.chaos.faults.journal import FaultRecord
from bench.chaos.faults.plan import DATABASE_FAULTS, FaultKind
from bench.chaos.lives import Lives
from storage.orders.consistency.rescues import ObservedRescue

_MARGIN: Final = 1.0
"""Seconds by which a watch may be late."""
_STARVED: Final = 1 / 3
"""The share of a lease within which it is renewed."""


class RescueCause(StrEnum):
    """Why a holder lost its lease."""

    HOLDER_ENDED = "holder ended"
    HOLDER_FROZEN = "holder frozen"
    DATABASE_AWAY = "PostgreSQL away"
    HOLDER_STARVED = "holder without a processor"
    NONE = "none: a false rescue"


@dataclass(frozen=True, slots=True)
class JudgedRescue:
    """A rescue with its cause."""

    rescue: ObservedRescue
    cause: RescueCause
    delay: float | None
    """Seconds from what struck the holder to the rescue; none where it is not known what did."""


def judge(
    rescue: ObservedRescue, faults: Sequence[FaultRecord], lives: Lives, lease_seconds: float
) -> JudgedRescue:
    """Return the cause of a rescue."""
    at = rescue.rescued_at.timestamp()
    expired = at if rescue.expires_at is None else rescue.expires_at.timestamp()
    begin = expired - lease_seconds - _MARGIN
    pid = _pid_of(rescue.holder)
    struck = [each for each in faults if pid in each.pids and each.began <= at and each.ended >= begin]
    away = [f for f in faults if f.kind in DATABASE_FAULTS and f.began <= at and f.ended >= begin]
    frozen = [f for f in struck if f.kind in (FaultKind.PROCESS_FROZEN, FaultKind.POOL_FROZEN)]
    ended = [f for f in struck if f not in frozen]
    last_seen = None if pid is None else lives.last_seen(pid)
    if pid is not None and (ended or last_seen is None or last_seen < at - _MARGIN):
        since = min((f.began for f in ended), default=last_seen)
        return JudgedRescue(rescue, RescueCause.HOLDER_ENDED, None if since is None else at - since)
    if frozen:
        return JudgedRescue(rescue, RescueCause.HOLDER_FROZEN, at - min(f.began for f in frozen))
    if away:
        return JudgedRescue(rescue, RescueCause.DATABASE_AWAY, at - min(f.began for f in away))
    if pid is not None and lives.waited(pid, begin, at) > lease_seconds * _STARVED:
        return JudgedRescue(rescue, RescueCause.HOLDER_STARVED, None)
    return JudgedRescue(rescue, RescueCause.NONE, None)


def _pid_of(holder: str | None) -> int | None:
    """The process of a holder, which is written `name@host:pid`."""
    written = (holder or "").rpartition(":")[2]
    return int(written) if written.isdigit() else None
