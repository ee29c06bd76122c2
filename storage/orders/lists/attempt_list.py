"""Attempts to reach customers, by what became of them; and of one order's, what there is to show for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import text

from schemas.orders.contact import ContactResult
from storage.core.unit_of_work import Repository


class AttemptOutcome(StrEnum):
    """What became of an attempt, as the ledger counts it."""

    ANSWERED = "answered"
    SILENT = "silent"
    """It was made, and is over without an answer."""
    AWAITED = "awaited"
    """The channel took it, and its result has not come."""
    UNKNOWN = "unknown"
    """Its intent is committed, and whether it left is not known yet: it is asked for, and never made twice."""
    REFUSED = "refused"
    """Certainly nothing left: it counts as no contact."""


OUTCOME: Final = f"""
    CASE
        WHEN c.status = 'refused' THEN '{AttemptOutcome.REFUSED}'
        WHEN c.contact_result = '{ContactResult.ANSWERED}' THEN '{AttemptOutcome.ANSWERED}'
        WHEN c.status = 'sending' THEN '{AttemptOutcome.UNKNOWN}'
        WHEN c.status = 'sent' THEN '{AttemptOutcome.AWAITED}'
        ELSE '{AttemptOutcome.SILENT}'
    END
"""
_COLUMNS: Final = (
    "c.contact_id, c.task_id, c.round, c.contact_no, c.contact_method, c.status, c.contact_result, c.contact_time, "
    f"c.position, {OUTCOME} AS outcome"
)
_COUNTS = text(
    f"SELECT {OUTCOME} AS outcome, count(*) AS attempts FROM contact_logs c "
    "WHERE c.direction = 'outbound' GROUP BY 1"
)
_PAGE = text(
    f"SELECT {_COLUMNS} FROM contact_logs c WHERE c.direction = 'outbound' "
    f"AND CASE WHEN CAST(:outcome AS text) IS NULL THEN c.status <> 'refused' ELSE {OUTCOME} = :outcome END "
    "AND (CAST(:before AS bigint) IS NULL OR c.position < :before) ORDER BY c.position DESC LIMIT :limit"
)
_EVIDENCE = text(
    """
    SELECT c.contact_id, c.round, c.contact_no, c.contact_method, c.status, c.contact_result, c.contact_time,
        c.created_at, c.provider_id, c.script_id, c.script_version, c.concluded_at, c.key,
        reports.came, reports.faulted, reports.last_at
    FROM contact_logs c CROSS JOIN LATERAL (
        SELECT count(*) AS came, count(*) FILTER (WHERE b.outcome = 'faulted') AS faulted, max(b.received_at) AS last_at
        FROM callbacks b WHERE b.key = c.key
    ) AS reports
    WHERE c.task_id = :task_id AND c.direction = 'outbound' ORDER BY c.round, c.contact_no
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAttempt:
    """An attempt as a list shows it: nothing of what was said."""

    contact_id: str
    task_id: str
    round: int
    contact_no: int
    contact_method: str
    status: str
    contact_result: str
    contact_time: datetime
    position: int
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEvidence:
    """What there is to show that an attempt was made once: its intent, the channel's word, and what came of it."""

    contact_id: str
    round: int
    contact_no: int
    contact_method: str
    status: str
    contact_result: str
    contact_time: datetime
    created_at: datetime
    """When its intent was committed, on the database's clock: before anything was sent."""
    provider_id: str | None
    script_id: str | None
    script_version: str | None
    concluded_at: datetime | None
    key: str
    came: int
    """Reports of the channel about it, repetitions by the same event id not among them."""
    faulted: int
    last_at: datetime | None

    @property
    def counted(self) -> int:
        """Reports that its result was taken from: one at most, however many came."""
        return int(self.is_concluded and self.came > self.faulted)

    @property
    def is_concluded(self) -> bool:
        """Whether it has a result that stands."""
        return self.status == "concluded"

    @property
    def is_reconciled(self) -> bool:
        """Whether it was concluded without a report: the channel was asked by its key, or its time was over."""
        return self.is_concluded and not self.counted


@dataclass(frozen=True, slots=True)
class AttemptAccounts:
    """The attempts of the ledger, by what became of them."""

    by_outcome: Mapping[AttemptOutcome, int]

    @property
    def intended(self) -> int:
        """Those that may have reached somebody: all but the refused."""
        return sum(
            count for outcome, count in self.by_outcome.items() if outcome is not AttemptOutcome.REFUSED
        )


@dataclass(frozen=True, slots=True)
class AttemptList(Repository):
    """Read-only queries."""

    def accounts(self) -> AttemptAccounts:
        """How many attempts came to what."""
        found = {AttemptOutcome(row.outcome): row.attempts for row in self.connection.execute(_COUNTS)}
        return AttemptAccounts({outcome: found.get(outcome, 0) for outcome in AttemptOutcome})

    def page(self, outcome: AttemptOutcome | None, *, before: int | None, limit: int) -> list[ListedAttempt]:
        """Attempts, the newest first, of one outcome or of all but the refused; from below this position on."""
        rows = self.connection.execute(
            _PAGE, {"outcome": outcome and outcome.value, "before": before, "limit": limit}
        )
        return [ListedAttempt(**row._mapping) for row in rows]

    def evidence(self, task_id: str) -> Sequence[AttemptEvidence]:
        """What there is to show of each attempt of an order, in their order."""
        return [
            AttemptEvidence(**row._mapping)
            for row in self.connection.execute(_EVIDENCE, {"task_id": task_id})
        ]
