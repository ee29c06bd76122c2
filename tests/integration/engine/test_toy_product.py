"""A product that the engine has never heard of: a sixth queue, an effect and a table of its own, through kills."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from engine.begin import Begin
from engine.catalogue import FRESH_SECONDS, Catalogue, UnknownWorkflow, register
from engine.limits import Limits
from engine.registry import Registry
from runtime.ids import Prefix, new_id
from runtime.settings import PROJECT
from schemas.core.agents import TICK
from statemachine.workflow.definition import MalformedWorkflow
from statemachine.workflow.states import RunState
from storage.core.database import Database
from storage.engine.definitions import Definitions
from storage.engine.runs import Runs
from tasks.registry import PRODUCTS
from tests.support.agents import QUEUES
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.probe import Probe
from tests.support.waiting import wait_until
from tests.toy_product.product import (
    DEFINITION,
    HEAVIEST,
    PARCELS,
    QUEUE,
    STARTED,
    TABLE,
    WAIT_FOR,
    TooHeavyError,
)

KNOWN = (*PRODUCTS, PARCELS)
SHORT = Limits(lease_seconds=0.6, republish_seconds=0.2, most_crashes=2)
FAR_BEYOND: float = 120.0
"""Seconds that only a failure takes."""


@pytest.fixture
def house(database_url: str) -> Iterator[InProcessFleet]:
    built = InProcessFleet.build(
        database_url, products=[PARCELS.bind(None)], queues=(*QUEUES, QUEUE), limits=SHORT
    )
    with built.database.transaction() as work:
        work.connection.execute(TABLE)
        register(work, [DEFINITION], products=KNOWN, queues=(*QUEUES, QUEUE))
    yield built
    built.close()


def arrive(house: InProcessFleet, parcel_id: str, grams: int = 300) -> str:
    """Begin a parcel's run; its id."""
    run_id = new_id(Prefix.RUN)
    with house.engine.transaction() as transaction:
        (workflow,) = transaction.catalogue.triggered_by(transaction.work, "parcel.arrived")
        transaction.begin(
            [Begin(run_id=run_id, workflow=workflow, subject_id=parcel_id, variables={"grams": grams})]
        )
    return run_id


def history(database: Database, parcel_id: str) -> list[tuple[str, int]]:
    """What became of a parcel, from its own table."""
    rows = Probe(database).rows(
        "SELECT what, grams FROM parcels WHERE parcel_id = %s ORDER BY position", parcel_id
    )
    return [(row.what, row.grams) for row in rows]


def state_of(database: Database, run_id: str) -> RunState:
    with database.transaction() as work:
        (run,) = Runs(work).lock([run_id])
    return run.state


def test_its_runs_are_carried_to_their_end_on_its_own_queue_into_its_own_table(house: InProcessFleet) -> None:
    run_ids = [arrive(house, f"P{n}") for n in range(30)]
    assert {message.queue for message in house.wire.messages} == {QUEUE}
    house.run()
    assert {state_of(house.database, run_id) for run_id in run_ids} == {RunState.COMPLETED}
    assert all(history(house.database, f"P{n}") == [("weighed", 300), ("labelled", 0)] for n in range(30))


def test_a_refusal_of_its_writer_fails_the_step_with_its_own_code_and_writes_nothing(
    house: InProcessFleet,
) -> None:
    heavy, light = arrive(house, "heavy", HEAVIEST + 1), arrive(house, "light")
    house.run()
    with house.database.transaction() as work:
        (run,) = Runs(work).lock([heavy])
    assert (run.state, (run.error or {})["code"]) == (RunState.FAILED, "too_heavy")
    assert history(house.database, "heavy") == []
    assert state_of(house.database, light) is RunState.COMPLETED


def test_a_run_that_is_cancelled_leaves_what_the_product_records_of_its_end(house: InProcessFleet) -> None:
    run_id = arrive(house, "P")
    with house.engine.transaction() as transaction:
        transaction.end([run_id], RunState.CANCELLED, agent_id="operator", reason="lost on the way")
    house.run()
    assert history(house.database, "P") == [("cancelled: lost on the way", 0)]


def test_a_refusal_reaches_a_caller_who_writes_without_a_step(house: InProcessFleet) -> None:
    from tests.toy_product.product import ParcelMoved

    with pytest.raises(TooHeavyError), house.engine.transaction() as transaction:
        transaction.write([ParcelMoved(parcel_id="P", what="weighed", grams=HEAVIEST + 1)])


