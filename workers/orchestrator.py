"""The orchestrator's worker: one queue, one bound line an action."""

from celery import Celery

from workers.agent import Agent, bind
from workers.process import CurrentProcess

AGENT = Agent(name="orchestrator")


def register(app: Celery, current: CurrentProcess) -> None:
    """Bind the orchestrator's actions."""
    bind(app, current, "orchestrator.retry_contact")
    bind(app, current, "orchestrator.open_round")
