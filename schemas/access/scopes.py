"""What a key may do, and what each agent's key may do by default (SPEC.md §6)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


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


OWNERS: Final[Mapping[str, frozenset[Scope]]] = MappingProxyType(
    {
        "orchestrator": frozenset({Scope.READ, Scope.TASKS, Scope.STATES}),
        "contact_agent": frozenset({Scope.READ, Scope.CONTACT, Scope.STATES}),
        "triage_agent": frozenset({Scope.READ, Scope.TRIAGE, Scope.STATES}),
        "action_agent": frozenset({Scope.READ, Scope.ACTIONS, Scope.STATES}),
        "audit_agent": frozenset({Scope.READ, Scope.AUDIT}),
        "operator": frozenset({Scope.READ, Scope.TASKS, Scope.REVIEWS}),
        "admin": frozenset(Scope),
    },
)
"""Whose keys an installation begins with, and their scopes. The wire names of the agents are the seed's."""
