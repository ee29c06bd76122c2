"""The worker `upkeep` as a process of its own: held up, killed, and called again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import Celery

from schemas.core.agents import TICK, UPKEEP
from storage.core.database import Database
from storage.orders.contacts.callbacks import Callbacks, NewCallback
from tests.support.fleet.worker_process import kill, worker_process
from tests.support.in_process_fleet import settings_for
from tests.support.probe import Probe
from tests.support.waiting import wait_until
from workers.app import make_app
from workers.wire import CeleryWire

HELD_UP = (
    "SELECT query_start FROM pg_stat_activity "
    "WHERE application_name = 'unpend-upkeep' AND datname = current_database() AND wait_event_type = 'Lock'"
)
AGED = "UPDATE callbacks SET received_at = received_at - interval '2 years'"
KEPT = "SELECT count(*) FROM callbacks WHERE body <> ''"
FINISHED = (
    "SELECT count(*) FROM pulses WHERE name = 'retention' AND at > clock_timestamp() - interval '1 day'"
)


@pytest.fixture
def app(database_url: str, broker_url: str) -> Iterator[Celery]:
    """What beat calls with."""
    app = make_app(settings_for(database_url, broker_url))
    yield app
    app.close()


def call(app: Celery, name: str) -> None:
    """Call as beat does, unless a call waits already."""
    queue = name.partition(".")[0]
    if CeleryWire(app).depths([queue])[queue] == 0:
        app.send_task(name, queue=queue)


@contextmanager
def locked(database: Database, table: str) -> Iterator[None]:
    """Nobody else can use this table."""
    with database.transaction() as work:
        work.connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        work.connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


def test_the_tick_sweeps_while_the_removal_of_old_data_is_held_up(
    app: Celery, database: Database, database_url: str, broker_url: str, tmp_path: Path
) -> None:
    probe = Probe(database)

    def swept_meanwhile() -> bool:
        call(app, "tick.sweep")
        call(app, "upkeep.retain")
        held_up = probe.values(HELD_UP)
        if not held_up:
            return False
        swept = probe.values("SELECT at FROM pulses WHERE name = 'tick' AND at > %s", held_up[0])
        return bool(swept) and probe.values(HELD_UP) == held_up

    with (
        worker_process(TICK, database_url, broker_url, tmp_path),
        worker_process(UPKEEP, database_url, broker_url, tmp_path),
        locked(database, "notices"),
    ):
        wait_until(swept_meanwhile, "the tick has swept while the other waited for a lock")


def test_killed_in_the_middle_of_a_round_it_goes_on_where_it_was_and_begins_anew_a_day_later(
    app: Celery, database: Database, database_url: str, broker_url: str, tmp_path: Path
) -> None:
    probe = Probe(database)
    with database.transaction() as work:
        Callbacks(work).keep([NewCallback(provider="p", event_id="e", key="k", body="{}")])

    def called_until(query: str, value: int, what: str) -> None:
        def held() -> bool:
            call(app, "upkeep.retain")
            return bool(probe.value(query) == value)

        wait_until(held, what)

    with locked(database, "notices"), worker_process(UPKEEP, database_url, broker_url, tmp_path) as process:
        called_until(
            f"SELECT count(*) FROM ({HELD_UP}) AS held_up", 1, "it has passed the callbacks and is held up"
        )
        kill(process)
    probe.write(AGED)
    with worker_process(UPKEEP, database_url, broker_url, tmp_path):
        called_until(FINISHED, 1, "the round is finished")
        assert probe.value(KEPT) == 1
        probe.write("UPDATE pulses SET at = at - interval '25 hours' WHERE name = 'retention'")
        called_until(KEPT, 0, "the next round has begun anew")
