"""Notices to staff: made with their alert or action, taken, sent, retried.

They are made in the same statement that writes what they tell of, for the roles in `notice_roles` only: an
installation that tells nobody writes nothing and asks nothing more.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import text

from schemas.outbound.effects import NoticeTried
from storage.core.bulk import dump_json
from storage.core.columns import NEW_TRACE
from storage.core.unit_of_work import Repository
from storage.engine.states import RUNS_OPEN
from storage.engine.steering import Steering

NO_ROUTE: Final = "nobody is told in this role any more"
"""Why a notice is given up that was made for a role without a route."""

VOID: Final = "the question waits no more, or the account is nobody's"
"""Why a notice is given up that brings a question."""
NO_MESSENGERS: Final[Mapping[str, str]] = MappingProxyType({})

_BATCH: Final = 500
"""Notices whose runs are begun at once."""


def _trace_of(task_id: str) -> str:
    """In SQL: the trace of the run that carries a task, or a new one where there is none."""
    return (
        "coalesce((SELECT r.trace_id FROM tasks t JOIN runs r ON r.run_id = t.run_id "
        f"WHERE t.task_id = {task_id}), (SELECT r.trace_id FROM runs r WHERE r.run_id = {task_id}), {NEW_TRACE})"
    )


OF_ALERTS: Final = f"""
    INSERT INTO notices (key, to_role, title, text, trace_id)
    SELECT w.alert_id, w.escalated_to, '[' || w.severity || '] ' || w.alert_type,
        w.message || coalesce(E'\\n任务 ' || w.task_id, ''), {_trace_of("w.task_id")}
    FROM written w JOIN notice_roles r ON r.role = w.escalated_to
    WHERE w.severity IN ('warning', 'critical')
    ON CONFLICT (key) DO NOTHING
"""
"""Goes with the statement that writes alerts."""

OF_ENGINEERS: Final = f"""
    INSERT INTO notices (key, to_role, recipient, title, text, trace_id)
    SELECT w.action_id, r.role, w.engineer_id, '上门通知 ' || w.order_id, w.message, {_trace_of("w.task_id")}
    FROM written w JOIN notice_roles r ON r.role = 'engineer'
    ON CONFLICT (key) DO NOTHING
"""
"""Goes with the statement that records that engineers were notified; a repeated action is not among `written`."""

OF_QUESTIONS: Final = f"""
    , told AS (
        SELECT DISTINCT ON (w.review_id, i.identity_id) w.review_id, w.run_id, w.task_id,
            w.review_id || '.' || i.identity_id AS key, r.role, i.identity_id AS recipient
        FROM written w
        JOIN notice_roles r ON w.person IS NOT NULL OR r.role = coalesce(w.role, 'reviewer')
        JOIN users u ON NOT u.disabled AND r.role = ANY(u.roles) AND (w.person IS NULL OR u.login = w.person)
        JOIN im_identities i ON i.user_id = u.user_id AND i.provider = r.messenger
        ORDER BY w.review_id, i.identity_id, r.role
    ), addressed AS (
        SELECT * FROM told
        UNION ALL
        SELECT w.review_id, w.run_id, w.task_id, w.review_id, r.role, NULL
        FROM written w JOIN notice_roles r ON r.role = coalesce(w.role, 'reviewer')
        WHERE w.person IS NULL AND NOT EXISTS (SELECT FROM told t WHERE t.review_id = w.review_id)
    )
    INSERT INTO notices (key, to_role, recipient, interrupt_id, title, text, trace_id)
    SELECT a.key, a.role, a.recipient, a.review_id, '有问题等待答复',
        coalesce('流程 ' || r.workflow, '') || coalesce(E'\\n任务 ' || a.task_id, ''), coalesce(r.trace_id, {NEW_TRACE})
    FROM addressed a LEFT JOIN runs r ON r.run_id = a.run_id
    ON CONFLICT (key) DO NOTHING
"""
"""Goes with the statement that asks questions: a card for each account of whom it is for, else one for their group.

