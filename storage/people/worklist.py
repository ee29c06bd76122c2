"""The worklist: the open reviews in the order in which people see to them, and the first free one taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.people.answers import BARRED, MAY_ANSWER, Respondent
from storage.people.reviews import CLAIMED, FIELDS, TAKE_MINUTES, TAKEN_BY_ME, Review


def _bands(now: str) -> tuple[str, str, str]:
    """As SQL: what goes first (danger and safety), what is overdue or nearly so, the rest."""
    is_soon = f"deadline_at <= {now} + interval '30 minutes'"
    return "flagged", f"NOT flagged AND {is_soon}", f"NOT flagged AND ({is_soon}) IS NOT TRUE"


WITHIN_BAND: Final = "rank_at, review_id"
"""The order within a band: by priority with ageing, the oldest first."""


def _first_of(band: str, chosen: str) -> str:
    return (
        f"(SELECT review_id FROM reviews WHERE state = 'open' AND {band} AND {chosen} AND {CLAIMED} IS NOT TRUE "
        f"AND ({MAY_ANSWER}) AND NOT {BARRED} ORDER BY {WITHIN_BAND} LIMIT 1 FOR UPDATE OF reviews SKIP LOCKED)"
    )


_NOW: Final = _bands("(SELECT business_now())")
# A list and its counts are read in one transaction: whether a claim holds is the same in both.
_HELD: Final = "(claimed_until > transaction_timestamp()) IS TRUE"


class Holder(StrEnum):
    """Whose reviews are listed."""

    ANYONE = "anyone"
    MINE = "mine"
    OTHERS = "others"
    FREE = "free"


_HOLDERS: Final = {
    Holder.ANYONE: "true",
    Holder.MINE: f"({_HELD} AND claimed_by = CAST(:by AS text))",
    Holder.OTHERS: f"({_HELD} AND claimed_by IS DISTINCT FROM CAST(:by AS text))",
    Holder.FREE: f"NOT {_HELD}",
}
COUNTED: Final = ("reason", "suggestion", "product", "region", "flagged", "workflow")
"""What reviews are counted by, each a column; all but the holder of what lists are narrowed by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistFilter:
    """Which open reviews are listed: those that have all of what is given; an empty text: those that have none."""

    reason: str | None = None
    suggestion: str | None = None
    product: str | None = None
    region: str | None = None
    flagged: bool | None = None
    workflow: str | None = None
    holder: Holder = Holder.ANYONE
    by: str | None = None
    """Who asks: whose reviews are `mine`."""

    @property
    def given(self) -> dict[str, object]:
        """What of `COUNTED` is given, by name."""
        every = {name: getattr(self, name) for name in COUNTED}
        return {name: value for name, value in every.items() if value is not None}

    @property
    def parameters(self) -> dict[str, object]:
        """What the conditions read."""
        by = {} if self.holder in (Holder.ANYONE, Holder.FREE) else {"by": self.by}
        return self.given | by

    @property
    def listed(self) -> str:
        """As SQL: which reviews are in the list."""
        return f"{self.held} AND {self.chosen()}"

    @property
    def held(self) -> str:
        """As SQL: which are open, and held by whom was asked for."""
        return f"state = 'open' AND {_HOLDERS[self.holder]}"

    def chosen(self, *, without: str = "") -> str:
        """As SQL: which have what is given, but for one name."""
        return " AND ".join(["true", *(f"{name} = :{name}" for name in self.given if name != without)])


EVERYTHING: Final = WorklistFilter()
"""No review is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistPlace:
    """A place in the list: what comes behind it is the next page."""

    began_at: datetime
    """Business time of the first page: what is nearly overdue is asked as of then, so that nothing is left out."""
    band: int
    rank_at: datetime
    review_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedReview:
    """An open review in the list, with what it is about; a text is empty where nothing is known."""

    review: Review
    place: WorklistPlace
    workflow: str
    suggestion: str
    product: str
    region: str
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistCounts:
    """How many reviews there are."""

    total: int
    """As many as the list has."""
    by: Mapping[str, Mapping[str, int]]
    """By each of `COUNTED`, of its values as texts: as many as the list would have with this value instead."""


_FACTS: Final = ("workflow", "suggestion", "product", "region")
_NAMES: Final = tuple(each.name for each in fields(Review))


def _part(nth: int, band: str, chosen: WorklistFilter, *, goes_on: bool) -> str:
    """One band's rows from behind the place on; few are overdue of many, so those are found by their deadline."""
    behind = f"({WITHIN_BAND}) > (:rank_at, :review_id)" if goes_on else "true"
    found = f"FROM reviews WHERE {chosen.listed} AND {band} AND {behind}"
    if nth == 1:
        found = f"FROM (SELECT {WITHIN_BAND} {found} OFFSET 0) AS soon"
    return f"(SELECT {nth} AS band, {WITHIN_BAND} {found} ORDER BY {WITHIN_BAND} LIMIT :limit)"


