"""Interrupts: the questions of every run, listed by whose they are, and those for which a moment has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text

from storage.core.unit_of_work import Repository
from storage.people.answers import BARRED, MAY_ANSWER, OF_USER, Respondent
from storage.people.reviews import FIELDS, Review

_OF_RUN: Final = "CROSS JOIN LATERAL (SELECT version FROM runs WHERE runs.run_id = reviews.run_id) AS run"
_SELECT: Final = f"SELECT {FIELDS}, workflow, version FROM reviews {_OF_RUN}"
_FIND = text(f"{_SELECT} WHERE review_id = :review_id")
_FILTERS: Final[Mapping[str, str]] = {
    "state": "state = :state",
    "run_id": "step_id IN (SELECT step_id FROM steps WHERE steps.run_id = :run_id)",
    "workflow": "workflow = :workflow",
    "role": "(role = :role OR EXISTS (SELECT FROM jsonb_array_elements(escalations) WITH ORDINALITY AS e(rule, nth) "
    "WHERE nth <= escalated AND rule ->> 'role' = :role))",
}
# What waits in a run that is paused waits with it; its times stay as they were.
_DUE = text(
    "SELECT review_id FROM reviews JOIN steps USING (step_id) WHERE reviews.state = 'open' "
    "AND reviews.due_at <= (SELECT business_now()) AND NOT steps.held ORDER BY reviews.due_at LIMIT :limit"
)
_WITHOUT_ANSWERS = text(
    "SELECT count(*) FROM reviews WHERE state = 'open' AND jsonb_array_length(decisions) = 0"
)
_OF_NOBODY = text(
    "SELECT count(*) FROM reviews WHERE state = 'open' AND NOT EXISTS (SELECT FROM users u WHERE NOT u.disabled "
    f"AND u.password IS NOT NULL AND CAST(u.roles AS text[]) && CAST(:answering AS text[]) AND {OF_USER})"
)
_SET_DUE = text("UPDATE reviews SET escalated = :escalated, due_at = :due_at WHERE review_id = :review_id")


@dataclass(frozen=True, slots=True)
class Interrupt:
    """A question with the workflow of its run, in the version that it has."""

    review: Review
    workflow: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptFilter:
    """Which interrupts to list; what is `None` does not matter."""

    state: str | None = "open"
    run_id: str | None = None
    workflow: str | None = None
    role: str | None = None
    """Those that this role may answer now."""
    mine: Respondent | None = None
    """Those that this person may answer."""


@dataclass(frozen=True, slots=True)
class Interrupts(Repository):
    """Reads the questions of every run, and writes what comes of their times."""

    def find(self, review_id: str) -> Interrupt | None:
        """The interrupt of this id."""
        row = self.connection.execute(_FIND, {"review_id": review_id}).one_or_none()
        return None if row is None else _interrupt(row)

    def list(
        self, wanted: InterruptFilter, *, after: tuple[datetime, str] | None = None, limit: int = 100
    ) -> list[Interrupt]:
        """Interrupts, the longest waiting first, from behind the place (`opened_at`, `review_id`) on."""
        given: dict[str, object] = {
            name: value for name in _FILTERS if (value := getattr(wanted, name)) is not None
        }
        conditions = [_FILTERS[name] for name in given]
        if wanted.mine is not None:
            conditions += [f"({MAY_ANSWER})", f"NOT {BARRED}"]
            given |= wanted.mine.parameters
        if after is not None:
            conditions.append("(opened_at, review_id) > (:at, :name)")
            given |= {"at": after[0], "name": after[1]}
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        rows = self.connection.execute(
            text(f"{_SELECT}{where} ORDER BY opened_at, review_id LIMIT :limit"), given | {"limit": limit}
        )
        return [_interrupt(row) for row in rows]

    def due(self, limit: int) -> Sequence[str]:
        """The open questions for which a moment has come, the longest due first."""
        return self.connection.execute(_DUE, {"limit": limit}).scalars().all()

    def without_answers(self) -> int:
        """How many open questions name no answer."""
        return int(self.connection.execute(_WITHOUT_ANSWERS).scalar_one())

    def of_nobody(self, answering: Sequence[str]) -> int:
        """How many open questions nobody may answer who has one of these roles and is let in."""
        return int(self.connection.execute(_OF_NOBODY, {"answering": list(answering)}).scalar_one())

    def set_due(self, review_id: str, *, escalated: int, due_at: datetime | None) -> None:
        """Write how many escalations of a locked question have come, and when its next moment is."""
        self.connection.execute(_SET_DUE, {"review_id": review_id, "escalated": escalated, "due_at": due_at})


def _interrupt(row: Row[Any]) -> Interrupt:
    columns = dict(row._mapping)
    workflow, version = columns.pop("workflow"), columns.pop("version")
    return Interrupt(Review(**columns), workflow, version)
