"""What a key may do, and what each agent's key may do by default (SPEC.md §6)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from schemas.core.agents import Agent, Agents


class Scope(StrEnum):
    """One permission of a key."""

    READ = "read"
    TASKS = "tasks"
    CONTACT = "contact"
    TRIAGE = "triage"
    ACTIONS = "actions"
    AUDIT = "audit"
    STATES = "states"
    REVIEWS = "reviews"
    """Decide reviews, and hear the words under review."""
    CLAIMS = "claims"
    """Give back a review that another has taken."""
    ALERTS = "alerts"
    """Acknowledge and resolve alerts."""
    STOPS = "stops"
    """Stop contacts; see the do-not-call list and add to it."""
    LIFT = "lift"
    """Lift what was stopped, and let a number be called again."""
    INTAKE = "intake"
    """See what intake refused, correct it, send it in again, let it be."""
    WEBHOOKS = "webhooks"
    """Subscribers and their deliveries."""
    WORKFLOWS = "workflows"
    """Send definitions of workflows, activate and retire them."""
    REVEAL = "reveal"
    """Numbers and words of customers in clear; nobody has it but the admin, unless it is given."""
    ADMIN = "admin"


_PEOPLE: Final[Mapping[str, frozenset[Scope]]] = MappingProxyType(
    {
        "operator": frozenset({Scope.READ, Scope.TASKS, Scope.REVIEWS, Scope.ALERTS, Scope.STOPS}),
        "admin": frozenset(Scope),
    },
)


def owners_of(agents: Agents) -> Mapping[str, frozenset[Scope]]:
    """Whose keys an installation begins with, and their scopes: the agents', by their names on the wire, and people's.

    Raises:
        PolicyFileError: a line of `config/agents.yaml` names a scope that there is not.
    """
    return {agent.key_owner: _scopes_of(agent) for agent in agents if agent.has_key} | dict(_PEOPLE)


def _scopes_of(agent: Agent) -> frozenset[Scope]:
    from schemas.core.configuration import PolicyFileError

    unknown = [scope for scope in agent.scopes if scope not in list(Scope)]
    if unknown:
        raise PolicyFileError(
            f"config/agents.yaml: {agent.name}: scopes: there is no '{unknown[0]}'; there are {', '.join(Scope)}"
        )
    return frozenset(Scope(scope) for scope in agent.scopes)
