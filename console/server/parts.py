"""What the console is given: the parts of its process. It makes none of them itself."""

from typing import Protocol

from api.server.parts import Parts
from tasks.orders.rules.context import Context


class ConsoleParts(Parts, Protocol):
    """The parts of a process, each made when it is first used."""

    @property
    def context(self) -> Context:
        """The tools and policies of the work on orders."""