def test_a_worker_that_dies_with_its_rows_changes_nothing_of_its_end(house: InProcessFleet) -> None:
    run_id = arrive(house, "P")
    message = house.wire.messages.popleft()
    batch = house.engine.claim(house.engine.registry.get(message.action), message.keys, new_id(Prefix.LEASE))
    assert batch is not None
    house.engine._keeper.let_go(batch.lease_id)

    def published_again() -> bool:
        house.tick.sweep()
        return bool(house.wire.messages)

    wait_until(published_again, "the rows of the dead worker are published again", seconds=FAR_BEYOND)
    house.run(deliveries=2)
    assert state_of(house.database, run_id) is RunState.COMPLETED
    assert history(house.database, "P") == [("weighed", 300), ("labelled", 0)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"action": "fly"}, "no action 'parcels.fly' is registered; there are parcels.label, parcels.weigh"),
        ({"agent": "birds"}, "there is no agent 'birds'"),
        ({"inline": True}, "action 'parcels.weigh' cannot be inline"),
    ],
)
def test_a_definition_that_names_what_there_is_not_is_refused_when_it_is_registered(
    house: InProcessFleet, change: dict[str, object], said: str
) -> None:
    steps = [{"id": "weigh", "agent": "parcels", "action": "weigh"} | change]
    body = DEFINITION | {"version": "2", "steps": steps}
    with pytest.raises(MalformedWorkflow, match=said), house.database.transaction() as work:
        register(work, [body], products=KNOWN, queues=(*QUEUES, QUEUE))
    with house.database.transaction() as work:
        assert Definitions(work).find("parcel", "2") is None


def test_a_version_that_another_process_registers_is_what_new_runs_begin_with_a_second_later(
    house: InProcessFleet,
) -> None:
    moment = [0.0]
    catalogue = Catalogue(lambda: moment[0])
    with house.database.transaction() as work:
        assert catalogue.current(work, "parcel").version == "1"
        register(work, [DEFINITION | {"version": "2"}], products=KNOWN, queues=(*QUEUES, QUEUE))
    moment[0] += FRESH_SECONDS
    with house.database.transaction() as work:
        assert catalogue.current(work, "parcel").version == "2"
        assert catalogue.version(work, "parcel", "1").version == "1"
        with pytest.raises(UnknownWorkflow, match="there are parcel, pending_task"):
            catalogue.current(work, "letters")
    assert FRESH_SECONDS < 2


def test_two_products_that_claim_the_same_are_refused() -> None:
    with pytest.raises(ValueError, match="parcels, parcels register the same thing"):
        Registry.of([PARCELS.bind(None), PARCELS.bind(None)])


@contextmanager
def processes(
    commands: Sequence[str], environment: dict[str, str], logs: Path
) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Real processes of a fleet that knows the product; the answer starts one more."""
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str) -> subprocess.Popen[bytes]:
        with (logs / f"{name}-{len(started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.toy_product", name],
                cwd=PROJECT,
                env=os.environ | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started.append(process)
        return process

    try:
        for name in commands:
            start(name)
        yield start
    finally:
        for process in started:
            end_with_children(process)


def end_with_children(process: subprocess.Popen[bytes]) -> None:
    """End a process and its pool without a word."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(FAR_BEYOND)


def test_a_real_worker_that_is_killed_in_the_middle_changes_nothing_of_its_end(
    database_url: str, broker_url: str, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    shutil.copytree(PROJECT / "config", config, ignore=shutil.ignore_patterns("corpus"))
    agents = yaml.safe_load((config / "agents.yaml").read_text(encoding="utf-8"))
    (config / "agents.yaml").write_text(yaml.safe_dump({**agents, QUEUE: {}}), encoding="utf-8")
    started, go_on = tmp_path / "started", tmp_path / "go on"
    house = InProcessFleet.build(database_url, products=[PARCELS.bind(None)], queues=(*QUEUES, QUEUE))
    try:
        with house.database.transaction() as work:
            work.connection.execute(TABLE)
            register(work, [DEFINITION], products=KNOWN, queues=(*QUEUES, QUEUE))
        run_id = arrive(house, "P")
        environment = {
            "UNPEND_DATABASE_URL": database_url,
            "UNPEND_BROKER_URL": broker_url,
            "UNPEND_CIPHER_KEY": CIPHER_KEY,
            "UNPEND_CALLBACK_SECRET": "a secret of the tests",
            "UNPEND_CONFIG_FOLDER": str(config),
            "UNPEND_LEASE_SECONDS": "2",
            "UNPEND_REPUBLISH_SECONDS": "1",
            STARTED: str(started),
            WAIT_FOR: str(go_on),
        }
        with processes([TICK, "beat"], environment, tmp_path) as start:
            worker = start(QUEUE)
            wait_until(started.exists, "the worker has begun", seconds=FAR_BEYOND)
            end_with_children(worker)
            go_on.touch()
            start(QUEUE)
            wait_until(
                lambda: state_of(house.database, run_id) is RunState.COMPLETED,
                "the parcel's run has completed",
                seconds=FAR_BEYOND,
            )
        assert history(house.database, "P") == [("weighed", 300), ("labelled", 0)]
    finally:
        house.close()
