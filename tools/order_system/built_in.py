"""The built-in order system: our own tables, written by the recording transaction, so exactly once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from tools.order_system.contract import ActionRequest, Offered, Performed

OfferedSlots = Callable[[str, date, date], Offered]
"""Reads what engineers have room for: region, first day, last day."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """An `OrderSystem` that reaches nobody: what an action leaves are its effects alone."""

    offered: OfferedSlots

    @property
    def remote(self) -> bool:
        """It is none."""
        return False

    def perform(self, request: ActionRequest) -> Performed:  # noqa: ARG002 - the port's
        """Nothing is left to do: the recording transaction writes the tables."""
        return Performed()

    def slots(self, region: str, first: date, last: date) -> Offered:
        """What the engineers' capacity leaves."""
        return self.offered(region, first, last)

    def close(self) -> None:
        """Nothing is held."""
