"""What the routes of orders are given beside the engine: the tools of the work, and what requests share."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol, Self

from fastapi import Depends

from api.orders.agents.awaiting import Awaiting
from api.server.coalescer import Coalescer
from api.server.parts import Parts
from api.server.services import kept
from api.task_intake import TaskIntake
from storage.core.unavailable import StorageUnavailable
from storage.orders.order_view import OrderProgress, OrderView
from tasks.orders.inbound.callbacks import Callback, take_callbacks
from tasks.orders.inbound.reports import ReportOutcome
from tasks.orders.rules.context import Context


class OrdersParts(Parts, Protocol):
    """The parts of a process that works on orders."""

    @property
    def context(self) -> Context:
        """The tools and policies of the work."""


@dataclass(frozen=True, slots=True)
class OrdersServices:
    """What the routes of orders keep while the API runs."""

    parts: OrdersParts
    intake: TaskIntake
    """What accepts tasks of any form."""
    progress: Coalescer[str, OrderProgress | None]
    callbacks: Coalescer[Callback, list[ReportOutcome]]
    awaiting: Awaiting

    @classmethod
    def over(cls, parts: OrdersParts, intake: TaskIntake) -> Self:
        """The services over these parts; nothing is connected yet.

        Raises:
            ChannelSecretMissing, ValueError: a secret that the routes need is not set.
        """
        # Configuration that cannot be used stops the process here, with its message.
        _ = parts.context.callback_readers, parts.context.order_system

        def receive(callbacks: Sequence[Callback]) -> list[list[ReportOutcome]]:
            return take_callbacks(parts.engine, parts.context, callbacks)

        def look(task_ids: Sequence[str]) -> list[OrderProgress | None]:
            with parts.database.looks() as work:
                found = OrderView(work).progress(task_ids)
            return [found.get(task_id) for task_id in task_ids]

        outages = (StorageUnavailable,)
        return cls(
            parts,
            intake,
            Coalescer(look, of_all=outages),
            Coalescer(receive, of_all=outages),
            Awaiting(parts.database, at_least=parts.settings.least_wait_seconds),
        )

    def end(self) -> None:
        """End nothing: no route of orders answers for longer than its tool may take."""

    async def close(self) -> None:
        """Finish what is under way and give connections back."""
        await self.awaiting.close()
        await self.progress.close()
        await self.callbacks.close()
        await asyncio.to_thread(self.parts.context.close)


GivenOrders = Annotated[OrdersServices, kept(OrdersServices)]


async def orders_parts_of(orders: GivenOrders) -> OrdersParts:
    """The parts of the process, with the tools of the work."""
    return orders.parts


GivenOrdersParts = Annotated[OrdersParts, Depends(orders_parts_of)]
