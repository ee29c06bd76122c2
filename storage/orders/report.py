"""What became of the orders of a period, in numbers (seed 000 section 五, `generate_report`)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from storage.core.unit_of_work import Repository

_ORDERS = text(
    """
    SELECT source, status, finish_reason, user_intent_l1 AS intent, count(*) AS orders, sum(round) AS rounds
    FROM tasks WHERE created_at >= :opens AND created_at < :ends
    GROUP BY source, status, finish_reason, user_intent_l1
    """
)
_CONTACTS = text(
    """
    SELECT c.contact_method AS method, c.contact_result AS result, count(*) AS contacts
    FROM tasks t JOIN contact_logs c USING (task_id)
    WHERE t.created_at >= :opens AND t.created_at < :ends AND c.status <> 'refused' AND c.direction = 'outbound'
    GROUP BY c.contact_method, c.contact_result
    """
)
_ALERTS = text(
    "SELECT alert_type AS name, count(*) AS rows FROM alerts "
    "WHERE raised_at >= :opens AND raised_at < :ends GROUP BY alert_type"
)
_REVIEWS = text(
    "SELECT state AS name, count(*) AS rows FROM reviews "
    "WHERE opened_at >= :opens AND opened_at < :ends GROUP BY state"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodReport:
    """The counts of one period: orders created in it with their contacts, alerts raised and questions asked in it."""

    orders: int
    by_source: dict[str, int]
    by_status: dict[str, int]
    by_finish_reason: dict[str, int]
    by_intent: dict[str, int]
    mean_rounds: float | None
    """Of the orders that were contacted or are to be; `None` where there is no order."""
    contacts_by_method: dict[str, int]
    contacts_by_result: dict[str, int]
    alerts_by_type: dict[str, int]
    reviews_by_state: dict[str, int]


@dataclass(frozen=True, slots=True)
class Reports(Repository):
    """Read-only; ask it in a snapshot, so that the numbers belong together."""

    def of_period(self, opens: datetime, ends: datetime) -> PeriodReport:
        """The report of a period in business time; `ends` is the first moment that does not belong to it."""
        period = {"opens": opens, "ends": ends}
        orders = self.connection.execute(_ORDERS, period).all()
        contacts = self.connection.execute(_CONTACTS, period).all()
        total = sum(row.orders for row in orders)
        rounds = Decimal(sum(row.rounds for row in orders))
        return PeriodReport(
            orders=total,
            by_source=_summed([(row.source, row.orders) for row in orders]),
            by_status=_summed([(row.status, row.orders) for row in orders]),
            by_finish_reason=_summed([(row.finish_reason, row.orders) for row in orders]),
            by_intent=_summed([(row.intent, row.orders) for row in orders]),
            mean_rounds=round(float(rounds / total), 2) if total else None,
            contacts_by_method=_summed([(row.method, row.contacts) for row in contacts]),
            contacts_by_result=_summed([(row.result, row.contacts) for row in contacts]),
            alerts_by_type=self._counts(_ALERTS, period),
            reviews_by_state=self._counts(_REVIEWS, period),
        )

    def _counts(self, statement: Any, period: dict[str, datetime]) -> dict[str, int]:
        return _summed([(row.name, row.rows) for row in self.connection.execute(statement, period)])


def _summed(counts: list[tuple[str | None, int]]) -> dict[str, int]:
    """The counts added up by name, in the order of the names; what has no name is left out."""
    names = sorted({name for name, _ in counts if name is not None})
    return {name: sum(count for other, count in counts if other == name) for name in names}
