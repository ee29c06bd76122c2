"""The parts of the fleet in a command's own process: for training, and for commands while the API is down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.command.http_api import Answer
from fleet.command.location import find

if TYPE_CHECKING:
    from runtime.settings import Settings
    from storage.core.database import Database
    from workers.process import Process


@contextmanager
def opened(named: Path | None) -> Iterator[Database]:
    """The database of the fleet, for commands of packages above the fleet."""
    from runtime.cipher import Cipher
    from storage.core.database import Database

    settings = find(named).settings()
    url, cipher = settings.database_url.get_secret_value(), Cipher.of_settings(settings)
    prepares = settings.database_prepares
    with Database(url, cipher, pool_size=1, application="unpend-command", prepares=prepares) as database:
        yield database


class DirectApi:
    """Runs the routes of the API in this process, as somebody who may do everything; nothing is listened on."""

    def __init__(self, process: Process) -> None:
        from importlib.metadata import version

        from api.app import create_app
        from schemas.access.scopes import Scope
        from storage.access.keys import Key

        self._app = create_app(process, version("unpend"))
        # Not started: a start waits for PostgreSQL and the broker, and a route asks for what it needs itself.
        self._app.state.services = self._app.state.make_services()
        self._caller = Key("local", "operator", frozenset(Scope))

    def request(
        self, method: str, path: str, query: Mapping[str, Any], body: Any, longest_seconds: float
    ) -> Answer:
        """The answer of a route."""
        import asyncio

        return asyncio.run(self._request(method, path, query, body, longest_seconds))

    async def _request(
        self, method: str, path: str, query: Mapping[str, Any], body: Any, longest_seconds: float
    ) -> Answer:
        import httpx2

        transport = httpx2.ASGITransport(self._admitted)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://localhost/v1", timeout=longest_seconds
        ) as client:
            answer = await client.request(method, path, params=dict(query), json=body)
        return Answer(
            answer.status_code, answer.reason_phrase, answer.headers.get("Retry-After"), answer.content
        )

    async def _admitted(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Pass a request on as one whose key was let in: who reads the fleet's secrets needs none."""
        scope.setdefault("state", {})["caller"] = self._caller
        await self._app(scope, receive, send)


@contextmanager
def serve_here(settings: Settings) -> Iterator[DirectApi]:
    """The routes of the API over the fleet's servers, for as long as a command runs."""
    from workers.app import make_app
    from workers.process import Process

    _quieten()
    with ExitStack() as stack:
        app = make_app(settings)
        stack.callback(app.close)
        process = Process(settings, app, name="command")
        stack.callback(_close, process)
        yield DirectApi(process)


def _quieten() -> None:
    """Keep the engine's log lines out of what a command prints; faults go to standard error."""
    import structlog

    if not structlog.is_configured():
        structlog.configure(
            processors=[structlog.stdlib.add_log_level, structlog.processors.KeyValueRenderer()],
            wrapper_class=structlog.stdlib.BoundLogger,
            logger_factory=structlog.stdlib.LoggerFactory(),
        )


def _close(process: Process) -> None:
    """Close what was made; what was not is not made for it."""
    made = vars(process)
    if "engine" in made:
        process.engine.close()
    if "database" in made:
        process.database.close()
    if "retention_database" in made:
        process.retention_database.close()
