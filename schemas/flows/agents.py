"""Request and response bodies of the agents' routes: the fleet's five, and outside agents that register."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from runtime.mask import mask_json
from schemas.core.form import Answered, Moment, Sent, Succeeded, storable_object
from schemas.core.identifier import Identifier
from schemas.core.load import QueueLoad, WorkersView
from schemas.core.whole_number import WholeNumber

HEARTBEAT_SECONDS: Final = 15
"""How often an outside agent is to report."""

AgentId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")]
AgentStatus = Literal["idle", "busy", "draining"]


class AgentRegistered(Sent):
    """An outside agent says what it is and what it can do."""

    agent_id: AgentId
    """The key's agent, or that and a dot and a name of its own."""
    role: Identifier | None = None
    """Whose steps it performs; the key's agent when not named."""
    capabilities: list[Identifier] = Field(default_factory=list, max_length=50)
    """The types of action it can perform."""
    most_at_once: WholeNumber = Field(default=1, ge=1, le=10_000)
    metadata: Annotated[dict[str, Any], AfterValidator(storable_object), AfterValidator(mask_json)] = Field(
        default_factory=dict
    )


class RegistrationTaken(Succeeded):
    """An outside agent that is known now."""

    agent_id: str
    heartbeat_seconds: int
    """How often it is to report; silent for three times as long, it counts as gone."""


class Heartbeat(Sent):
    """An outside agent lives, and says how busy it is."""

    status: AgentStatus
    """`draining`: it finishes what it has and takes nothing new."""
    working_on: WholeNumber = Field(default=0, ge=0, le=10_000)
    """Steps it is at."""


class HeartbeatTaken(Succeeded):
    """A report that was noted."""

    next_heartbeat_seconds: int


class FleetAgent(Answered):
    """One of the five agents of the fleet."""

    agent_id: str
    queue: str
    steps: QueueLoad
    workers: WorkersView
    outside: int
    """Outside agents alive in its role."""


class OutsideAgentView(Answered):
    """A registered outside agent; its times are on the database's clock."""

    agent_id: str
    role: str
    alive: bool
    """Whether it reported in the last 45 seconds."""
    status: AgentStatus
    working_on: int
    most_at_once: int
    load: float
    """`working_on / most_at_once`."""
    capabilities: list[str]
    offered: int
    """Steps that wait for an agent of its role."""
    registered_at: Moment
    heartbeat_at: Moment
    metadata: dict[str, Any]


class AgentList(Answered):
    """Who works: the fleet's five, and the outside agents, whoever reported last first."""

    agents: list[FleetAgent]
    outside: list[OutsideAgentView]


class AgentDetail(Answered):
    """One agent: the fleet's part of it, and the outside agents under its name."""

    agent_id: str
    fleet: FleetAgent | None
    """Null for an outside agent."""
    outside: list[OutsideAgentView]
    """The outside agent itself; of one of the fleet's those of its role."""
