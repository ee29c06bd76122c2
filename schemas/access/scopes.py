"""What a key may do, and what each agent's key may do by default (SPEC.md §6)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from schemas.core.agents import Agent, Agents
from schemas.core.configuration import PolicyFileError
from statemachine.orders.states import Event


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
    REVEAL = "reveal"
    """Numbers and words of customers in clear; nobody has it but the admin, unless it is given."""
    ADMIN = "admin"


_PEOPLE: Final[Mapping[str, frozenset[Scope]]] = MappingProxyType(
    {
        "operator": frozenset({Scope.READ, Scope.TASKS, Scope.REVIEWS}),
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
    unknown = [scope for scope in agent.scopes if scope not in list(Scope)]
    if unknown:
        raise PolicyFileError(
            f"config/agents.yaml: {agent.name}: scopes: there is no '{unknown[0]}'; there are {', '.join(Scope)}"
        )
    return frozenset(Scope(scope) for scope in agent.scopes)


MOVERS: Final[Mapping[Event, frozenset[Scope]]] = MappingProxyType(
    {
        Event.START: frozenset({Scope.TASKS}),
        Event.USER_RESPONDED: frozenset({Scope.CONTACT}),
        Event.USER_NO_ANSWER: frozenset({Scope.CONTACT}),
        Event.CONTACT_RETRY: frozenset({Scope.CONTACT, Scope.TASKS}),
        Event.CONTACT_MAX_REACHED: frozenset({Scope.CONTACT, Scope.TASKS}),
        Event.TRIAGE_COMPLETE: frozenset({Scope.TRIAGE}),
        Event.ACTION_EXECUTE: frozenset({Scope.ACTIONS}),
        Event.INTENT_POSTPONE: frozenset({Scope.ACTIONS, Scope.TASKS}),
        Event.INTENT_RESUME: frozenset({Scope.ACTIONS, Scope.TASKS}),
        Event.INTENT_TERMINATE: frozenset({Scope.ACTIONS, Scope.TASKS}),
        Event.FOLLOWUP_TIME_REACHED: frozenset({Scope.CONTACT, Scope.TASKS}),
        Event.CANCEL: frozenset({Scope.TASKS}),
        Event.TIMEOUT: frozenset({Scope.TASKS}),
        Event.REVIEW_CLOSE: frozenset({Scope.REVIEWS}),
        Event.REVIEW_RECONTACT: frozenset({Scope.REVIEWS}),
    },
)
"""What a key needs beside `states` to move an order by an event, one of these: as where it is done by its own route."""
