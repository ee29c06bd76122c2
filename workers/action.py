"""The action agent's worker: one queue, one bound line an action."""

from celery import Celery

from workers.agent import Agent, bind
from workers.process import CurrentProcess

AGENT = Agent(name="action")


def register(app: Celery, current: CurrentProcess) -> None:
    """Bind the action agent's actions."""
    bind(app, current, "action.execute_action")
