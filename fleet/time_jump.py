"""Leaping over idle time: when nothing is under way, the business clock shows the moment of what is due next."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from storage.core.database import Database
from storage.engine.clock import BusinessClock
from storage.engine.queues import Queues
from tasks.outbound.product import OUTBOUND

_TOGETHER: Final = timedelta(minutes=1)
"""What is due within a minute is leapt to together."""


class JumpResult(StrEnum):
    """What a look at the fleet led to."""

    BUSY = "busy"
    JUMPED = "leapt"
    SETTLED = "settled"
    """Nothing is to happen before the horizon."""


@dataclass(frozen=True, slots=True)
class TimeJumper:
    """Moves the business clock of an idle fleet."""

    database: Database

    def look(self, horizon: timedelta | None = None) -> JumpResult:
        """Leap if the fleet is idle and the next thing due lies within the horizon.

        A wait on the database's clock is work of the world outside (a call under way): it is not leapt over; what
        other systems and staff are yet to be sent is no order's work.
        """
        with self.database.transaction() as work:
            ahead = Queues(work).horizon(beside=(OUTBOUND.name,))
            if ahead.busy or ahead.database_due is not None:
                return JumpResult.BUSY
            now = BusinessClock(work).now().business_now
            due = ahead.business_due
            if due is None or (horizon is not None and due > now + horizon):
                return JumpResult.SETTLED
            if due <= now:
                return JumpResult.BUSY
            BusinessClock(work).set(_end_of_minute(due))
            return JumpResult.JUMPED


def _end_of_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0) + _TOGETHER
