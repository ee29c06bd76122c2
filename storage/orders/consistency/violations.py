"""Finds orders whose rows break a rule, whatever happened to the processes that wrote them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from statemachine.orders.states import State
from storage.core.unit_of_work import Repository
from storage.engine.states import CANCELLED, DONE, ENDED, LEASED, PUBLISHED, READY, RUNS_OPEN

_RULES: Final[Mapping[str, str]] = {
    "an open order has a next step": f"""
        SELECT t.task_id AS subject, 'it is ' || t.status || ', and no step of its run is open' AS detail
        FROM tasks t JOIN runs r USING (run_id)
        WHERE t.status <> 'closed' AND (r.state NOT IN ({RUNS_OPEN}) OR NOT EXISTS (
            SELECT FROM steps s WHERE s.run_id = t.run_id AND s.state NOT IN ({ENDED})))
        """,
    "a closed order has ended": f"""
        SELECT t.task_id AS subject, 'its run is ' || r.state || ' with '
            || (SELECT count(*) FROM steps s WHERE s.run_id = t.run_id AND s.state NOT IN ({ENDED}))
            || ' open steps' AS detail
        FROM tasks t JOIN runs r USING (run_id)
        WHERE t.status = 'closed' AND (r.state IN ({RUNS_OPEN}) OR EXISTS (
            SELECT FROM steps s WHERE s.run_id = t.run_id AND s.state NOT IN ({ENDED})))
        """,
    "an order has one run": """
        SELECT t.task_id AS subject, count(*) || ' runs' AS detail
        FROM tasks t JOIN runs own USING (run_id)
        JOIN runs r ON r.subject_id = t.task_id AND r.workflow = own.workflow
        GROUP BY t.task_id HAVING count(*) <> 1
        """,
    "an order id has one open order": """
        SELECT min(task_id) AS subject, 'open beside ' || max(task_id) AS detail
        FROM tasks WHERE status <> 'closed' GROUP BY order_id HAVING count(*) > 1
        """,
    "transitions form one legal path": """
        SELECT task_id AS subject, 'version ' || version || ' (' || event || ') leaves ' || from_state
            || ' where the order was ' || came_to || ' at version ' || before AS detail
        FROM (
            SELECT task_id, version, event, from_state,
                lag(to_state, 1, :first) OVER path AS came_to, lag(version, 1, 0) OVER path AS before
            FROM transitions WINDOW path AS (PARTITION BY task_id ORDER BY version)
        ) AS moves
        WHERE from_state <> came_to OR version <> before + 1
        """,
    "an order is where its transitions lead": """
        SELECT t.task_id AS subject, 'it is ' || t.status || ' at version ' || t.version
            || ', and its transitions lead to ' || coalesce(last.to_state, :first) AS detail
        FROM tasks t LEFT JOIN LATERAL (
            SELECT to_state, version FROM transitions m WHERE m.task_id = t.task_id ORDER BY version DESC LIMIT 1
        ) AS last ON true
        WHERE t.status <> coalesce(last.to_state, :first) OR t.version < coalesce(last.version, 0)
        """,
    "attempts are within their limit": """
        SELECT task_id AS subject, count(*) || ' contacts in round ' || c.round AS detail
        FROM contact_logs c JOIN tasks t USING (task_id)
        WHERE c.direction = 'outbound' AND c.status <> 'refused'
        GROUP BY task_id, c.round, t.max_contacts HAVING count(*) > t.max_contacts
        """,
    # One whose customer answered elsewhere in the meantime is left as it was: its step is cancelled.
    "a closed order's contacts are concluded": f"""
        SELECT task_id AS subject, 'contact ' || c.key || ' is still ' || c.status AS detail
        FROM contact_logs c JOIN tasks t USING (task_id) JOIN steps s USING (step_id)
        WHERE t.status = 'closed' AND c.status IN ('sending', 'sent') AND s.state <> {CANCELLED}
        """,
    "a step is recorded once": """
        SELECT coalesce(subject_id, run_id) AS subject,
            count(*) || ' steps ' || node || ' follow from step ' || caused_by AS detail
        FROM steps WHERE caused_by IS NOT NULL
        GROUP BY subject_id, run_id, caused_by, node HAVING count(*) > 1
        """,
    "an action has its effect once": """
        SELECT task_id AS subject, action_type || ' has ' || effects || ' rows of its effect' AS detail
        FROM (
            SELECT a.task_id, a.action_type,
                (SELECT count(*) FROM appointments e WHERE e.action_id = a.action_id)
              + (SELECT count(*) FROM engineer_notices e WHERE e.action_id = a.action_id)
              + (SELECT count(*) FROM cancellations e WHERE e.action_id = a.action_id)
              + (SELECT count(*) FROM followups e WHERE e.action_id = a.action_id) AS effects
            FROM actions a WHERE a.status = 'executed'
        ) AS taken WHERE effects <> 1
        """,
    "an effect has its action": """
        SELECT e.task_id AS subject, e.action_id || ' has an effect and is no action' AS detail
        FROM (SELECT task_id, action_id FROM appointments UNION ALL SELECT task_id, action_id FROM engineer_notices
              UNION ALL SELECT task_id, action_id FROM cancellations UNION ALL SELECT task_id, action_id FROM followups
        ) AS e WHERE NOT EXISTS (SELECT FROM actions a WHERE a.action_id = e.action_id)
        """,
    "the audit log is complete": f"""
        WITH lines AS (
            SELECT task_id, event_type, count(*) AS written FROM audit_logs GROUP BY task_id, event_type
        ), wanted AS (
            SELECT task_id, kind, 1 AS number
                FROM tasks CROSS JOIN (VALUES ('task_received'), ('task_validated')) AS k(kind)
            UNION ALL SELECT task_id, 'task_completed', CASE status WHEN 'closed' THEN 1 ELSE 0 END FROM tasks
            UNION ALL SELECT task_id, CASE event WHEN 'contact.retry' THEN 'contact_retry' ELSE 'followup_reached' END,
                count(*) FROM transitions WHERE event IN ('contact.retry', 'followup.time_reached')
                GROUP BY task_id, event
            UNION ALL SELECT subject_id, CASE action WHEN 'triage.classify_intent' THEN 'intent_classified'
                    ELSE 'contact_result' END, count(*)
                FROM steps WHERE action IN ('triage.classify_intent', 'contact.initiate_contact') AND state = {DONE}
                GROUP BY subject_id, action
            UNION ALL SELECT task_id, 'action_executed', count(*) FROM actions WHERE status = 'executed'
                GROUP BY task_id
        )
        SELECT task_id AS subject, written || ' lines ' || kind || ' instead of ' || number AS detail
        FROM wanted w JOIN lines l USING (task_id) WHERE l.event_type = w.kind AND written <> number
        UNION ALL
        SELECT task_id, '0 lines ' || kind || ' instead of ' || number FROM wanted w
        WHERE number > 0 AND NOT EXISTS (SELECT FROM lines l WHERE l.task_id = w.task_id AND l.event_type = w.kind)
        """,
    "a contact's lines are in order": """
        SELECT r.task_id AS subject, 'a result before its contact was initiated' AS detail
        FROM audit_logs r JOIN audit_logs i
            ON i.event_type = 'contact_initiated' AND i.task_id = r.task_id
            AND i.metadata->>'contact_id' = r.metadata->>'contact_id'
        WHERE r.event_type = 'contact_result' AND r.position < i.position
        """,
    "an alert is raised once": """
        SELECT task_id AS subject, count(*) || ' alerts ' || alert_type AS detail
        FROM alerts WHERE task_id IS NOT NULL
        GROUP BY alert_type, task_id, metadata HAVING count(*) > 1
        """,
    "no row is left behind": f"""
        SELECT coalesce(subject_id, run_id) AS subject, 'step ' || node || ' is ' || state AS detail
        FROM steps WHERE state IN ({READY}, {PUBLISHED}, {LEASED}) AND NOT held
        """,
    "no lease is left behind": f"""
        SELECT l.lease_id AS subject, 'held by ' || l.holder || ', and no step is' AS detail
        FROM leases l WHERE NOT EXISTS (
            SELECT FROM steps s WHERE s.lease_id = l.lease_id AND s.state = {LEASED})
        """,
}
_MISSING = text(
    "SELECT id AS subject FROM unnest(CAST(:ids AS text[])) AS sent(id) "
    "WHERE NOT EXISTS (SELECT FROM tasks t WHERE t.task_id = id)"
)
_REJECTED = text("SELECT task_id AS subject FROM rejects WHERE task_id = ANY(:ids) AND state = 'open'")
_KEYS = text(
    "SELECT c.key, c.task_id, c.provider_id IS NOT NULL AS placed FROM contact_logs c JOIN tasks t USING (task_id) "
    "WHERE c.direction = 'outbound' AND (t.mode = 'auto' OR c.provider_id IS NOT NULL)"
)
_CALLBACKS = text("SELECT count(*) FROM callbacks")
_REVIEW_REASONS = text("SELECT reason, count(*) AS reviews FROM reviews WHERE state = 'open' GROUP BY reason")


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """A rule that is broken, and whose rows break it."""

    rule: str
    subject: str
    """An order's task_id; where there is none, the id of the row."""
    detail: str


