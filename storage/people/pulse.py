"""What waits for people, as one short look that can be had again and again: how much, and whether it has changed."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.people.reviews import CLAIMED

_LOOK: Final = text(
    f"""
    SELECT r.open, r.taken, r.last_opened, r.last_claimed, a.raised, a.last_raised, a.seen
    FROM (SELECT count(*) AS open, count(*) FILTER (WHERE {CLAIMED}) AS taken, max(opened_at) AS last_opened,
                 max(claimed_at) AS last_claimed FROM reviews WHERE state = 'open') AS r,
         (SELECT count(*) AS raised, max(raised_at) AS last_raised,
                 count(*) FILTER (WHERE status = 'acknowledged') AS seen
          FROM alerts WHERE status <> 'resolved') AS a
    """
)


@dataclass(frozen=True, slots=True)
class PeoplePulse:
    """How many reviews and alerts wait; a revision is another text when anything of its list has changed."""

    open_reviews: int
    open_alerts: int
    reviews_revision: str
    alerts_revision: str


@dataclass(frozen=True, slots=True)
class WaitingForPeople(Repository):
    """Reads what waits for people, and changes nothing."""

    def look(self) -> PeoplePulse:
        """What waits at this moment."""
        row = self.connection.execute(_LOOK).one()
        return PeoplePulse(
            open_reviews=row.open,
            open_alerts=row.raised,
            reviews_revision=f"{row.open} {row.taken} {row.last_opened} {row.last_claimed}",
            alerts_revision=f"{row.raised} {row.last_raised} {row.seen}",
        )
