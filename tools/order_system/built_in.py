"""The built-in order system: our own tables, written by the recording transaction, so exactly once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from tools.order_system.contract import Offered, OrderSystemRequest, Performed

OfferedSlots = Callable[[str, date, date], Offered]
"""Reads what engineers have room for: region, first day, last day."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """An `OrderSystem` without remote calls: an action consists of its effects alone."""

    offered: OfferedSlots

    @property
    def remote(self) -> bool:
        """False: it is not another system."""
        return False

    def perform(self, request: OrderSystemRequest) -> Performed:  # noqa: ARG002 - the port's
        """Return success: the recording transaction writes the tables."""
        return Performed()

    def slots(self, region: str, first: date, last: date) -> Offered:
        """Return the days that the engineers' capacity leaves free."""
        return self.offered(region, first, last)

    def close(self) -> None:
        """Do nothing: no connection is open."""
