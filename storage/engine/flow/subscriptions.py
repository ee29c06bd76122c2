"""Subscriptions: what open steps and runs wait for, found by name and key, or by time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.engine.flow.tables import subscriptions as subscriptions_table
from storage.engine.states import RUNNING

_ADD = BulkInsert(subscriptions_table, ("run_id", "step_id", "place", "kind", "name", "key", "due_at"))
FIELDS = "subscription_id, run_id, step_id, place, kind, name, key, due_at"
_WAITING = text(
    f"SELECT {FIELDS} FROM subscriptions WHERE kind = :kind AND name = :name "
    "AND (CAST(:key AS text) IS NULL OR key = :key) AND subscription_id > :after "
    "ORDER BY subscription_id LIMIT :limit"
)
# The n-th message of a name and key is for the n-th that waits for it; of these no more are read than it needs.
_RECEIVERS = text(
    f"""
    WITH sent AS MATERIALIZED (
        SELECT turn, name, key, row_number() OVER (PARTITION BY name, key ORDER BY turn) AS nth
        FROM unnest(CAST(:names AS text[]), CAST(:keys AS text[])) WITH ORDINALITY AS m(name, key, turn)
    ), wanted AS (
        SELECT name AS sent_name, key AS sent_key, max(nth) AS most FROM sent GROUP BY name, key
    )
    SELECT turn, {FIELDS} FROM wanted CROSS JOIN LATERAL (
        SELECT {FIELDS}, row_number() OVER (ORDER BY subscription_id) AS nth FROM subscriptions
        WHERE kind = 'message' AND name = sent_name AND key = sent_key ORDER BY subscription_id LIMIT most
    ) AS waiting JOIN sent USING (name, key, nth) ORDER BY turn
    """
)
# That of a run that is paused waits until it goes on.
_DUE = text(
    f"""
    SELECT {FIELDS} FROM subscriptions s WHERE due_at <= (SELECT business_now())
      AND EXISTS (SELECT FROM runs r WHERE r.run_id = s.run_id AND r.state = {RUNNING})
    ORDER BY due_at LIMIT :limit
    """
)
_OF_RUNS = text(f"SELECT {FIELDS} FROM subscriptions WHERE run_id = ANY(:runs) AND kind = 'condition'")
_OF_RUN = text(
    f"SELECT {FIELDS} FROM subscriptions WHERE run_id = :run_id AND kind = :kind AND name = :name "
    "AND (CAST(:key AS text) IS NULL OR key = :key) ORDER BY subscription_id"
)
_STILL = text(f"SELECT {FIELDS} FROM subscriptions WHERE subscription_id = ANY(:ids) FOR UPDATE")
_END = text("DELETE FROM subscriptions WHERE subscription_id = ANY(:ids)")
_END_OF_STEPS = text("DELETE FROM subscriptions WHERE step_id = ANY(:steps)")
_END_OF_RUNS = text("DELETE FROM subscriptions WHERE run_id = ANY(:runs)")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEventSubscription:
    """Something to be waited for."""

    run_id: str
    step_id: int | None
    place: int
    kind: str
    name: str | None = None
    key: str | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventSubscription:
    """Something that is waited for; its fields are those of `FIELDS`, in their order."""

    subscription_id: int
    run_id: str
    step_id: int | None
    """The step that it ends with; `None`: the run."""
    place: int
    """Its place among what the step catches: of a wait first, then what breaks in."""
    kind: str
    name: str | None
    key: str | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Subscriptions(Repository):
    """The only code that writes `subscriptions`; whoever does holds the lock of the run."""

    def add(self, subscriptions: Sequence[NewEventSubscription]) -> None:
        """Wait for these."""
        _ADD(
            self.connection,
            [
                (each.run_id, each.step_id, each.place, each.kind, each.name, each.key, each.due_at)
                for each in subscriptions
            ],
        )

    def waiting(
        self, kind: str, name: str, key: str | None, after: int, limit: int
    ) -> list[EventSubscription]:
        """Who waits for this, the oldest first; locked by nobody, so look again once their runs are.

        Args:
            kind: Message or signal.
            name: Its name.
            key: Of a message; none: whatever the key.
            after: Only those that began after this one.
            limit: How many at most.
        """
        values = {"kind": kind, "name": name, "key": key, "after": after, "limit": limit}
        return [EventSubscription(*row) for row in self.connection.execute(_WAITING, values)]

    def receivers(self, messages: Sequence[tuple[str, str]]) -> dict[int, EventSubscription]:
        """Who is to have these messages, each a name and a key, by their places; of those that nobody awaits, none.

        The first of a name and key is for whom has waited longest, the second for the next: no two have the same.
        Nobody is locked, so look again once their runs are.
        """
        values = {"names": [name for name, _ in messages], "keys": [key for _, key in messages]}
        return {
            turn - 1: EventSubscription(*fields)
            for turn, *fields in self.connection.execute(_RECEIVERS, values)
        }

    def of_run(self, run_id: str, kind: str, name: str, key: str | None) -> list[EventSubscription]:
        """The same in one run alone."""
        values = {"run_id": run_id, "kind": kind, "name": name, "key": key}
        return [EventSubscription(*row) for row in self.connection.execute(_OF_RUN, values)]

    def due(self, limit: int) -> list[EventSubscription]:
        """Timers whose time has come."""
        return [EventSubscription(*row) for row in self.connection.execute(_DUE, {"limit": limit})]

    def conditions(self, run_ids: Sequence[str]) -> list[EventSubscription]:
        """The conditions that these runs wait for."""
        found = self.connection.execute(_OF_RUNS, {"runs": list(run_ids)})
        return [EventSubscription(*row) for row in found]

    def still(self, subscription_ids: Sequence[int]) -> list[EventSubscription]:
        """Those of these that are still waited for, once their runs are locked."""
        found = self.connection.execute(_STILL, {"ids": list(subscription_ids)})
        return [EventSubscription(*row) for row in found]

    def end(self, subscription_ids: Sequence[int]) -> None:
        """Wait no longer for these."""
        self.connection.execute(_END, {"ids": list(subscription_ids)})

    def end_of_steps(self, step_ids: Sequence[int]) -> None:
        """Wait no longer for what belongs to these steps, which have ended."""
        self.connection.execute(_END_OF_STEPS, {"steps": list(step_ids)})

    def end_of_runs(self, run_ids: Sequence[str]) -> None:
        """Wait no longer for what belongs to these runs, which have ended."""
        self.connection.execute(_END_OF_RUNS, {"runs": list(run_ids)})
