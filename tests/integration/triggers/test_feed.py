"""What happens to orders, as the feed of events has it, begins workflows that have a trigger for it, once each."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from engine.triggers.starting import MOST_DEPTH
from storage.core.database import Database
from storage.outbound.events import Events
from tasks.outbound.feeding import Feeder
from tests.support.engine.general_runs import begin
from tests.support.engine.triggered_runs import activate, given_to, runs_of, triggered
from tests.support.factories import submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.outbound.webhook_sender import event
from tests.support.waiting import wait_until


@pytest.fixture
def feeder(house: InProcessFleet) -> Feeder:
    return Feeder(house.engine, house.outbound)


def tell(house: InProcessFleet, *names: str) -> None:
    with house.database.transaction() as work:
        Events(work).append([event(f"HT{n}", name) for n, name in enumerate(names)])


def count(house: InProcessFleet, table: str) -> int:
    with house.database.transaction() as work:
        return int(work.connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def feed(house: InProcessFleet, feeder: Feeder, entries: int) -> None:
    """Feed until there are so many entries."""

    def fed() -> bool:
        feeder.round()
        return count(house, "inbox") == entries

    wait_until(fed, "the events are fed")


def test_an_event_of_the_feed_begins_what_has_a_trigger_for_it_and_no_other_event_costs_a_row(
    house: InProcessFleet, feeder: Feeder
) -> None:
    activate(
        house, triggered("after_close", {"event": "task_closed", "parameters": {"task": "${event.task_id}"}})
    )
    feeder.round()
    tell(house, "task_received", "task_closed", "action_executed")
    feed(house, feeder, 1)
    house.tick.sweep()
    feeder.round()
    assert given_to(house, "after_close") == [{"task": "HT1"}]
    assert count(house, "inbox") == 1


def test_an_order_that_comes_in_begins_a_general_workflow_beside_its_own(
    house: InProcessFleet, feeder: Feeder
) -> None:
    activate(
        house, triggered("beside", {"event": "task_received", "parameters": {"task": "${event.task_id}"}})
    )
    feeder.round()
    house.accept(submission(task_id="HT77"))
    feed(house, feeder, 1)
    house.tick.sweep()
    assert given_to(house, "beside") == [{"task": "HT77"}]


def test_several_feeders_at_once_bring_an_event_in_once(house: InProcessFleet) -> None:
    activate(house, triggered("after_close", "task_closed"))
    feeders = [Feeder(house.engine, house.outbound) for _ in range(3)]
    feeders[0].round()
    tell(house, *["task_closed"] * 20)

    def fed() -> bool:
        with ThreadPoolExecutor(max_workers=3) as pool:
            list(pool.map(lambda each: each.round(), feeders))
        return count(house, "inbox") == 20

    wait_until(fed, "the events are fed")
    assert not feeders[0].round()


def test_nothing_of_the_past_and_nothing_of_a_time_without_a_trigger_begins_a_run(
    house: InProcessFleet, feeder: Feeder
) -> None:
    tell(house, "task_closed")
    feeder.round()
    assert count(house, "trigger_feed") == 0
    activate(house, triggered("after_close", "task_closed"))
    house.engine.catalogue.forget()
    feeder.round()
    assert (count(house, "trigger_feed"), count(house, "inbox")) == (1, 0)


def test_a_workflow_that_is_begun_by_its_own_events_ends_at_the_limit(
    house: InProcessFleet, feeder: Feeder
) -> None:
    activate(house, triggered("endless", "noted"))
    feeder.round()
    (run_id,) = begin(house, "endless")
    for depth in range(1, MOST_DEPTH):
        _note(house.database, run_id)
        feed(house, feeder, depth)
        house.tick.sweep()
        (newest,) = (run for run in runs_of(house, "endless") if run["depth"] == depth)
        run_id = newest["run_id"]
    _note(house.database, run_id)
    feed(house, feeder, MOST_DEPTH)
    house.tick.sweep()
    assert len(runs_of(house, "endless")) == MOST_DEPTH
    assert count(house, "rejects") == 1


def _note(database: Database, run_id: str) -> None:
    with database.transaction() as work:
        work.connection.execute(
            text(
                "INSERT INTO events (event_type, execution_id, stage, title, status, at) "
                "VALUES ('noted', :run_id, 'test', 'noted', 'ready', :at)"
            ),
            {"run_id": run_id, "at": datetime.now(UTC)},
        )
