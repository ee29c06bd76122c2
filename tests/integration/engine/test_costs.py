"""What loops and waits cost does not grow with how many elements, or waits, there are."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from bench.scale.plans import Statement, buffers, plan, statements
from bench.workflows.many_waits import MESSAGE, TIMER, WORD, know_definitions, make_waits, tidy
from engine.triggers.dispatch import InboxDispatcher
from statemachine.workflow.options.triggers import TriggerKind
from storage.engine.clock import BusinessClock
from storage.engine.flow.scopes import NewScope, Scopes
from storage.engine.steps import Steps
from storage.engine.triggers.inbox import Inbox, NewInboxEntry
from tests.support.agents import AGENTS
from tests.support.engine.written_runs import WrittenRuns
from tests.support.in_process_fleet import InProcessFleet

LOOP = """
steps:
- {id: before, next: each}
- {id: each, for_each: {in: "${parameters.numbers}", limit: 20}, next: after}
- {id: after}
"""
SAVING_LOOP = """
variables: {total: {type: number, merge: sum}}
steps:
- {id: before, next: each}
- {id: each, for_each: {in: "${parameters.numbers}", as: number, limit: 20}, save: {total: "${number}"}}
"""


@contextmanager
def sent_by(house: InProcessFleet) -> Iterator[list[Statement]]:
    """The statements that are sent meanwhile."""
    sent: list[Statement] = []
    engine = house.database._engine

    def note(_: object, __: object, sql: str, values: Any, *___: object) -> None:
        sent.append(Statement(sql, values))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def statements_a_batch(runs: WrittenRuns, elements: int) -> float:
    """Statements of a run over so many elements, less those of a run over a single batch, by batch."""
    counted = []
    for count in (20, elements):
        with sent_by(runs.house) as sent:
            runs.begin(numbers=list(range(count)))
        counted.append(len(sent))
    return (counted[1] - counted[0]) / (elements / 20 - 1)


@pytest.mark.parametrize("written", [LOOP, SAVING_LOOP])
def test_a_batch_of_a_loop_has_the_same_number_of_statements_whatever_the_number_of_elements(
    database_url: str, written: str
) -> None:
    with WrittenRuns.of(database_url, written) as runs:
        runs.begin(numbers=[1])
        few, many = statements_a_batch(runs, 100), statements_a_batch(runs, 1_000)
        # Now and then the process looks at which definitions there are.
        assert abs(few - many) < 1
        assert many < 20


def test_elements_that_fail_as_they_are_begun_are_read_in_pieces_that_grow(database_url: str) -> None:
    written = """
    steps:
    - id: each
      for_each: {in: "${numbers}", mode: sequential, on_item_error: collect}
      parameters: {n: "${1 / item}"}
    """
    with WrittenRuns.of(database_url, written) as runs:
        runs.begin(numbers=[1])
        counted = []
        for faulty in (100, 1_000):
            with sent_by(runs.house) as sent:
                runs.begin(numbers=[1, *[0] * faulty])
            counted.append(len(sent))
        few, many = counted
        assert many - few < 10


def test_the_variables_of_a_run_come_once_with_all_its_locked_steps(database_url: str) -> None:
    written = 'steps: [{id: each, type: wait, seconds: 60, for_each: {in: "${numbers}"}}]'
    with WrittenRuns.of(database_url, written) as runs:
        one, other = runs.begin(numbers=[1, 2, 3]), runs.begin(numbers=[4, 5])
        with runs.house.database.transaction() as work:
            open_steps = [step_id for run_id in (one, other) for step_id in Steps(work).open_of(run_id)]
            rows = Steps(work).lock(open_steps)
    of_runs = {row.run_id: row.variables for row in rows}
    assert of_runs == {one: {"numbers": [1, 2, 3]}, other: {"numbers": [4, 5]}}
    assert len(rows) == 7
    assert all(row.variables is of_runs[row.run_id] for row in rows)


def test_a_long_list_is_fetched_once_for_all_of_its_elements_that_are_begun(database_url: str) -> None:
    with WrittenRuns.of(database_url, LOOP) as runs, runs.house.database.transaction() as work:
        elements = [{"n": n, "text": f"{n * 7919 % 10_007}-{n * 104_729 % 100_003}"} for n in range(10_000)]
        Scopes(work).open([NewScope(scope_id=1, run_id="r", node="each", around=(), elements=elements)])

        def blocks(count: int) -> int:
            wanted = [(1, at) for at in range(5_000, 5_000 + count)]
            assert [Scopes(work).elements(wanted)[each] for each in wanted] == elements[5_000 : 5_000 + count]
            sent = statements(work, lambda work: Scopes(work).elements(wanted))
            return buffers([plan(work, one, carried_out=True) for one in sent])

        assert blocks(300) <= blocks(1) + 5
        work.connection.rollback()


@pytest.fixture
def house(database_url: str) -> Iterator[InProcessFleet]:
    built = InProcessFleet.build(database_url)
    know_definitions(built.engine, AGENTS)
    yield built
    built.close()


def test_an_idle_sweep_looks_at_no_more_blocks_the_more_wait(house: InProcessFleet) -> None:
    with house.database.transaction() as work:
        until = (BusinessClock(work).now().business_now + timedelta(days=365)).isoformat()
    looked_at = []
    for more in (100, 9_900):
        make_waits(house.engine, TIMER, more, until=until)
        make_waits(house.engine, MESSAGE, more, key="nobody")
        tidy(house.engine)
        with sent_by(house) as sent:
            swept = house.tick.sweep()
            house.tick.idle_seconds()
        assert swept is not None
        assert not swept.any
        with house.database.transaction() as work:
            looked_at.append([buffers([plan(work, one, carried_out=True)]) for one in list(sent)])
            work.connection.rollback()
    few, many = looked_at
    assert len(few) == len(many)
    assert sum(many) <= sum(few) + 20, list(zip(few, many, strict=True))
    assert sum(many) < 150
    # The clock (twice), the definitions, the lock, the pulse, what is due, what is ready, what comes next.
    assert len(many) <= 8


def test_timers_that_are_due_at_one_moment_end_with_the_same_number_of_statements_however_many(
    house: InProcessFleet,
) -> None:
    counted = []
    for timers in (10, 200):
        with house.database.transaction() as work:
            moment = BusinessClock(work).now().business_now + timedelta(hours=1)
        make_waits(house.engine, TIMER, timers, until=moment.isoformat())
        with house.database.transaction() as work:
            BusinessClock(work).set(moment)
        with sent_by(house) as sent:
            swept = house.tick.sweep()
        assert swept is not None
        assert swept.ended == timers
        counted.append(len(sent))
    assert counted[0] == counted[1]


def test_who_is_to_have_messages_is_one_look_however_many_there_are(house: InProcessFleet) -> None:
    counted = []
    for number in (1, 100):
        keys = make_waits(house.engine, MESSAGE, number + 1, key="none of these")
        entries = [NewInboxEntry(kind=TriggerKind.MESSAGE, name=WORD, key=key) for key in keys]
        with house.database.transaction() as work:
            added = [each.entry_id for each in Inbox(work).add(entries)]
        with sent_by(house) as sent:
            found = InboxDispatcher(house.engine).at_once(added)
        assert [entry.result.receivers for entry in found.values()] == [1] * number
        counted.append([one.sql for one in sent if "FROM subscriptions" in one.sql])
    assert len(counted[0]) == len(counted[1])
