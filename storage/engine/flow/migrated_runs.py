"""Runs that go on in another version of their definition: what is open in them is renamed, and keeps its times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storage.core.bulk import dump_json, recordset, rows_of
from storage.core.unit_of_work import Repository
from storage.engine.flow.subscriptions import FIELDS, EventSubscription
from storage.engine.flow.tables import subscriptions as subscriptions_table
from storage.engine.states import ENDED, PUBLISHED, READY, RUNS_OPEN
from storage.engine.tables import steps as steps_table
from storage.engine.urgency import URGENCY

_OPEN = text(
    f"SELECT run_id FROM runs WHERE workflow = :workflow AND version = :version AND state IN ({RUNS_OPEN}) "
    "AND run_id > :after ORDER BY run_id LIMIT :limit"
)
_SUBSCRIPTIONS = text(f"SELECT {FIELDS} FROM subscriptions WHERE run_id = :run_id ORDER BY subscription_id")
_ARRIVALS = text(
    "SELECT scope_id, node, array_agg(DISTINCT flow) AS flows FROM join_arrivals WHERE run_id = :run_id "
    "GROUP BY scope_id, node ORDER BY scope_id, node"
)
_NAMES = "unnest(CAST(:before AS text[]), CAST(:after AS text[]), CAST(:ended_too AS boolean[]), "
_RENAME = text(
    f"""
    UPDATE steps SET node = n.after, referenced = n.referenced
    FROM {_NAMES} CAST(:referenced AS boolean[])) AS n(before, after, ended_too, referenced)
    WHERE steps.run_id = :run_id AND steps.node = n.before AND (n.ended_too OR steps.state NOT IN ({ENDED}))
      AND (n.before <> n.after OR steps.referenced IS DISTINCT FROM n.referenced)
    """
)
# A message that is under way, and a claim that began before this, are for the delivery before.
_CHANGE = text(
    f"""
    UPDATE steps SET queue = c.queue, action = c.action, wanted = coalesce(c.wanted, steps.wanted), input = c.input,
        delivery = steps.delivery + CASE WHEN state IN ({READY}, {PUBLISHED}) THEN 1 ELSE 0 END,
        state = CASE state WHEN {PUBLISHED} THEN {READY} ELSE state END,
        ready_at = CASE state WHEN {PUBLISHED} THEN coalesce(ready_at, clock_timestamp()) ELSE ready_at END,
        urgency = CASE state WHEN {PUBLISHED} THEN coalesce(steps.urgency, {URGENCY}) ELSE steps.urgency END
    FROM {recordset(steps_table, ("step_id", "queue", "action", "wanted", "input"))}
    WHERE steps.step_id = c.step_id
    """
)
_RENAME_SCOPES = text(
    "UPDATE scopes SET node = n.after FROM unnest(CAST(:before AS text[]), CAST(:after AS text[])) "
    "AS n(before, after) WHERE scopes.run_id = :run_id AND scopes.node = n.before"
)
_RENAME_ARRIVALS = text(
    "UPDATE join_arrivals a SET node = coalesce(n.after, a.node), flow = coalesce(f.after, a.flow) "
    "FROM join_arrivals o "
    "LEFT JOIN unnest(CAST(:before AS text[]), CAST(:after AS text[])) AS n(before, after) ON n.before = o.node "
    "LEFT JOIN unnest(CAST(:before AS text[]), CAST(:after AS text[])) AS f(before, after) ON f.before = o.flow "
    "WHERE a.run_id = :run_id AND o.arrival_id = a.arrival_id"
)
_PLACES = text(
    f"UPDATE subscriptions SET place = c.place FROM {recordset(subscriptions_table, ('subscription_id', 'place'))} "
    "WHERE subscriptions.subscription_id = c.subscription_id"
)
_MOVE = text(
    "UPDATE runs SET version = :version, migrations = coalesce(migrations, '[]') || jsonb_build_array("
    "CAST(:entry AS jsonb) || jsonb_build_object('at', clock_timestamp())) WHERE run_id = :run_id"
)
_HISTORY = text("SELECT migrations FROM runs WHERE run_id = :run_id")


@dataclass(frozen=True, slots=True)
class WaitingBranches:
    """The branches that have come to a join of a run."""

    scope_id: int
    node: str
    flows: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewName:
    """What a step of a run is called from now on."""

    before: str
    after: str
    ended_too: bool
    """Whether its ended rows are, too."""
    referenced: bool | None
    """Whether its output is read by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWork:
    """Who does an open step from now on, and with what."""

    step_id: int
    queue: str | None
    action: str | None
    wanted: Mapping[str, object] | None
    """What an outside agent needs, where that is another than before."""
    input: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class MigratedRuns(Repository):
    """The only code that gives runs another version; whoever does holds the locks of the run and its open steps."""

    def open_of(self, workflow: str, version: str, *, after: str, limit: int) -> list[str]:
        """Open runs of this version in the order of their ids, from behind this one on."""
        values = {"workflow": workflow, "version": version, "after": after, "limit": limit}
        return list(self.connection.execute(_OPEN, values).scalars())

    def subscriptions(self, run_id: str) -> list[EventSubscription]:
        """What a run and its open steps wait for."""
        found = self.connection.execute(_SUBSCRIPTIONS, {"run_id": run_id})
        return [EventSubscription(*row) for row in found]

    def arrivals(self, run_id: str) -> list[WaitingBranches]:
        """The branches that have come to joins of a run."""
        return [WaitingBranches(*row) for row in self.connection.execute(_ARRIVALS, {"run_id": run_id})]

    def rename(self, run_id: str, names: Sequence[NewName]) -> None:
        """Give the steps of a run their new names, all at once, wherever the run has them."""
        pairs = {"before": [each.before for each in names], "after": [each.after for each in names]}
        flags = {
            "ended_too": [each.ended_too for each in names],
            "referenced": [each.referenced for each in names],
        }
        self.connection.execute(_RENAME, {"run_id": run_id, **pairs, **flags})
        if any(each.before != each.after for each in names):
            self.connection.execute(_RENAME_SCOPES, {"run_id": run_id, **pairs})
            self.connection.execute(_RENAME_ARRIVALS, {"run_id": run_id, **pairs})

    def change_work(self, changes: Sequence[NewWork]) -> None:
        """Write who does these open steps; those that wait for a worker are published anew."""
        if changes:
            columns = ("step_id", "queue", "action", "wanted", "input")
            rows = [(each.step_id, each.queue, each.action, each.wanted, each.input) for each in changes]
            self.connection.execute(_CHANGE, rows_of(columns, rows))

    def put_places(self, places: Mapping[int, int]) -> None:
        """Write the places of these subscriptions among what their steps catch."""
        if places:
            rows = rows_of(("subscription_id", "place"), list(places.items()))
            self.connection.execute(_PLACES, rows)

    def move(self, run_id: str, version: str, entry: Mapping[str, object]) -> None:
        """Let a run be of this version, and note how it came there."""
        self.connection.execute(_MOVE, {"run_id": run_id, "version": version, "entry": dump_json(entry)})

    def history(self, run_id: str) -> Sequence[Mapping[str, Any]]:
        """The migrations of a run, in their order."""
        found: Sequence[Mapping[str, Any]] | None = self.connection.execute(
            _HISTORY, {"run_id": run_id}
        ).scalar_one_or_none()
        return found or ()
