"""Answers of people to a question, and the one rule of who may answer it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from schemas.access.roles import Role
from statemachine.workflow.options.human import STARTER
from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository

_HAS_ROLE: Final = (
    "(role = ANY(:roles) OR EXISTS (SELECT FROM jsonb_array_elements(escalations) WITH ORDINALITY AS e(rule, nth) "
    "WHERE nth <= escalated AND rule ->> 'role' = ANY(:roles)) "
    "OR (CAST(:is_admin AS boolean) AND (role IS NOT NULL OR escalated > 0)))"
)
_FREE: Final = "(role IS NULL AND person IS NULL)"
MAY_ANSWER: Final = (
    f"({_FREE} AND (CAST(:me AS text) IS NOT NULL OR (quorum = 1 AND not_by = '[]'))) "
    f"OR (person = CAST(:me AS text)) IS TRUE OR {_HAS_ROLE} IS TRUE"
)
"""As SQL: whose question a row of `reviews` is. A key without a person can be anybody's: it answers what is free."""
BARRED: Final = (
    f"(not_by <> '[]' AND (jsonb_exists(not_by, '{STARTER}') AND EXISTS (SELECT FROM runs "
    "WHERE runs.run_id = reviews.run_id AND runs.created_by = :me) "
    "OR EXISTS (SELECT FROM steps s JOIN reviews o ON o.step_id = s.step_id AND o.review_id <> reviews.review_id "
    "LEFT JOIN review_answers a ON a.review_id = o.review_id WHERE s.run_id = reviews.run_id "
    "AND jsonb_exists(reviews.not_by, s.node) AND (o.decided_by = :me OR a.person = :me))))"
)
"""As SQL: whether this person may not answer it, for what they did in the same run."""
OF_USER: Final = (
    f"(({MAY_ANSWER}) AND NOT {BARRED})".replace(":me", "u.login")
    .replace(":roles", "CAST(u.roles AS text[])")
    .replace(":is_admin", f"'{Role.ADMIN}' = ANY(u.roles)")
)
"""As SQL: the same of a person who is the row `u` of `users`."""
_PERMISSION = text(
    f"SELECT {MAY_ANSWER} AS may, {BARRED} AS barred FROM reviews WHERE review_id = :review_id"
)
_KEEP = text(
    "INSERT INTO review_answers (review_id, person, decision, note, form) "
    "VALUES (:review_id, :person, :decision, :note, CAST(:form AS jsonb)) "
    "ON CONFLICT (review_id, person) DO UPDATE SET decision = excluded.decision, note = excluded.note, "
    "form = excluded.form, at = excluded.at"
)
_OF = text(
    "SELECT person, decision, note, form, at FROM review_answers WHERE review_id = :review_id ORDER BY at, person"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Respondent:
    """Who answers: the owner of a key, and what they are."""

    name: str
    roles: frozenset[str] = frozenset()
    has_login: bool = False
    """Whether the key is a person's own; one that several share can be anybody's."""

    @property
    def parameters(self) -> dict[str, object]:
        """What `MAY_ANSWER` and `BARRED` read."""
        return {
            "me": self.name if self.has_login else None,
            "roles": sorted(self.roles) if self.has_login else [],
            "is_admin": self.has_login and Role.ADMIN in self.roles,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What one person answers, as it is kept: private texts of the form are sealed."""

    person: str
    decision: str
    note: str | None
    form: Mapping[str, Any]
    at: datetime

    @property
    def as_output(self) -> dict[str, object]:
        """The answer as the step's output has it."""
        return {
            "by": self.person,
            "decision": self.decision,
            "note": self.note,
            "form": dict(self.form),
            "at": self.at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class ReviewAnswers(Repository):
    """The only code that writes `review_answers`."""

    def permission(self, review_id: str, respondent: Respondent) -> tuple[bool, bool]:
        """Whether it is this person's to answer, and whether they are barred from it."""
        row = self.connection.execute(_PERMISSION, {"review_id": review_id, **respondent.parameters}).one()
        return row.may, row.barred

    def keep(
        self, review_id: str, person: str, decision: str, note: str | None, form: Mapping[str, Any]
    ) -> None:
        """Keep what a person answers to a locked question, instead of what they answered before."""
        given = {"review_id": review_id, "person": person, "decision": decision, "note": note}
        self.connection.execute(_KEEP, given | {"form": dump_json(form)})

    def of(self, review_id: str) -> Sequence[KeptAnswer]:
        """The answers to a question, the oldest first."""
        rows = self.connection.execute(_OF, {"review_id": review_id})
        return [KeptAnswer(**row._mapping) for row in rows]
