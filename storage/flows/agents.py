"""Outside agents: programs of others that perform steps over the API, with their last report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Row, TextClause, text

from statemachine.workflow.agent_states import AGENT_TRANSITIONS, AgentEvent, AgentState
from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository

ALIVE_SECONDS: Final = 45
"""How long an agent counts as alive after it reported: three heartbeats."""
_FORGOTTEN_DAYS: Final = 7
"""How long one that is silent is listed."""


def _after(event: AgentEvent) -> str:
    """The status after this event, in SQL: what the table says."""
    moves = " ".join(
        f"WHEN '{source.value}' THEN '{target.value}'"
        for (source, known), target in AGENT_TRANSITIONS.items()
        if known is event
    )
    return f"CASE agents.status {moves} ELSE agents.status END"


_FIELDS = (
    "agent_id, name, role, registered_by, capabilities, most_at_once, registered_at, heartbeat_at, status, "
    "working_on, assigned, metadata, coalesce("
    f"heartbeat_at > statement_timestamp() - make_interval(secs => {ALIVE_SECONDS}), false) AS alive"
)
_REGISTER = text(
    f"""
    INSERT INTO agents (agent_id, name, role, registered_by, capabilities, most_at_once, metadata, heartbeat_at)
    VALUES (:agent_id, :name, :role, :registered_by, CAST(:capabilities AS jsonb), :most_at_once,
        CAST(:metadata AS jsonb), clock_timestamp())
    ON CONFLICT (agent_id) DO UPDATE SET name = excluded.name, role = excluded.role,
        registered_by = excluded.registered_by, capabilities = excluded.capabilities,
        most_at_once = excluded.most_at_once, metadata = excluded.metadata, heartbeat_at = excluded.heartbeat_at,
        status = {_after(AgentEvent.REGISTER)}, registered_at = clock_timestamp()
    """
)
_FORGET = text(
    "DELETE FROM agents WHERE registered_by = :registered_by "
    f"AND heartbeat_at < clock_timestamp() - make_interval(days => {_FORGOTTEN_DAYS})"
)
_REPORT: Final[Mapping[AgentEvent, TextClause]] = MappingProxyType(
    {
        event: text(
            f"UPDATE agents SET heartbeat_at = clock_timestamp(), status = {_after(event)}, working_on = :working_on "
            "WHERE agent_id = :agent_id RETURNING agent_id"
        )
        for event in (AgentEvent.FREE, AgentEvent.FILL, AgentEvent.DRAIN)
    }
)
_DRAIN = text(f"UPDATE agents SET status = {_after(AgentEvent.DRAIN)} WHERE agent_id = :agent_id")
_FIND = text(f"SELECT {_FIELDS} FROM agents WHERE agent_id = ANY(:ids)")
# In the order of their ids: two that ask for several agents wait for each other, and never both.
_LOCK = text(f"SELECT {_FIELDS} FROM agents WHERE agent_id = ANY(:ids) ORDER BY agent_id FOR NO KEY UPDATE")
_ASKED = text(
    "UPDATE agents SET heartbeat_at = clock_timestamp(), assigned = assigned + c.steps "
    "FROM unnest(CAST(:ids AS text[]), CAST(:steps AS integer[])) AS c(agent_id, steps) "
    "WHERE agents.agent_id = c.agent_id"
)
_LIST = text(
    f"SELECT {_FIELDS} FROM agents WHERE (CAST(:role AS text) IS NULL OR role = :role) "
    "ORDER BY heartbeat_at DESC, agent_id LIMIT :limit"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAgent:
    """An outside agent that registers."""

    agent_id: str
    name: str | None
    role: str
    registered_by: str
    capabilities: Sequence[str]
    most_at_once: int
    metadata: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideAgent:
    """An outside agent as its row has it; its times are on the database's clock."""

    agent_id: str
    name: str | None
    role: str
    registered_by: str
    capabilities: Sequence[str]
    most_at_once: int
    registered_at: datetime
    heartbeat_at: datetime
    status: AgentState
    """What it was told or has said; `statemachine.workflow.agent_states.seen` says how it stands."""
    working_on: int
    assigned: int
    """Steps it was ever given."""
    metadata: Mapping[str, Any]
    alive: bool

    @property
    def load(self) -> float:
        """The share of its capacity in use, as it says; above 1 when it took more than it declared."""
        return self.working_on / self.most_at_once


@dataclass(frozen=True, slots=True)
class OutsideAgents(Repository):
    """The only code that reads or writes `agents`."""

    def register(self, agent: NewAgent) -> None:
        """Store an agent, or update it; silent agents of its key are deleted."""
        self.connection.execute(_FORGET, {"registered_by": agent.registered_by})
        self.connection.execute(
            _REGISTER,
            {
                "agent_id": agent.agent_id,
                "name": agent.name,
                "role": agent.role,
                "registered_by": agent.registered_by,
                "capabilities": dump_json(list(agent.capabilities)),
                "most_at_once": agent.most_at_once,
                "metadata": dump_json(agent.metadata),
            },
        )

    def report(self, agent_id: str, event: AgentEvent, working_on: int) -> bool:
        """Note what an agent reports: that it is full, free, or drains; `False` when it is not registered."""
        parameters = {"agent_id": agent_id, "working_on": working_on}
        return self.connection.execute(_REPORT[event], parameters).one_or_none() is not None

    def drain(self, agent_id: str) -> None:
        """Let an agent be given nothing new until it registers again."""
        self.connection.execute(_DRAIN, {"agent_id": agent_id})

    def find(self, agent_id: str) -> OutsideAgent | None:
        """The agent with this id."""
        return self.several([agent_id]).get(agent_id)

    def several(self, agent_ids: Sequence[str], *, lock: bool = False) -> dict[str, OutsideAgent]:
        """The agents with these ids; with `lock`, nobody else gives them steps until the transaction ends."""
        rows = self.connection.execute(_LOCK if lock else _FIND, {"ids": list(agent_ids)})
        return {row.agent_id: _agent(row) for row in rows}

    def note_polls(self, steps: Mapping[str, int]) -> None:
        """Note that these agents asked for work, and how many steps each was given."""
        self.connection.execute(_ASKED, {"ids": list(steps), "steps": list(steps.values())})

    def list(self, *, role: str | None = None, limit: int = 500) -> list[OutsideAgent]:
        """The agents, of one role when named; whoever reported last comes first."""
        return [_agent(row) for row in self.connection.execute(_LIST, {"role": role, "limit": limit})]


def _agent(row: Row[Any]) -> OutsideAgent:
    return OutsideAgent(**{**row._mapping, "status": AgentState(row.status)})