There is no word of the question in it. A question that is nobody's in particular is one for reviewers.
"""

_WITHDRAW = text("DELETE FROM notice_roles WHERE role <> ALL(:roles)")
_DECLARE = text(
    "INSERT INTO notice_roles (role, messenger) "
    "SELECT * FROM unnest(CAST(:roles AS text[]), CAST(:messengers AS text[])) "
    "ON CONFLICT (role) DO UPDATE SET messenger = excluded.messenger"
)
_GIVE_UP_OTHERS = text(
    "UPDATE notices SET state = 'given_up', last_error = :error WHERE state = 'waiting' AND to_role <> ALL(:roles) "
    "RETURNING run_id"
)
_WAITING = text(
    "SELECT n.notice_id, n.key, n.to_role, n.recipient, n.interrupt_id, n.title, n.text, n.trace_id, n.tries, "
    "n.created_at, q.state = 'open' AS is_open, i.operator_id AS account FROM notices n "
    "LEFT JOIN reviews q ON q.review_id = n.interrupt_id LEFT JOIN (im_identities i JOIN users u USING (user_id)) "
    "ON i.identity_id = n.recipient AND n.interrupt_id IS NOT NULL AND NOT u.disabled "
    "WHERE n.notice_id = ANY(:ids) AND n.state = 'waiting'"
)
# A result that comes late, its lease lost, never takes back what another try has reached since.
_CONCLUDE = text(
    """
    UPDATE notices n
    SET state = c.state, tries = greatest(n.tries, c.tries + 1), last_error = c.error, provider = c.provider,
        provider_id = left(c.provider_id, 128),
        due_at = CASE WHEN c.state = 'waiting' THEN c.due_at ELSE n.due_at END,
        sent_at = CASE WHEN c.state = 'sent' THEN clock_timestamp() END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS c(notice_id bigint, tries integer, state text,
        due_at timestamptz, provider text, provider_id text, error text)
    WHERE n.notice_id = c.notice_id AND n.state = 'waiting' AND (c.state = 'sent' OR n.tries = c.tries)
    """
)
_UNASSIGNED = text(
    "SELECT notice_id, key FROM notices WHERE state = 'waiting' AND run_id IS NULL "
    "ORDER BY notice_id LIMIT :limit FOR UPDATE SKIP LOCKED"
)
_ANY_UNASSIGNED = text("SELECT EXISTS (SELECT FROM notices WHERE state = 'waiting' AND run_id IS NULL)")
_ASSIGN = text(
    "UPDATE notices n SET run_id = c.run_id "
    "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS c(notice_id bigint, run_id text) "
    "WHERE n.notice_id = c.notice_id"
)
_RELEASE = text(
    "UPDATE notices n SET run_id = NULL FROM runs r "
    f"WHERE n.state = 'waiting' AND r.run_id = n.run_id AND r.state NOT IN ({RUNS_OPEN})"
)
_LOG = text(
    """
    SELECT key, to_role, recipient, title, trace_id, state, tries, due_at, provider, provider_id, last_error,
        created_at, sent_at FROM notices
    WHERE (NOT :failed OR (state <> 'sent' AND last_error IS NOT NULL))
      AND (CAST(:role AS text) IS NULL OR to_role = :role)
    ORDER BY notice_id DESC LIMIT :limit
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingNotice:
    """A notice that is to be sent, under its key."""

    notice_id: int
    key: str
    to_role: str
    recipient: str | None
    title: str
    text: str
    trace_id: str
    tries: int
    """How many there were."""
    created_at: datetime
    interrupt_id: str | None = None
    """The question that it brings."""
    is_open: bool | None = None
    """Whether that waits for an answer still."""
    account: str | None = None
    """The account that the card goes to, as its messenger names it, while it is somebody's."""

    @property
    def is_void(self) -> bool:
        """Whether there is no need of it any more: of a question that waits no more, of an account that is nobody's."""
        return self.interrupt_id is not None and (
            not self.is_open or (self.recipient is not None and self.account is None)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffNotice:
    """A notice as the log shows it."""

    key: str
    """The id of the alert, the action or the question it tells of; of a card with the account's behind it."""
    to_role: str
    recipient: str | None
    title: str
    trace_id: str
    state: str
    """`waiting`, `sent` or `given_up`."""
    tries: int
    due_at: datetime
    provider: str | None
    provider_id: str | None
    last_error: str | None
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Notices(Repository):
    """The only code that reads `notices`, and that changes them once they are made."""

    def declare(self, roles: Iterable[str], messengers: Mapping[str, str] = NO_MESSENGERS) -> None:
        """Set the roles for which notices are made from now on; what waits for other roles is given up.

        `messengers` names, by role, the messenger to whose accounts cards are sent.
        """
        named = sorted(roles)
        parameters = {"roles": named, "messengers": [messengers.get(role) for role in named]}
        self.connection.execute(_WITHDRAW, parameters)
        if named:
            self.connection.execute(_DECLARE, parameters)
        given_up = self.connection.execute(_GIVE_UP_OTHERS, {**parameters, "error": NO_ROUTE}).scalars()
        Steering(self.work).wake([run_id for run_id in given_up if run_id is not None])

    def waiting(self, notice_ids: Collection[int]) -> dict[int, WaitingNotice]:
        """Those of these notices that are to be sent still."""
        rows = self.connection.execute(_WAITING, {"ids": list(notice_ids)})
        return {row.notice_id: WaitingNotice(**row._mapping) for row in rows}

    def conclude(self, tries: Sequence[NoticeTried]) -> None:
        """Write what came of these tries."""
        self.connection.execute(_CONCLUDE, {"rows": dump_json([asdict(tried) for tried in tries])})

    def any_unassigned(self) -> bool:
        """Whether a notice waits that no run carries."""
        return bool(self.connection.execute(_ANY_UNASSIGNED).scalar_one())

    def unassigned(self) -> dict[int, str]:
        """Notices that no run carries, locked, with their keys; a bounded number, and none that another holds."""
        rows = self.connection.execute(_UNASSIGNED, {"limit": _BATCH})
        return {row.notice_id: row.key for row in rows}

    def assign(self, run_of: Mapping[int, str]) -> None:
        """Let these runs carry these notices."""
        rows = [{"notice_id": notice_id, "run_id": run_id} for notice_id, run_id in run_of.items()]
        self.connection.execute(_ASSIGN, {"rows": dump_json(rows)})

    def release(self) -> None:
        """Find new runs for what ended runs have left waiting, as after too many crashes."""
        self.connection.execute(_RELEASE)

    def log(self, *, role: str | None = None, failed: bool = False, limit: int = 50) -> list[StaffNotice]:
        """Notices, the newest first; `failed` are those whose last try failed."""
        rows = self.connection.execute(_LOG, {"role": role, "failed": failed, "limit": limit})
        return [StaffNotice(**row._mapping) for row in rows]
