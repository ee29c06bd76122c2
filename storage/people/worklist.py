"""The worklist: the open reviews in the order in which people see to them, and the first free one taken."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.people.answers import BARRED, MAY_ANSWER, Respondent
from storage.people.reviews import CLAIMED, FIELDS, TAKE_MINUTES, TAKEN_BY_ME, Review

_SOON: Final = "(SELECT business_now()) + interval '30 minutes'"
BANDS: Final = (
    "flagged",
    f"NOT flagged AND deadline_at <= {_SOON}",
    f"NOT flagged AND (deadline_at <= {_SOON}) IS NOT TRUE",
)
"""As SQL: what goes first (danger and safety), what is overdue or nearly so, the rest. Each is one walk of an index."""
WITHIN_BAND: Final = "rank_at, review_id"
"""The order within a band: by priority with ageing, the oldest first."""


def _first_of(band: str) -> str:
    return (
        f"(SELECT review_id FROM reviews WHERE state = 'open' AND {band} AND {CLAIMED} IS NOT TRUE "
        f"AND ({MAY_ANSWER}) AND NOT {BARRED} ORDER BY {WITHIN_BAND} LIMIT 1 FOR UPDATE OF reviews SKIP LOCKED)"
    )


# Each band is looked at only where those before it have none: `coalesce` goes no further than it must.
_TAKE_FIRST = text(
    f"WITH {', '.join(f'band{nth} AS MATERIALIZED {_first_of(band)}' for nth, band in enumerate(BANDS))} "
    f"UPDATE reviews SET {TAKEN_BY_ME} WHERE review_id = "
    f"coalesce({', '.join(f'(SELECT review_id FROM band{nth})' for nth in range(len(BANDS)))}) RETURNING {FIELDS}"
)


@dataclass(frozen=True, slots=True)
class Worklist(Repository):
    """The order of open reviews; what takes them writes as `Reviews` does."""

    def take_first(self, by: Respondent) -> Review | None:
        """Take the first review that nobody has and this person may answer; whoever asks at once gets another."""
        given = {"by": by.name, "minutes": TAKE_MINUTES, **by.parameters}
        row = self.connection.execute(_TAKE_FIRST, given).one_or_none()
        return None if row is None else Review(**row._mapping)