@dataclass(frozen=True, slots=True)
class ContactKey:
    """An attempt as we have it: its key, its order, and whether a provider is known to have taken it."""

    key: str
    task_id: str
    placed: bool


@dataclass(frozen=True, slots=True)
class Consistency(Repository):
    """Reads whether the rows agree; meant for a fleet at rest, where nothing is under way."""

    def violations(self) -> list[Violation]:
        """Every rule that the rows of some order break."""
        return [
            Violation(rule, row.subject, row.detail)
            for rule, statement in _RULES.items()
            for row in self.connection.execute(text(statement), _given(statement))
        ]

    def missing(self, task_ids: Collection[str]) -> list[str]:
        """Those of these orders that were never accepted."""
        return [row.subject for row in self.connection.execute(_MISSING, {"ids": list(task_ids)})]

    def rejected(self, task_ids: Collection[str]) -> list[str]:
        """Those of these orders that are kept as rejected."""
        return [row.subject for row in self.connection.execute(_REJECTED, {"ids": list(task_ids)})]

    def contact_keys(self) -> list[ContactKey]:
        """Every attempt that went out by a channel; an outside agent may also record one made without us."""
        return [ContactKey(row.key, row.task_id, row.placed) for row in self.connection.execute(_KEYS)]

    def callbacks(self) -> int:
        """How many events of contacts providers have called back, each counted once."""
        return int(self.connection.execute(_CALLBACKS).scalar_one())

    def review_reasons(self) -> dict[str, int]:
        """Why orders wait for people."""
        return {row.reason: row.reviews for row in self.connection.execute(_REVIEW_REASONS)}


def rules() -> Sequence[str]:
    """Every rule that `violations` asks about."""
    return tuple(_RULES)


def _given(statement: str) -> dict[str, str]:
    return {"first": State.PENDING.value} if ":first" in statement else {}
