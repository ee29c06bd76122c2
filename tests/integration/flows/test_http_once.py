"""A request that is made once: a worker that dies in the middle makes it neither twice nor says that all is well."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import yaml

from runtime.settings import PROJECT
from storage.engine.definitions import Definitions
from storage.engine.leases import Leases
from tests.support.engine.general_runs import begin
from tests.support.fleet.worker_process import kill, worker_process
from tests.support.flows.http_steps import here, http_house, workflow
from tests.support.flows.other_side import OtherSide, Said, said_json
from tests.support.in_process_fleet import InProcessFleet
from tests.support.outbound.process import beating
from tests.support.probe import Probe

Wait = Callable[[Callable[[], bool]], None]


@pytest.fixture
def wait(database_url: str, broker_url: str) -> Iterator[Wait]:
    with beating(database_url, broker_url) as waiting:
        yield waiting


@pytest.fixture
def config(tmp_path: Path, side: OtherSide) -> Path:
    """The shipped configuration, with the server as the one host that may be asked."""
    folder = tmp_path / "config"
    copytree(PROJECT / "config", folder)
    line = {"ports": [side.port], "private": True, "http": True}
    (folder / "http.yaml").write_text(yaml.safe_dump({"hosts": {"127.0.0.1": line}}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("parameters", "state", "code", "times"),
    [
        ({"method": "POST"}, "failed", "unknown_outcome", 1),
        ({"method": "GET"}, "done", None, 2),
        ({"method": "PUT"}, "done", None, 2),
        ({"method": "POST", "idempotent": True}, "done", None, 2),
    ],
)
def test_a_worker_that_is_killed_while_a_request_is_under_way(
    parameters: dict[str, Any],
    state: str,
    code: str | None,
    times: int,
    house: InProcessFleet,
    side: OtherSide,
    wait: Wait,
    config: Path,
    database_url: str,
    broker_url: str,
    tmp_path: Path,
) -> None:
    answered = threading.Event()
    side.behaviour = lambda _: Said(after=answered)
    more = {"idempotent": True} if parameters.pop("idempotent", False) else {}
    given = {"request": {"url": side.url, "seconds": 60, **parameters}, **more}
    with house.database.transaction() as work:
        Definitions(work).register("asking", "1", workflow("asking", given))
    (run_id,) = begin(house, "asking")
    step = "SELECT state, error ->> 'code' AS code FROM steps WHERE run_id = %s"
    settings = {"UNPEND_CONFIG_FOLDER": str(config), "UNPEND_LEASE_SECONDS": "3"}
    with worker_process("general", database_url, broker_url, tmp_path, **settings) as process:
        wait(lambda: len(side.asked) == 1)
        kill(process)
    answered.set()
    with worker_process("general", database_url, broker_url, tmp_path, **settings):
        wait(lambda: Probe(house.database).row(step, run_id).state == state)
    assert Probe(house.database).row(step, run_id).code == code
    assert len(side.asked) == times
    assert len({asked.headers["idempotency-key"] for asked in side.asked}) == 1


def test_an_answer_that_was_noted_is_used_by_the_next_delivery(database_url: str, side: OtherSide) -> None:
    """A worker that dies between the answer and its recording loses nothing."""
    side.behaviour = lambda _: said_json({"n": len(side.asked)})
    parameters = {"request": {"method": "POST", "url": side.url}}
    with http_house(database_url, {"127.0.0.1": here(side.port)}, workflow("w", parameters)) as house:
        run_id = house.begin("w")
        (message,) = house.fleet.wire.messages
        action = house.fleet.engine.registry.get(message.action)
        batch = house.fleet.engine.claim(action, message.keys, "lease_lost")
        assert batch is not None
        house.fleet.engine.work(action, batch)
        # Its process is gone: the lease runs out, and the step is delivered again.
        Probe(house.fleet.database).write("UPDATE leases SET expires_at = clock_timestamp() - interval '1 s'")
        house.run_through()
        assert house.step(run_id).output["body"] == {"n": 1}
    assert len(side.asked) == 1


def test_a_step_that_was_taken_away_is_not_sent(database_url: str, side: OtherSide) -> None:
    parameters = {"request": {"method": "POST", "url": side.url}}
    with http_house(database_url, {"127.0.0.1": here(side.port)}, workflow("w", parameters)) as house:
        house.begin("w")
        (message,) = house.fleet.wire.messages
        action = house.fleet.engine.registry.get(message.action)
        batch = house.fleet.engine.claim(action, message.keys, "lease_lost")
        assert batch is not None
        Probe(house.fleet.database).write("UPDATE steps SET state = 'ready', lease_id = NULL, delivery = 2")
        with house.fleet.database.transaction() as work:
            Leases(work).release("lease_lost")
        house.fleet.engine.work(action, batch)
        assert side.asked == []
