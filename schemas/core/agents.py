"""The fleet's agents, as `config/agents.yaml` declares them: one line each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints, model_validator

from schemas.core.configuration import read_policy_file
from schemas.core.identifier import Identifier

FILE: Final = "agents.yaml"
"""The file's name within the configuration folder."""

TICK: Final = "tick"
"""The queue of the tick, which is no agent: it never waits behind the work that it rescues."""

UPKEEP: Final = "upkeep"
"""The queue of what removes old data, which is no agent either, and which nobody waits for."""

OUTSIDE: Final = "outside"
"""In the place of a queue: of the steps that outside agents do. No worker serves it, and nothing is published to it."""

SYSTEM_QUEUES: Final = (TICK, UPKEEP)
"""The queues of no agent; each has a worker of one process that does only what beat calls."""

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


class _AgentLine(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrency: int = Field(default=1, ge=1, le=64)
    key: _Name | None = None
    scopes: tuple[str, ...] = ("read",)
    outside: bool = False
    capabilities: tuple[Identifier, ...] = ()


class _AgentsFile(RootModel[dict[_Name, _AgentLine]]):
    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _names_are_free(self) -> Self:
        taken = self.root.keys() & {*SYSTEM_QUEUES, OUTSIDE}
        if taken:
            raise ValueError(f"'{min(taken)}' is no name for an agent: it means something else")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One agent: its queue has its name, and one Celery worker serves it."""

    name: str
    concurrency: int = 1
    """Processes of its worker."""
    key_owner: str
    """Its name on the wire, and the owner of its key."""
    scopes: tuple[str, ...] = ("read",)
    outside: bool = False
    """Whether its worker reaches the network outside, in a container."""
    capabilities: tuple[str, ...] = ()
    """What steps may ask for that name no queue."""

    @property
    def has_key(self) -> bool:
        """Whether it calls the API, and is shown there; one without a scope does not."""
        return bool(self.scopes)


@dataclass(frozen=True, slots=True)
class Agents:
    """All agents of an installation, in the order of the file."""

    by_queue: Mapping[str, Agent]

    @property
    def queues(self) -> tuple[str, ...]:
        """Their queues, which are their names."""
        return tuple(self.by_queue)

    def named(self, key_owner: str) -> Agent | None:
        """The agent of this name on the wire."""
        return next((agent for agent in self if agent.has_key and agent.key_owner == key_owner), None)

    def __iter__(self) -> Iterator[Agent]:
        return iter(self.by_queue.values())


def read_agents(config_folder: Path) -> Agents:
    """The agents of this configuration.

    Raises:
        PolicyFileError: the file cannot be used; the message names its place.
    """
    document = read_policy_file(config_folder / FILE, _AgentsFile)
    return Agents(
        {
            name: Agent(
                name=name,
                concurrency=line.concurrency,
                key_owner=line.key or name,
                scopes=line.scopes,
                outside=line.outside,
                capabilities=line.capabilities,
            )
            for name, line in document.root.items()
        }
    )
