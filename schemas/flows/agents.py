"""Request and response bodies of the agents' routes: the fleet's five, and outside agents that register."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from runtime.mask import mask_json
from schemas.access.scopes import Scope
from schemas.core.form import Answered, Moment, Sent, Succeeded, Text, storable_object
from schemas.core.identifier import Identifier
from schemas.core.load import QueueLoad, WorkersView
from schemas.core.whole_number import WholeNumber

HEARTBEAT_SECONDS: Final = 15
"""How often an outside agent is to report."""

AgentId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")]
ReportedStatus = Literal["idle", "active", "busy", "draining"]
AgentStatus = Literal["active", "busy", "draining", "offline"]

MOST_CAPABILITIES: Final = 50
"""What one agent can do."""

SCOPES_OF_ROLE: Final[Mapping[str, frozenset[Scope]]] = MappingProxyType(
    {
        "coordinator": frozenset({Scope.TASKS}),
        "worker": frozenset({Scope.ACTIONS}),
        "reviewer": frozenset({Scope.REVIEWS}),
        "supervisor": frozenset({Scope.TASKS, Scope.ALERTS}),
    }
)
"""What the key of an agent must be allowed that registers in one of these roles (docs/outside_agents.md)."""


class AgentRegistered(Sent):
    """An outside agent says what it is and what it can do."""

    agent_id: AgentId
    """The key's agent, or that and a dot and a name of its own."""
    name: Annotated[Text, Field(min_length=1, max_length=64)] | None = None
    """What people call it."""
    role: Identifier | None = None
    """`coordinator`, `worker`, `reviewer`, `supervisor`, or whose steps it performs; the key's agent when not named."""
    capabilities: list[Identifier] = Field(default_factory=list, max_length=MOST_CAPABILITIES)
    """What it can do: steps that ask for some of it are offered to it."""
    most_at_once: WholeNumber | None = Field(default=None, ge=1, le=10_000)
    """The same as `max_concurrent`."""
    max_concurrent: WholeNumber | None = Field(default=None, ge=1, le=10_000)
    """Steps it may hold at the same time; 1 when not named."""
    metadata: Annotated[dict[str, Any], AfterValidator(storable_object), AfterValidator(mask_json)] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _one_capacity(self) -> Self:
        if None not in (self.most_at_once, self.max_concurrent) and self.most_at_once != self.max_concurrent:
            raise ValueError("most_at_once and max_concurrent mean the same: send one of them")
        return self

    @property
    def capacity(self) -> int:
        """Steps it may hold at the same time."""
        return self.max_concurrent or self.most_at_once or 1


class RegistrationTaken(Succeeded):
    """An outside agent that is known now."""

    agent_id: str
    heartbeat_seconds: int
    """How often it is to report; silent for three times as long, it counts as gone."""


class Heartbeat(Sent):
    """An outside agent lives, and says how busy it is."""

    status: ReportedStatus
    """`idle` is `active`; `draining`: it finishes what it has and takes nothing new until it registers again."""
    working_on: WholeNumber = Field(default=0, ge=0, le=10_000)
    """Steps it is at."""


class AgentDrained(Succeeded):
    """An agent that is given nothing new until it registers again."""

    agent: "OutsideAgentView"


class HeartbeatTaken(Succeeded):
    """A report that was noted."""

    next_heartbeat_seconds: int


class AgentLoad(Answered):
    """How busy an agent is."""

    agent_id: str
    name: str
    role: str
    status: AgentStatus
    """`offline`: drained, or silent for 45 seconds; of the fleet's agents, that no process of it is there."""
    current_tasks: int
    """Steps it holds."""
    max_concurrent: int
    """Steps it may hold; of the fleet's agents, those that its processes can have in a message each."""
    load_percentage: float
    total_assigned: int | None
    """Steps it was ever given; of the fleet's agents nobody counts."""


class FleetAgent(AgentLoad):
    """One of the five agents of the fleet."""

    queue: str
    steps: QueueLoad
    workers: WorkersView
    outside: int
    """Outside agents alive in its role."""


class OutsideAgentView(AgentLoad):
    """A registered outside agent; its times are on the database's clock."""

    alive: bool
    """Whether it reported in the last 45 seconds."""
    working_on: int
    """Steps it says it is at."""
    most_at_once: int
    load: float
    """`working_on / most_at_once`."""
    capabilities: list[str]
    offered: int
    """Manual steps that wait for an agent of its role."""
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
