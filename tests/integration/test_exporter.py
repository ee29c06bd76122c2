"""The exporter: one snapshot, honest while PostgreSQL is away, cheap to scrape."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from fleet.supervisor.ports import free_port
from runtime.cipher import Cipher
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.core.unit_of_work import UnitOfWork
from storage.orders.figures.figures import Figures
from tests.support.agents import QUEUES
from tests.support.recorded_work import order
from tests.support.scraping import parse, read, scrape
from workers.metrics.exporter import CACHE_SECONDS, ExporterServer, FleetCollector
from workers.probe import answers


def test_while_postgresql_is_away_there_is_one_series_that_says_so() -> None:
    nobody = f"postgresql+psycopg://unpend:x@127.0.0.1:{free_port()}/unpend"
    with Database(nobody, Cipher(Cipher.new_key())) as away:
        assert read(away) == {"ops_exporter_up": 0}


def test_a_connection_lost_between_two_scrapes_costs_no_scrape(database: Database) -> None:
    read(database)
    with database.transaction() as work:
        work.connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database() AND state = 'idle'"
            )
        )
    assert read(database)["ops_exporter_up"] == 1


def test_scrapes_close_together_are_answered_from_one_reading(database: Database) -> None:
    moments = iter((0.0, CACHE_SECONDS, CACHE_SECONDS + 0.1, CACHE_SECONDS + 0.1))
    collector = FleetCollector(database, QUEUES, now=lambda: next(moments))
    assert scrape(collector)["tasks_in_progress"] == 0
    order(database, "a")
    readings = [scrape(collector)["tasks_in_progress"] for _ in range(2)]
    assert readings == [0, 1]


def test_a_snapshot_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match="read-only"), database.snapshot() as work:
        work.connection.execute(text("DELETE FROM alerts"))


def test_a_snapshot_gives_up_a_statement_that_takes_too_long(database: Database) -> None:
    with pytest.raises(StorageUnavailable), database.snapshot(statement_seconds=0.05) as work:
        work.connection.execute(text("SELECT pg_sleep(10)"))


def accepted(work: UnitOfWork) -> int:
    figures = Figures(work)
    return sum(figures.orders(figures.counters()).by_state.values())


def test_a_snapshot_sees_one_moment_throughout(database: Database) -> None:
    with database.snapshot() as work:
        before = accepted(work)
        order(database, "a")
        assert accepted(work) == before
    with database.snapshot() as work:
        assert accepted(work) == before + 1


@pytest.fixture
def address(database: Database) -> Iterator[str]:
    with ExporterServer(database, QUEUES, port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.port}"
        server.stop()
        thread.join()


def get(url: str) -> Any:
    return urllib.request.urlopen(url, timeout=180)


def test_the_server_answers_prometheus(address: str) -> None:
    with get(f"{address}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        assert parse(answer.read().decode())["ops_exporter_up"] == 1


def test_the_server_says_that_it_lives(address: str) -> None:
    with get(f"{address}/health") as answer:
        assert answer.status == 200


def test_the_server_has_no_other_pages(address: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{address}/")
    assert refused.value.code == 404
    refused.value.close()


def test_a_probe_finds_a_page_that_answers_healthy_and_any_other_not(address: str) -> None:
    assert answers(f"{address}/health")
    assert not answers(f"{address}/nothing")
    assert not answers(f"http://127.0.0.1:{free_port()}/health")
