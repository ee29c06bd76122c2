"""Which agent does a step: a queue by its name, or whoever can do it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentChoice:
    """What an agent needs so that it may do a step; the fields together, and an empty one asks for nothing."""

    capabilities: tuple[str, ...] = ()
    """All of them."""
    role: str | None = None
    agent_id: str | None = None
    """One agent; an expression in `${}` is filled when the step is created."""
