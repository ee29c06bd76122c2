"""Steps that are offered to outside agents: found by what an agent can do, claimed with a lease each, renewed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import text

from schemas.core.agents import OUTSIDE
from statemachine.workflow.options.agent_choice import AgentChoice
from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository
from storage.engine.states import LEASED, OFFERED
from storage.engine.steps import ROW, StepRow, step_row
from storage.engine.tables import WANTED_FIRST

# Each key is one walk along the index, most urgent first. `IS NOT NULL` and `NOT held` are the index's own condition.
_FITTING = text(
    f"""
    SELECT s.step_id, s.wanted FROM unnest(CAST(:keys AS text[])) AS k(key) CROSS JOIN LATERAL (
        SELECT step_id, wanted, urgency FROM steps
        WHERE state = {OFFERED} AND wanted IS NOT NULL AND NOT held AND {WANTED_FIRST} = k.key
          AND step_id <> ALL(:except)
          AND EXISTS (
            SELECT FROM jsonb_to_recordset(CAST(:agents AS jsonb)) AS a(agent_id text, role text, capabilities jsonb)
            WHERE wanted -> 'capabilities' <@ a.capabilities
              AND coalesce(wanted ->> 'role', a.role) = a.role
              AND coalesce(wanted ->> 'agent_id', a.agent_id) = a.agent_id)
        ORDER BY urgency, step_id LIMIT :limit
    ) AS s ORDER BY s.urgency, s.step_id LIMIT :limit
    """
)
_CLAIM = text(
    f"""
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS c(step_id bigint, lease_id text, holder text)
    ), free AS (
        SELECT s.step_id FROM steps s WHERE s.step_id IN (SELECT step_id FROM given)
          AND s.state = {OFFERED} AND s.wanted IS NOT NULL AND NOT s.held
        ORDER BY s.step_id FOR NO KEY UPDATE OF s SKIP LOCKED
    ), lease AS (
        INSERT INTO leases (lease_id, holder, queue, expires_at)
        SELECT lease_id, holder, '{OUTSIDE}', clock_timestamp() + make_interval(secs => :seconds)
        FROM given JOIN free USING (step_id)
    ), s AS (
        UPDATE steps SET state = {LEASED}, lease_id = given.lease_id, started_at = clock_timestamp()
        FROM given JOIN free USING (step_id) WHERE steps.step_id = given.step_id RETURNING steps.*
    )
    SELECT {ROW}, s.progress FROM s JOIN runs r USING (run_id) ORDER BY s.urgency, s.step_id
    """
)
_LOOK = text(
    f"SELECT {ROW}, s.progress FROM steps s JOIN runs r USING (run_id) WHERE s.step_id = ANY(:ids) "
    f"AND s.queue = '{OUTSIDE}'"
)
_HELD = text(
    f"SELECT l.holder, count(*) AS steps FROM leases l JOIN steps s USING (lease_id) WHERE l.queue = '{OUTSIDE}' "
    f"AND s.state = {LEASED} AND (CAST(:agents AS text[]) IS NULL OR l.holder = ANY(:agents)) GROUP BY l.holder"
)
_HOLDERS = text(f"SELECT lease_id, holder FROM leases WHERE lease_id = ANY(:ids) AND queue = '{OUTSIDE}'")
_RENEW = text(
    f"""
    WITH kept AS (
        UPDATE leases SET expires_at = clock_timestamp() + make_interval(secs => :seconds)
        WHERE lease_id = :lease_id AND queue = '{OUTSIDE}' AND EXISTS (
            SELECT FROM steps s WHERE s.step_id = :step_id AND s.lease_id = :lease_id AND s.state = {LEASED})
        RETURNING lease_id
    ), noted AS (
        UPDATE steps SET progress = CAST(:progress AS jsonb) FROM kept
        WHERE steps.step_id = :step_id AND CAST(:progress AS jsonb) IS NOT NULL
    )
    SELECT lease_id FROM kept
    """
)


class Offer(NamedTuple):
    """An offered step, and what it needs."""

    step_id: int
    wanted: AgentChoice


class OfferClaim(NamedTuple):
    """A step that is to go to an agent."""

    step_id: int
    lease_id: str
    holder: str


@dataclass(frozen=True, slots=True)
class OfferedStep:
    """An offered or claimed step, with what the last agent said of how far it was."""

    step: StepRow
    progress: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Taker:
    """An agent as far as it decides which steps it may have."""

    agent_id: str
    role: str
    capabilities: Sequence[str]


@dataclass(frozen=True, slots=True)
class Offers(Repository):
    """The only code that gives steps to outside agents."""

    def fitting(self, takers: Sequence[Taker], limit: int, *, but: Collection[int] = ()) -> list[Offer]:
        """The most urgent offered steps that any of these agents may have; nothing is locked."""
        agents = [
            {"agent_id": each.agent_id, "role": each.role, "capabilities": each.capabilities}
            for each in takers
        ]
        keys = sorted({"", *(name for each in takers for name in each.capabilities)})
        rows = self.connection.execute(
            _FITTING, {"keys": keys, "agents": dump_json(agents), "except": list(but), "limit": limit}
        )
        return [Offer(row.step_id, _choice(row.wanted)) for row in rows]

    def claim(self, claims: Sequence[OfferClaim], seconds: float) -> list[OfferedStep]:
        """Put those of these steps that are still offered under a lease each, most urgent first."""
        rows = self.connection.execute(
            _CLAIM, {"rows": dump_json([claim._asdict() for claim in claims]), "seconds": seconds}
        )
        return [_offered(row) for row in rows]

    def look(self, step_ids: Sequence[int]) -> dict[int, OfferedStep]:
        """Those of these steps that outside agents do, as they stand; nothing is locked."""
        rows = self.connection.execute(_LOOK, {"ids": list(step_ids)})
        return {found.step.step_id: found for found in map(_offered, rows)}

    def held(self, agents: Sequence[str] | None = None) -> dict[str, int]:
        """How many steps each of these agents holds, or every agent that holds any."""
        rows = self.connection.execute(_HELD, {"agents": None if agents is None else list(agents)})
        return {row.holder: row.steps for row in rows}

    def holders(self, lease_ids: Sequence[str]) -> dict[str, str]:
        """Which agent holds each of these leases; one that is over has none."""
        rows = self.connection.execute(_HOLDERS, {"ids": list(lease_ids)})
        return {row.lease_id: row.holder for row in rows}

    def renew(self, step_id: int, lease_id: str, seconds: float, progress: Mapping[str, Any] | None) -> bool:
        """Prolong the lease of a step that is still under it, and keep what is said of how far it is."""
        parameters = {
            "step_id": step_id,
            "lease_id": lease_id,
            "seconds": seconds,
            "progress": None if progress is None else dump_json(progress),
        }
        return self.connection.execute(_RENEW, parameters).one_or_none() is not None


def _choice(written: Mapping[str, Any]) -> AgentChoice:
    return AgentChoice(
        capabilities=tuple(written["capabilities"]), role=written["role"], agent_id=written["agent_id"]
    )


def _offered(row: Sequence[Any]) -> OfferedStep:
    *step, progress = row
    return OfferedStep(step_row(step), progress)
