"""The contact agent's worker: one queue, one bound line an action."""

from celery import Celery

from workers.agent import Agent, bind
from workers.process import CurrentProcess

AGENT = Agent(name="contact")


def register(app: Celery, current: CurrentProcess) -> None:
    """Bind the contact agent's actions."""
    bind(app, current, "contact.initiate_contact")
