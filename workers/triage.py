"""The triage agent's worker: one queue, one bound line an action."""

from celery import Celery

from workers.agent import Agent, bind
from workers.process import CurrentProcess

AGENT = Agent(name="triage")


def register(app: Celery, current: CurrentProcess) -> None:
    """Bind the triage agent's actions."""
    bind(app, current, "triage.classify_intent")
    bind(app, current, "triage.classify_text")
    bind(app, current, "triage.validate_classification")