def _taking_first(chosen: WorklistFilter) -> str:
    # Each band is looked at only where those before it have none: `coalesce` goes no further than it must.
    bands = [f"band{nth} AS MATERIALIZED {_first_of(band, chosen.chosen())}" for nth, band in enumerate(_NOW)]
    first = ", ".join(f"(SELECT review_id FROM band{nth})" for nth in range(len(_NOW)))
    return (
        f"WITH {', '.join(bands)} UPDATE reviews SET {TAKEN_BY_ME} "
        f"WHERE review_id = coalesce({first}) RETURNING {FIELDS}"
    )


@dataclass(frozen=True, slots=True)
class Worklist(Repository):
    """The order of open reviews; what takes them writes as `Reviews` does."""

    def take_first(self, by: Respondent, chosen: WorklistFilter = EVERYTHING) -> Review | None:
        """Take the first review that nobody has and this person may answer; whoever asks at once gets another.

        `chosen` narrows what is taken as it narrows the list, but for the holder: who has a review keeps it.
        """
        given = {**chosen.given, "by": by.name, "minutes": TAKE_MINUTES, **by.parameters}
        row = self.connection.execute(text(_taking_first(chosen)), given).one_or_none()
        return None if row is None else Review(**row._mapping)

    def page(
        self,
        chosen: WorklistFilter,
        *,
        now: datetime,
        after: WorklistPlace | None = None,
        limit: int = 100,
    ) -> Sequence[RankedReview]:
        """Open reviews in the order in which `take_first` takes them, from behind the place on."""
        began_at = now if after is None else after.began_at
        given: dict[str, object] = {"began_at": began_at, "limit": limit, **chosen.parameters}
        if after is not None:
            given |= {"rank_at": after.rank_at, "review_id": after.review_id}
        parts = [
            _part(nth, band, chosen, goes_on=after is not None and nth == after.band)
            for nth, band in enumerate(_bands("CAST(:began_at AS timestamptz)"))
            if after is None or nth >= after.band
        ]
        rows = self.connection.execute(
            text(
                f"WITH found AS (SELECT * FROM ({' UNION ALL '.join(parts)}) AS part(band, at, id) "
                "ORDER BY band, at, id LIMIT :limit) "
                f"SELECT band, {FIELDS}, {', '.join(_FACTS)}, "
                "coalesce((SELECT priority FROM runs WHERE runs.run_id = reviews.run_id), 1) AS priority "
                "FROM found JOIN reviews ON review_id = id ORDER BY band, at, id"
            ),
            given,
        )
        return [_ranked(row._asdict(), began_at) for row in rows]

    def counts(self, chosen: WorklistFilter) -> WorklistCounts:
        """How many there are, by each of what they are narrowed by; for each with what is given of the others."""
        parts = [
            f"SELECT '{name}' AS name, CAST({name} AS text) AS value, sum(amount) AS amount FROM found "
            f"WHERE {chosen.chosen(without=name)} GROUP BY {name}"
            for name in COUNTED
        ]
        total = f"SELECT '', '', coalesce(sum(amount), 0) FROM found WHERE {chosen.chosen()}"
        rows = self.connection.execute(
            text(
                f"WITH found AS MATERIALIZED (SELECT {', '.join(COUNTED)}, count(*) AS amount FROM reviews "
                f"WHERE {chosen.held} GROUP BY {', '.join(COUNTED)}) "
                f"{' UNION ALL '.join([*parts, total])} ORDER BY 1, 3 DESC, 2"
            ),
            chosen.parameters,
        )
        by: dict[str, dict[str, int]] = {name: {} for name in ("", *COUNTED)}
        for row in rows:
            by[row.name][row.value] = int(row.amount)
        return WorklistCounts(total=by.pop("")[""], by=MappingProxyType(by))


def _ranked(row: Mapping[str, Any], began_at: datetime) -> RankedReview:
    review = Review(**{name: row[name] for name in _NAMES})
    place = WorklistPlace(
        began_at=began_at, band=row["band"], rank_at=row["rank_at"], review_id=review.review_id
    )
    return RankedReview(
        review=review, place=place, priority=row["priority"], **{name: row[name] for name in _FACTS}
    )
