"""What the API is given: the engine of its process and what that stands on. It makes none of them itself."""

from typing import Protocol

from engine.engine import Engine
from engine.publisher import Publisher
from runtime.personal import PersonalFields
from runtime.settings import Settings
from schemas.core.agents import Agents
from storage.core.database import Database


class Parts(Protocol):
    """The parts of a process, each made when it is first used."""

    @property
    def settings(self) -> Settings:
        """How this installation is set."""

    @property
    def database(self) -> Database:
        """PostgreSQL as this process reaches it."""

    @property
    def retention_database(self) -> Database:
        """PostgreSQL as the role that may remove and erase."""

    @property
    def publisher(self) -> Publisher:
        """The way to the broker."""

    @property
    def agents(self) -> Agents:
        """The fleet's agents."""

    @property
    def personal(self) -> PersonalFields:
        """Which fields of JSON are personal in this installation."""

    @property
    def engine(self) -> Engine:
        """The engine of this process."""
