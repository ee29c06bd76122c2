"""The audit agent's worker: one queue, one bound line an action."""

from celery import Celery

from workers.agent import Agent, bind
from workers.process import CurrentProcess

AGENT = Agent(name="audit")


def register(app: Celery, current: CurrentProcess) -> None:
    """Bind the audit agent's actions."""
    bind(app, current, "audit.log_and_close")
    bind(app, current, "audit.generate_report")
