"""Notices on their way to staff: made with the alert or the action they tell of, taken, sent, tried again.

They are made in the same statement that writes what they tell of, for the roles in `notice_roles` only: an
installation that tells nobody writes nothing and asks nothing more.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository

LEASE_SECONDS: Final = 30
"""For so long a notice that was taken is nobody else's; longer than a try may last."""

_NO_ROUTE: Final = "nobody is told in this role any more"
_DAY: Final = "interval '24 hours'"

OF_ALERTS: Final = """
    INSERT INTO notices (key, to_role, title, text)
    SELECT w.alert_id, w.escalated_to, '[' || w.severity || '] ' || w.alert_type,
        w.message || coalesce(E'\\n任务 ' || w.task_id, '')
    FROM written w JOIN notice_roles r ON r.role = w.escalated_to
    WHERE w.severity IN ('warning', 'critical')
    ON CONFLICT (key) DO NOTHING
"""
"""Goes with the statement that writes alerts."""

OF_ENGINEERS: Final = """
    INSERT INTO notices (key, to_role, recipient, title, text)
    SELECT w.action_id, r.role, w.engineer_id, '上门通知 ' || w.order_id, w.message
    FROM written w JOIN notice_roles r ON r.role = 'engineer'
    ON CONFLICT (key) DO NOTHING
"""
"""Goes with the statement that records that engineers were notified; a repeated action is not among `written`."""

_WITHDRAW = text("DELETE FROM notice_roles WHERE role <> ALL(:roles)")
_DECLARE = text(
    "INSERT INTO notice_roles (role) SELECT unnest(CAST(:roles AS text[])) ON CONFLICT (role) DO NOTHING"
)
_GIVE_UP_OTHERS = text(
    "UPDATE notices SET state = 'given_up', last_error = :error WHERE state = 'waiting' AND to_role <> ALL(:roles)"
)
_TAKE = text(
    f"""
    WITH chosen AS (
        SELECT notice_id FROM notices
        WHERE state = 'waiting' AND due_at <= (SELECT clock_timestamp()) AND to_role = ANY(:roles)
        ORDER BY due_at, notice_id LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE notices n
    SET tries = n.tries + 1, due_at = clock_timestamp() + interval '{LEASE_SECONDS} seconds'
    FROM chosen WHERE n.notice_id = chosen.notice_id
    RETURNING n.notice_id, n.key, n.to_role, n.recipient, n.title, n.text, n.tries
    """
)
# `tries` tells whether the notice is still in the hands that report.
_CONCLUDE = text(
    f"""
    WITH now AS MATERIALIZED (SELECT clock_timestamp() AS at), verdict AS (
        SELECT n.notice_id, c.error, c.provider, c.provider_id, now.at,
            least(now.at + c.after_seconds * interval '1 second', n.created_at + {_DAY}) AS due_at,
            CASE WHEN c.error IS NULL THEN 'sent'
                 WHEN now.at >= n.created_at + {_DAY} THEN 'given_up' ELSE 'waiting' END AS state
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS c(notice_id bigint, tries integer, error text,
            provider text, provider_id text, after_seconds double precision)
        JOIN notices n ON n.notice_id = c.notice_id AND n.tries = c.tries AND n.state = 'waiting'
        CROSS JOIN now
    )
    UPDATE notices n
    SET state = v.state, last_error = v.error, provider = v.provider,
        provider_id = left(v.provider_id, 128),
        due_at = CASE WHEN v.state = 'waiting' THEN v.due_at ELSE n.due_at END,
        sent_at = CASE WHEN v.state = 'sent' THEN v.at END
    FROM verdict v WHERE n.notice_id = v.notice_id AND n.state = 'waiting'
    RETURNING n.key, n.to_role, n.state
    """
)
_LOG = text(
    """
    SELECT key, to_role, recipient, title, state, tries, due_at, provider, provider_id, last_error, created_at, sent_at
    FROM notices
    WHERE (NOT :failed OR (state <> 'sent' AND last_error IS NOT NULL))
      AND (CAST(:role AS text) IS NULL OR to_role = :role)
    ORDER BY notice_id DESC LIMIT :limit
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenNotice:
    """A notice in hand: to be sent now, under its key."""

    notice_id: int
    key: str
    to_role: str
    recipient: str | None
    title: str
    text: str
    tries: int
    """This one included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeTry:
    """What came of a try; without an `error` it was sent."""

    notice_id: int
    tries: int
    provider: str
    provider_id: str | None = None
    error: str | None = None
    after_seconds: float = 0.0
    """How long to wait before the next try; at the end of the notice's day the last one is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcludedNotice:
    """A notice as a try left it."""

    key: str
    to_role: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffNotice:
    """A notice as the log shows it."""

    key: str
    """The id of the alert or the action it tells of."""
    to_role: str
    recipient: str | None
    title: str
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

    def declare(self, roles: Collection[str]) -> None:
        """Let notices be made for these roles from now on, and for no others; what waits for others is given up."""
        parameters = {"roles": sorted(roles)}
        self.connection.execute(_WITHDRAW, parameters)
        if roles:
            self.connection.execute(_DECLARE, parameters)
        self.connection.execute(_GIVE_UP_OTHERS, {**parameters, "error": _NO_ROUTE})

    def take(self, roles: Collection[str], limit: int) -> list[TakenNotice]:
        """Notices of these roles that are due, the longest due first; nobody else gets them for a lease."""
        rows = self.connection.execute(_TAKE, {"roles": sorted(roles), "limit": limit})
        return [TakenNotice(**row._mapping) for row in rows]

    def conclude(self, tries: Sequence[NoticeTry]) -> list[ConcludedNotice]:
        """Write what came of tries; one whose lease has gone to another is passed over."""
        rows = self.connection.execute(
            _CONCLUDE,
            {
                "rows": dump_json(
                    [
                        {
                            "notice_id": t.notice_id,
                            "tries": t.tries,
                            "provider": t.provider,
                            "provider_id": t.provider_id,
                            "error": t.error,
                            "after_seconds": t.after_seconds,
                        }
                        for t in tries
                    ]
                )
            },
        )
        return [ConcludedNotice(**row._mapping) for row in rows]

    def log(self, *, role: str | None = None, failed: bool = False, limit: int = 50) -> list[StaffNotice]:
        """Notices, the newest first; `failed` are those whose last try failed."""
        rows = self.connection.execute(_LOG, {"role": role, "failed": failed, "limit": limit})
        return [StaffNotice(**row._mapping) for row in rows]
