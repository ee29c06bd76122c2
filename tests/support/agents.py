"""The agents of the shipped configuration, as the tests go by them."""

from typing import Final

from runtime.settings import PROJECT
from schemas.access.scopes import owners_of
from schemas.core.agents import read_agents

AGENTS: Final = read_agents(PROJECT / "config")
QUEUES: Final = AGENTS.queues
OWNERS: Final = owners_of(AGENTS)
"""Whose keys there are, and their scopes."""
