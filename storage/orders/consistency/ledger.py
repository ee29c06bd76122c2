"""The ledger by a look at every order there is: what the exporter's counted one is held against."""

from dataclasses import dataclass

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.engine.states import ENDED
from storage.orders.figures.figures import Ledger

_LEDGER = text(
    f"""
    SELECT (SELECT count(*) FROM tasks) AS accepted,
           (SELECT count(*) FROM tasks WHERE status = 'closed') AS closed,
           count(*) FILTER (WHERE NOT in_review AND moves) AS open,
           count(*) FILTER (WHERE in_review) AS in_review
    FROM (
        SELECT EXISTS (SELECT FROM reviews r WHERE r.task_id = t.task_id AND r.state = 'open') AS in_review,
               EXISTS (SELECT FROM steps s WHERE s.run_id = t.run_id
                       AND s.state NOT IN ({ENDED})) AS moves
        FROM tasks t WHERE t.finished_at IS NULL
    ) AS unfinished
    """,
)


@dataclass(frozen=True, slots=True)
class WholeLedger(Repository):
    """Reads every order: for checks, and not for what is read often."""

    def look(self) -> Ledger:
        """Where every accepted order is; one statement, so that the accounts belong together."""
        row = self.connection.execute(_LEDGER).one()
        return Ledger(row.accepted, row.closed, row.open, row.in_review)
