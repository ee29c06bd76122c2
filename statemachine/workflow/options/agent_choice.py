"""Which agent does a step: a queue by its name, or whoever can do it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

OFFER_SECONDS: Final = 86_400
"""How long, in business time, an offered step waits for its caller or for an agent before a person is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentChoice:
    """What an agent needs so that it may do a step; the fields together, and an empty one asks for nothing."""

    capabilities: tuple[str, ...] = ()
    """All of them."""
    role: str | None = None
    agent_id: str | None = None
    """One agent; an expression in `${}` is filled when the step is created."""

    def fits(self, agent_id: str | None, role: str, capabilities: Collection[str]) -> bool:
        """Whether this agent may do it; one without an id is no single agent."""
        return (
            set(self.capabilities) <= set(capabilities)
            and self.role in (None, role)
            and self.agent_id in (None, agent_id)
        )

    def work_name(self, action: str) -> str:
        """What the work is called: the action of the step, or else the first capability."""
        return action or next(iter(self.capabilities), "")
