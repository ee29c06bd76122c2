"""The Prometheus exporter: everything the fleet has committed, from PostgreSQL, in one snapshot.

Workers have no port and count nothing in memory: a prefork worker's counters live in its children, and both
die. API latencies alone are the API's own (`api_request_duration`). Names are those of SPEC.md §9.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Final, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import ThreadingWSGIServer, make_wsgi_app
from prometheus_client.registry import Collector

from runtime.logs import logger
from runtime.mask import mask_text
from runtime.settings import Settings
from schemas.core.agents import read_agents
from storage.access.seals import Seals
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.engine.step_counts import StepCounts
from storage.orders.figures.figures import Figures
from storage.outbound.deliveries import Deliveries
from tasks.orders.upkeep.sealing import TABLES
from workers.metrics.series import of_seals, of_webhooks, series, up

CACHE_SECONDS: Final = 2.0
"""A scrape answers from the last reading for so long; many scrapers cost PostgreSQL no more than one."""
PORT: Final = 9464
"""Where the exporter listens unless told otherwise."""

_STATEMENT_SECONDS: Final = 5.0
_MOST_READY: Final = 1_000_000
"""Ready steps that are counted of a queue: the index alone is read."""
_STALE_CONNECTION_SECONDS: Final = 1.0

_log = logger(__name__)


class FleetCollector(Collector):
    """Reads the figures when scraped; while PostgreSQL is away `ops_exporter_up 0` is the only series."""

    def __init__(
        self, database: Database, queues: Sequence[str], *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._queues = tuple(queues)
        self._now = now
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._metrics: tuple[Metric, ...] = ()

    def collect(self) -> Iterator[Metric]:
        """Every series, at most `CACHE_SECONDS` old."""
        with self._lock:
            if self._read_at is None or self._now() - self._read_at > CACHE_SECONDS:
                self._metrics = self._read()
                self._read_at = self._now()
            metrics = self._metrics
        yield from metrics

    def _read(self) -> tuple[Metric, ...]:
        began = time.monotonic()
        try:
            return self._snapshot()
        except StorageUnavailable as error:
            # A pooled connection from before a restart of PostgreSQL fails at once, and only that one.
            if time.monotonic() - began > _STALE_CONNECTION_SECONDS:
                return self._away(error)
        try:
            return self._snapshot()
        except StorageUnavailable as error:
            return self._away(error)

    def _snapshot(self) -> tuple[Metric, ...]:
        with self._database.snapshot(statement_seconds=_STATEMENT_SECONDS) as work:
            return (
                up(1),
                *series(
                    Figures(work),
                    StepCounts(work).by_queue(self._queues, most=_MOST_READY, most_timed=0),
                    self._queues,
                ),
                *of_webhooks(Deliveries(work)),
                *of_seals(
                    {name: Seals(work).oldest_unsealed_seconds(table) for name, table in TABLES.items()}
                ),
            )

    def _away(self, error: StorageUnavailable) -> tuple[Metric, ...]:
        _log.warning("figures cannot be read", error=mask_text(str(error)))
        return (up(0),)


class _Silent(WSGIRequestHandler):
    timeout = 30
    """Seconds a client may take to say what it wants."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """A scrape is not worth a line."""


class ExporterServer:
    """Serves `/metrics` and `/health`; `port` 0 takes a free one. Nothing is read until somebody scrapes."""

    def __init__(
        self, database: Database, queues: Sequence[str], *, host: str = "127.0.0.1", port: int = PORT
    ) -> None:
        registry = CollectorRegistry()
        registry.register(FleetCollector(database, queues))
        self._server: WSGIServer = make_server(
            host, port, _application(registry), server_class=ThreadingWSGIServer, handler_class=_Silent
        )
        self.port: int = self._server.server_port

    def serve_forever(self) -> None:
        """Answer until another thread calls `stop`."""
        self._server.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        """Let `serve_forever` end; to be called from another thread."""
        self._server.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.server_close()


def serve(settings: Settings) -> None:
    """Serve at UNPEND_EXPORTER_ADDRESS and UNPEND_EXPORTER_PORT until the process is told to stop."""
    address = os.environ.get("UNPEND_EXPORTER_ADDRESS", "127.0.0.1")
    port = int(os.environ.get("UNPEND_EXPORTER_PORT", str(PORT)))
    url = settings.reader_url
    with (
        Database(
            url,
            None,
            pool_size=1,
            application="unpend-exporter",
            prepares=settings.database_prepares,
        ) as database,
        ExporterServer(
            database, read_agents(settings.config_folder).queues, host=address, port=port
        ) as server,
    ):
        _log.info("exporter listening", address=address, port=server.port)
        thread = threading.Thread(target=server.serve_forever, name="exporter")
        thread.start()
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        stopped.wait()
        server.stop()
        thread.join()


def _application(registry: CollectorRegistry) -> Callable[..., Iterable[bytes]]:
    metrics = make_wsgi_app(registry)

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        match environ.get("PATH_INFO"):
            case "/metrics":
                return metrics(environ, start_response)  # type: ignore[no-any-return]
            case "/health":
                status, body = "200 OK", b"ok\n"
            case _:
                status, body = "404 Not Found", b"There is /metrics and /health.\n"
        start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    return answer
