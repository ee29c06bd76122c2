"""What a key may do, and what each agent's key may do by default (SPEC.md §6)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

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
