"""Every agent's actions, in one place."""

from engine.actions import Actions
from tasks.orders.agents import action, audit, contact, orchestrator, triage
from tasks.orders.rules.context import Context


def registry(context: Context) -> Actions:
    """The actions of the five agents, bound to this process's context."""
    agents = (orchestrator, contact, triage, action, audit)
    return Actions({one.name: one for agent in agents for one in agent.actions(context)}, orchestrator.ending)
