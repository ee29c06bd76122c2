"""The numbers of one business day that no running figure keeps, read over the day's own rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.orders.figures.feeds import ZONE, day_of
from storage.orders.figures.figures import AUTOMATION

_LONGEST_QUESTION: Final = "31 days"
"""How long a question may have been open that is counted when it is decided; a deadline comes within days."""

_ACCEPTED: Final = text(
    f"SELECT {day_of('created_at')} AS day, count(*) AS orders FROM tasks "
    "WHERE created_at >= :opens AND created_at < :ends GROUP BY 1"
)
# An attempt of which nothing left is none, here as in the caps.
_CONTACTS: Final = text(
    f"""
    SELECT CAST(extract(hour FROM contact_time AT TIME ZONE '{ZONE}') AS integer) AS hour, contact_method AS channel,
        count(*) FILTER (WHERE contact_result = 'answered') AS answered,
        count(*) FILTER (WHERE status = 'concluded' AND contact_result <> 'answered') AS silent,
        count(*) FILTER (WHERE status = 'sent' AND contact_result <> 'answered') AS awaited,
        count(*) FILTER (WHERE status = 'sending' AND contact_result <> 'answered') AS unknown
    FROM contact_logs
    WHERE contact_time >= :opens AND contact_time < :ends AND direction = 'outbound' AND status <> 'refused'
    GROUP BY hour, channel ORDER BY hour, channel
    """
)
_DECIDED: Final = text(
    f"""
    SELECT count(*) FROM reviews
    WHERE opened_at >= CAST(:opens AS timestamptz) - interval '{_LONGEST_QUESTION}' AND opened_at < :ends
      AND decided_at >= :opens AND decided_at < :ends AND state = 'decided'
    """
)
_AUTOMATION: Final = text(AUTOMATION.format(within="timestamp >= :opens AND timestamp < :ends"))


@dataclass(frozen=True, slots=True)
class HourContacts:
    """The contacts of an hour by one channel, each by what came of it so far."""

    hour: int
    channel: str
    answered: int
    silent: int
    """Over, and nobody answered."""
    awaited: int
    """Sent; what came of it is not known yet."""
    unknown: int
    """Intended; whether it left is not known yet."""

    @property
    def intended(self) -> int:
        """All of them."""
        return self.answered + self.silent + self.awaited + self.unknown


@dataclass(frozen=True, slots=True)
class AutomationFigures:
    """Orders that were triaged and whose fate is known: executed without a person, and all of them."""

    alone: int
    decided: int

    @property
    def share(self) -> float | None:
        """The share executed without a person; there is none of nothing."""
        return self.alone / self.decided if self.decided else None


@dataclass(frozen=True, slots=True)
class DayFigures(Repository):
    """Read-only, in a snapshot; a period in business time, whose `ends` does not belong to it."""

    def accepted(self, opens: datetime, ends: datetime) -> dict[date, int]:
        """The orders accepted on each of the days on which there were any."""
        rows = self.connection.execute(_ACCEPTED, {"opens": opens, "ends": ends})
        return {date.fromisoformat(row.day): row.orders for row in rows}

    def contacts(self, opens: datetime, ends: datetime) -> Sequence[HourContacts]:
        """The contacts by hour and channel, in this order, where there were any."""
        rows = self.connection.execute(_CONTACTS, {"opens": opens, "ends": ends})
        return [HourContacts(*row) for row in rows]

    def decided(self, opens: datetime, ends: datetime) -> int:
        """The questions that people decided."""
        return int(self.connection.execute(_DECIDED, {"opens": opens, "ends": ends}).scalar_one())

    def automation(self, opens: datetime, ends: datetime) -> AutomationFigures:
        """Whether orders were executed without a person, of those triaged in the period."""
        row = self.connection.execute(_AUTOMATION, {"opens": opens, "ends": ends}).one()
        return AutomationFigures(row.alone, row.decided)
