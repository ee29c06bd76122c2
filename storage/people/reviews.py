"""Reviews: questions to people, opened with the waiting step, claimed by one person, decided once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from statemachine.workflow.options.human import NO_RULES, HumanRules
from storage.core.bulk import BulkInsert, dump_json
from storage.core.unit_of_work import Repository
from storage.outbound.notices import OF_QUESTIONS
from storage.people.tables import reviews as reviews_table

CLAIM_MINUTES: Final = 30
"""How long a claim holds on the database's clock; whoever claims again in time keeps it."""
TAKE_MINUTES: Final = 5
"""How long a review that was only opened is kept from others, unless it is opened again."""
_RANK_MINUTES: Final = 30
"""What one degree of priority is worth in the worklist."""


def _text_in(document: str, name: str) -> str:
    """As SQL: a text that a JSON document may have under this name; empty where it has none."""
    kind = f"jsonb_typeof({document} -> '{name}')"
    return f"CASE WHEN {kind} = 'string' THEN left({document} ->> '{name}', 64) ELSE '' END"


def _of_order(name: str) -> str:
    return f"coalesce((SELECT {_text_in('metadata', name)} FROM tasks WHERE tasks.task_id = c.task_id), '')"


_INSERT = BulkInsert(
    reviews_table,
    (
        "review_id", "step_id", "run_id", "task_id", "node", "reason", "question", "context", "decisions",
        "deadline_at", "role", "person", "not_by", "quorum", "form", "escalations",
    ),
    stamped="opened_at",
    # The product of a task hears of its deadline by the action of the step.
    computed={
        "due_at": "least(CASE WHEN c.task_id IS NULL THEN c.deadline_at END, (SELECT business_now()) "
        "+ make_interval(secs => CAST(c.escalations -> 0 ->> 'after_seconds' AS integer)))",
        "rank_at": "(SELECT business_now()) - make_interval(mins => "
        f"{_RANK_MINUTES} * coalesce((SELECT priority FROM runs WHERE runs.run_id = c.run_id), 0))",
        # What was read in the customer's words that no person may come too late for.
        "flagged": "jsonb_path_exists(c.context, 'lax $.flags[*]')",
        # Written here, so that ten thousand are counted without a look at their runs and orders.
        "workflow": "coalesce((SELECT workflow FROM runs WHERE runs.run_id = c.run_id), '')",
        "suggestion": _text_in("c.context", "intent_level2"),
        "product": _of_order("product"),
        "region": _of_order("region"),
    },
    returning="review_id, run_id, task_id, role, person",
    then=OF_QUESTIONS,
)  # fmt: skip
# A claim is about an open question; one that is void reads as if it had never been.
CLAIMED: Final = "(state = 'open' AND claimed_until > statement_timestamp())"
"""As SQL: whether somebody has taken a row of `reviews`."""
FIELDS: Final = (
    "review_id, step_id, run_id, task_id, node, reason, question, context, decisions, state, opened_at, "
    "role, person, not_by, quorum, form, escalations, escalated, due_at, "
    f"deadline_at, decided_at, decided_by, decision, CASE WHEN {CLAIMED} THEN claimed_by END AS claimed_by, "
    f"CASE WHEN {CLAIMED} THEN claimed_at END AS claimed_at, "
    f"CASE WHEN {CLAIMED} THEN claimed_until END AS claimed_until, flagged, rank_at"
)
"""The columns of a `Review`."""
_FIND = text(f"SELECT {FIELDS} FROM reviews WHERE review_id = :review_id")
_LOCK = text(f"SELECT {FIELDS} FROM reviews WHERE review_id = :review_id FOR UPDATE")
_FILTERS: Final = {
    "state": "state = :state",
    "task_id": "task_id = :task_id",
    "reason": "reason = :reason",
}
# Written out, so that the index of open ones that somebody took is found; a void claim is like none.
_TAKEN: Final = {
    True: f"state = 'open' AND claimed_at IS NOT NULL AND {CLAIMED}",
    False: f"{CLAIMED} IS NOT TRUE",
}
TAKEN_BY_ME: Final = (
    "claimed_until = greatest(CASE WHEN claimed_by = CAST(:by AS text) THEN claimed_until END, "
    "clock_timestamp() + make_interval(mins => :minutes)), claimed_by = CAST(:by AS text), "
    "claimed_at = clock_timestamp()"
)
"""As SQL: sets who has a row of `reviews`; what they keep for longer, they keep."""
_CLAIM = text(f"UPDATE reviews SET {TAKEN_BY_ME} WHERE review_id = :review_id RETURNING {FIELDS}")
_FREE = text(
    "UPDATE reviews SET claimed_by = NULL, claimed_at = NULL, claimed_until = NULL "
    f"WHERE review_id = :review_id RETURNING {FIELDS}"
)
_DECIDE = text(
    "UPDATE reviews SET state = 'decided', decided_at = business_now(), decided_by = :decided_by, "
    "decision = CAST(:decision AS jsonb) WHERE review_id = :review_id",
)
_CANCEL = text("UPDATE reviews SET state = 'cancelled' WHERE step_id = ANY(:steps) AND state = 'open'")
_REPRIORITISE = text(
    f"UPDATE reviews SET rank_at = rank_at - make_interval(mins => {_RANK_MINUTES} * (:now - :before)) "
    "WHERE step_id IN (SELECT step_id FROM steps WHERE run_id = :run_id) AND state = 'open'"
)
_RENAME = text(
    """
    WITH n AS (SELECT * FROM unnest(CAST(:before AS text[]), CAST(:after AS text[])) AS n(before, after))
    UPDATE reviews SET
        node = coalesce((SELECT s.node FROM steps s WHERE s.step_id = reviews.step_id), node),
        not_by = (SELECT coalesce(jsonb_agg(DISTINCT coalesce(n.after, e.name)), '[]')
                  FROM jsonb_array_elements_text(reviews.not_by) AS e(name) LEFT JOIN n ON n.before = e.name)
    WHERE run_id = :run_id AND state = 'open'
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReview:
    """A question to be asked; `decisions` are the answers it accepts."""

    review_id: str
    step_id: int
    run_id: str
    task_id: str | None
    node: str
    reason: str
    question: str
    context: Mapping[str, object]
    decisions: tuple[str, ...]
    deadline_at: datetime | None
    rules: HumanRules = NO_RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A question as it stands."""

    review_id: str
    step_id: int
    run_id: str
    task_id: str | None
    node: str
    reason: str
    question: str
    context: Mapping[str, Any]
    decisions: Sequence[str]
    state: str
    opened_at: datetime
    deadline_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    decision: Mapping[str, Any] | None
    claimed_by: str | None = None
    """Who has taken it, while the claim holds."""
    claimed_at: datetime | None = None
    """Since when, on the database's clock."""
    role: str | None = None
    """Whose it is; neither role nor person: anybody's who may answer at all."""
    person: str | None = None
    """The login of the one person whose it is."""
    not_by: Sequence[str] = ()
    """`starter`, and human steps of the run whose answerers may not answer this one."""
    quorum: int = 1
    """How many people must give the same answer."""
    form: Mapping[str, Any] | None = None
    """What an answer carries beside its decision, as a JSON Schema."""
    escalations: Sequence[Mapping[str, Any]] = ()
    """By time: the `role` that is added when `after_seconds` have passed."""
    escalated: int = 0
    """How many of them have come."""
    due_at: datetime | None = None
    """When the next one comes, or the deadline of a general run."""
    claimed_until: datetime | None = None
    """Until when they have it, on the database's clock."""
    flagged: bool = False
    """Whether it cannot wait: it goes before all others."""
    rank_at: datetime | None = None
    """Its place in the worklist among others like it: the smallest goes first."""

    @property
    def is_anybodys(self) -> bool:
        """Whether any key may answer that may answer at all; otherwise it takes a person of its own login."""
        return self.role is None and self.person is None and self.quorum == 1 and not self.not_by

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that may answer now."""
        added = (str(each["role"]) for each in self.escalations[: self.escalated])
        return tuple(dict.fromkeys((*((self.role,) if self.role else ()), *added)))


@dataclass(frozen=True, slots=True)
class Reviews(Repository):
    """The only code that writes `reviews`."""

    def open(self, reviews: Sequence[NewReview]) -> None:
        """Ask these questions."""
        _INSERT(
            self.connection,
            [
                (
                    review.review_id,
                    review.step_id,
                    review.run_id,
                    review.task_id,
                    review.node,
                    review.reason,
                    review.question,
                    review.context,
                    list(review.decisions),
                    review.deadline_at,
                    review.rules.role,
                    review.rules.person,
                    review.rules.not_by,
                    review.rules.quorum,
                    review.rules.form or None,
                    review.rules.escalations,
                )
                for review in reviews
            ],
        )

    def find(self, review_id: str) -> Review | None:
        """The review with this id."""
        row = self.connection.execute(_FIND, {"review_id": review_id}).one_or_none()
        return None if row is None else Review(**row._mapping)

    def lock(self, review_id: str) -> Review | None:
        """The review with this id, locked; take its step's lock first."""
        row = self.connection.execute(_LOCK, {"review_id": review_id}).one_or_none()
        return None if row is None else Review(**row._mapping)

    def list(
        self,
        *,
        state: str | None = "open",
        task_id: str | None = None,
        reason: str | None = None,
        claimed: bool | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> list[Review]:
        """Reviews, the longest waiting first, from behind the place (`opened_at`, `review_id`) on."""
        given = {"state": state, "task_id": task_id, "reason": reason}
        chosen: dict[str, object] = {name: value for name, value in given.items() if value is not None}
        conditions = [_FILTERS[name] for name in chosen]
        if claimed is not None:
            conditions.append(_TAKEN[claimed])
        if after is not None:
            conditions.append("(opened_at, review_id) > (:at, :name)")
            chosen |= {"at": after[0], "name": after[1]}
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        rows = self.connection.execute(
            text(f"SELECT {FIELDS} FROM reviews {where}ORDER BY opened_at, review_id LIMIT :limit"),
            chosen | {"limit": limit},
        )
        return [Review(**row._mapping) for row in rows]

    def open_of(self, task_id: str) -> Review | None:
        """The open question about this task; of several the longest waiting."""
        return next(iter(self.list(task_id=task_id, limit=1)), None)

    def claim(self, review_id: str, by: str, minutes: int = CLAIM_MINUTES) -> Review:
        """Write who has taken a locked, open review from now on, for so long at least."""
        given = {"review_id": review_id, "by": by, "minutes": minutes}
        return Review(**self.connection.execute(_CLAIM, given).one()._mapping)

    def free(self, review_id: str) -> Review:
        """Let a locked, open review be nobody's."""
        return Review(**self.connection.execute(_FREE, {"review_id": review_id}).one()._mapping)

    def decide(self, review_id: str, decided_by: str, decision: Mapping[str, object]) -> None:
        """Write the answer to a locked review."""
        self.connection.execute(
            _DECIDE, {"review_id": review_id, "decided_by": decided_by, "decision": dump_json(decision)}
        )

    def cancel(self, step_ids: Sequence[int]) -> None:
        """Withdraw the open questions of these steps."""
        self.connection.execute(_CANCEL, {"steps": list(step_ids)})

    def reprioritise(self, run_id: str, *, before: int, now: int) -> None:
        """Let the open questions of a run whose priority changes have their place in the worklist by the new one."""
        self.connection.execute(_REPRIORITISE, {"run_id": run_id, "before": before, "now": now})

    def rename(self, run_id: str, names: Mapping[str, Sequence[str]]) -> None:
        """Let the open questions of a run name its steps anew; the rows of the steps have their names already."""
        pairs = [(before, after) for before, several in names.items() for after in several]
        values = {"before": [before for before, _ in pairs], "after": [after for _, after in pairs]}
        self.connection.execute(_RENAME, {"run_id": run_id, **values})
