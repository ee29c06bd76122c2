"""Outside agents: programs of others that perform steps over the API, with their last report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository

ALIVE_SECONDS: Final = 45
"""How long an agent counts as alive after it reported: three heartbeats."""
_FORGOTTEN_DAYS: Final = 7
"""How long one that is silent is listed."""

_FIELDS = (
    "agent_id, role, registered_by, capabilities, most_at_once, registered_at, heartbeat_at, status, working_on, "
    "metadata, coalesce("
    f"heartbeat_at > statement_timestamp() - make_interval(secs => {ALIVE_SECONDS}), false) AS alive"
)
_REGISTER = text(
    """
    INSERT INTO agents (agent_id, role, registered_by, capabilities, most_at_once, metadata, heartbeat_at)
    VALUES (:agent_id, :role, :registered_by, CAST(:capabilities AS jsonb), :most_at_once,
        CAST(:metadata AS jsonb), clock_timestamp())
    ON CONFLICT (agent_id) DO UPDATE SET role = excluded.role, registered_by = excluded.registered_by,
        capabilities = excluded.capabilities, most_at_once = excluded.most_at_once,
        metadata = excluded.metadata, heartbeat_at = excluded.heartbeat_at, registered_at = clock_timestamp()
    """
)
_FORGET = text(
    "DELETE FROM agents WHERE registered_by = :registered_by "
    f"AND heartbeat_at < clock_timestamp() - make_interval(days => {_FORGOTTEN_DAYS})"
)
_HEARTBEAT = text(
    "UPDATE agents SET heartbeat_at = clock_timestamp(), status = :status, working_on = :working_on "
    "WHERE agent_id = :agent_id RETURNING agent_id"
)
_FIND = text(f"SELECT {_FIELDS} FROM agents WHERE agent_id = :agent_id")
_LIST = text(
    f"SELECT {_FIELDS} FROM agents WHERE (CAST(:role AS text) IS NULL OR role = :role) "
    "ORDER BY heartbeat_at DESC, agent_id LIMIT :limit"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAgent:
    """An outside agent that registers."""

    agent_id: str
    role: str
    registered_by: str
    capabilities: Sequence[str]
    most_at_once: int
    metadata: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideAgent:
    """An outside agent as it stands; its times are on the database's clock."""

    agent_id: str
    role: str
    registered_by: str
    capabilities: Sequence[str]
    most_at_once: int
    registered_at: datetime
    heartbeat_at: datetime
    status: str
    working_on: int
    metadata: Mapping[str, Any]
    alive: bool

    @property
    def load(self) -> float:
        """The share of its capacity in use; above 1 when it took more than it declared."""
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
                "role": agent.role,
                "registered_by": agent.registered_by,
                "capabilities": dump_json(list(agent.capabilities)),
                "most_at_once": agent.most_at_once,
                "metadata": dump_json(agent.metadata),
            },
        )

    def heartbeat(self, agent_id: str, status: str, working_on: int) -> bool:
        """Note what an agent reports; `False` when it is not registered."""
        parameters = {"agent_id": agent_id, "status": status, "working_on": working_on}
        return self.connection.execute(_HEARTBEAT, parameters).one_or_none() is not None

    def find(self, agent_id: str) -> OutsideAgent | None:
        """The agent with this id."""
        row = self.connection.execute(_FIND, {"agent_id": agent_id}).one_or_none()
        return None if row is None else OutsideAgent(**row._mapping)

    def list(self, *, role: str | None = None, limit: int = 500) -> list[OutsideAgent]:
        """The agents, of one role when named; whoever reported last comes first."""
        rows = self.connection.execute(_LIST, {"role": role, "limit": limit})
        return [OutsideAgent(**row._mapping) for row in rows]
