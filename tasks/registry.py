"""What products register: every agent's actions, and the purposes of steps that their definitions need."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from engine.actions import Actions
from statemachine.orders.purposes import NEEDS
from statemachine.workflow.purposes import PurposeNeed
from tasks.orders.agents import action, audit, contact, orchestrator, triage
from tasks.orders.intake.intake import TRIGGER
from tasks.orders.rules.context import Context

NEEDS_OF_TRIGGER: Final[Mapping[str, Sequence[PurposeNeed]]] = MappingProxyType({TRIGGER: NEEDS})
"""The purposes that a definition needs, by its trigger."""


def registry(context: Context) -> Actions:
    """The actions of the five agents, bound to this process's context."""
    agents = (orchestrator, contact, triage, action, audit)
    return Actions({one.name: one for agent in agents for one in agent.actions(context)}, orchestrator.ending)
