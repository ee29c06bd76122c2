"""What the console keeps while it runs: its parts, the forms of tasks, its limits, and who listens."""

import asyncio
from dataclasses import dataclass, field
from typing import Self

from starlette.requests import HTTPConnection

from console.server.live import Live
from console.server.parts import ConsoleParts
from tasks.access.login_tries import COMPARED_AT_ONCE, LoginTries
from tasks.forms import TaskForms
from tasks.orders.explain.lists import LedgerReader
from tasks.registry import task_forms


@dataclass(frozen=True, slots=True)
class ConsoleServices:
    """Made when the console starts, closed when it stops."""

    parts: ConsoleParts
    forms: TaskForms
    live: Live
    ledger: LedgerReader
    tries: LoginTries = field(default_factory=LoginTries)
    comparing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(COMPARED_AT_ONCE))
    """Passwords that are compared at the same time."""

    @classmethod
    def over(cls, parts: ConsoleParts) -> Self:
        """The services over these parts; nothing is connected yet."""
        forms = task_forms(lambda: parts.context)
        return cls(parts, forms, Live(parts.database), LedgerReader(parts.database))

    def end(self) -> None:
        """End every stream: the process stops."""
        self.live.end()

    async def close(self) -> None:
        """Finish what is under way and give connections back."""
        await self.live.close()
        await asyncio.to_thread(self._close_parts)

    def _close_parts(self) -> None:
        self.parts.engine.close()
        self.parts.database.close()
        self.parts.context.close()


def services_of(connection: HTTPConnection) -> ConsoleServices:
    """The services of the app that this request came to."""
    services = connection.app.state.services
    assert isinstance(services, ConsoleServices)
    return services
