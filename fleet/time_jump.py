"""Moves the business clock to the next due time when the fleet is idle."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from storage.core.database import Database
from storage.engine.clock import BusinessClock
from storage.engine.queues import Queues
from tasks.outbound.product import OUTBOUND

_TOGETHER: Final = timedelta(minutes=1)
"""What is due within a minute is reached by one jump."""


class JumpResult(StrEnum):
    """The result of looking for a time jump."""

    BUSY = "busy"
    JUMPED = "jumped"
    SETTLED = "settled"
    """Nothing is to happen before the horizon."""


@dataclass(frozen=True, slots=True)
class TimeJumper:
    """Moves the business clock of an idle fleet."""

    database: Database

    def look(self, horizon: timedelta | None = None) -> JumpResult:
        """Jump if the fleet is idle and the next due time lies within the horizon.

        A wait on the database clock is work of the world outside (a call under way): no jump passes over it. What
        other systems and staff are yet to be sent is no work of an order.
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
