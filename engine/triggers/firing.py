"""What becomes of the due times of a schedule: which begin a run now, and which wait. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from statemachine.workflow.options.triggers import CatchUp, Overlap

MOST_TIMES: Final = 100
"""Times that are made up for after an outage, and that wait in a queue: of more, the latest and the first."""


@dataclass(frozen=True, slots=True)
class Firing:
    """What a schedule does now."""

    begun: tuple[datetime, ...] = ()
    """The times for which a run is begun, the earliest first."""
    cancels: bool = False
    """Whether the open run before is cancelled first."""
    queued: tuple[datetime, ...] = ()
    """The times whose runs wait for the one before to end."""


def wanted(times: Sequence[datetime], catch_up: CatchUp, *, missed_before: datetime) -> Sequence[datetime]:
    """Those of the times found due that are to begin a run; earlier ones were missed.

    One that is on time stands for all that were missed, where only the last of them is made up for.
    """
    if catch_up is CatchUp.ALL:
        return times[-MOST_TIMES:]
    on_time = [time for time in times if time >= missed_before]
    return on_time or (times[-1:] if catch_up is CatchUp.LAST else ())


def firing(
    times: Sequence[datetime], overlap: Overlap, *, is_open: bool, queued: Sequence[datetime] = ()
) -> Firing:
    """What becomes of these times, one after the other, while the run of an earlier one is open or not."""
    if overlap is Overlap.ALLOW:
        return Firing((*queued, *times))
    if overlap is Overlap.CANCEL:
        # A run that would be cancelled in the moment it begins is none.
        latest = (*queued, *times)[-1:]
        return Firing(latest, cancels=is_open and bool(latest))
    room = {Overlap.QUEUE_ONE: 1, Overlap.QUEUE_ALL: MOST_TIMES}.get(overlap, 0)
    line = [*queued, *times]
    begun = () if is_open else tuple(line[:1])
    return Firing(begun, queued=tuple(line[len(begun) :][:room]))
