"""What runs send one another: messages, signals and events, once what sent them is committed."""

from statemachine.workflow.options.triggers import TriggerKind
from statemachine.workflow.states import RunState
from storage.engine.triggers.inbox import Inbox, NewInboxEntry
from storage.engine.triggers.kept_messages import MOST_LOOKED_AT
from tests.support.engine.written_runs import WrittenRuns

WAITING = """
workflow: waiting
version: "1"
steps:
- {id: paid, type: wait, events: [{message: paid, key: "${order}", next: tell}]}
- {id: tell}
"""
SENDING = """
steps:
- {id: send, type: emit, message: paid, key: "${order}", payload: {sum: "${sum}"}, next: end}
"""


def test_a_message_that_a_run_emits_reaches_the_run_that_waits_for_it(database_url: str) -> None:
    with WrittenRuns.of(database_url, SENDING, WAITING) as runs:
        waiting = runs.begin("waiting", order="A")
        runs.begin(order="B", sum=1)
        assert runs.state(waiting) is RunState.RUNNING
        runs.begin(order="A", sum=2)
        assert runs.inputs(waiting, "tell")[0]["event"]["payload"] == {"sum": 2}
        assert runs.state(waiting) is RunState.COMPLETED


def test_a_message_that_came_first_is_met_by_the_run_that_waits_later(database_url: str) -> None:
    with WrittenRuns.of(database_url, SENDING, WAITING) as runs:
        runs.begin(order="A", sum=2)
        waiting = runs.begin("waiting", order="A")
        assert runs.state(waiting) is RunState.COMPLETED


def test_a_kept_message_and_one_who_waits_meet_by_the_tick_when_whoever_was_to_look_has_died(
    database_url: str,
) -> None:
    with WrittenRuns.of(database_url, SENDING, WAITING) as runs:
        waiting = runs.begin("waiting", order="of all the last")
        # More of them than one look reads, and two looks too.
        others = [f"nobody waits for {n}" for n in range(2 * MOST_LOOKED_AT + 1)]
        with runs.house.database.transaction() as work:
            Inbox(work).add(
                [
                    NewInboxEntry(kind=TriggerKind.MESSAGE, name="paid", key=key)
                    for key in (*others, "of all the last")
                ]
            )
            work.connection.exec_driver_sql("UPDATE inbox SET state = 'kept'")
        for _ in range(3):
            runs.house.run()
        assert runs.state(waiting) is RunState.COMPLETED


def test_an_event_that_a_run_emits_begins_another(database_url: str) -> None:
    begun = """
    workflow: begun
    version: "1"
    triggers: [{event: shipped, parameters: "${event}"}]
    steps: [{id: work, parameters: {of: "${order}"}}]
    """
    written = "steps: [{id: send, type: emit, event: shipped, payload: {order: A}}]"
    with WrittenRuns.of(database_url, written, begun) as runs:
        runs.begin()
        with runs.house.database.transaction() as work:
            given = work.connection.exec_driver_sql(
                "SELECT input FROM steps WHERE node = 'work'"
            ).scalar_one()
        assert given["of"] == "A"


def test_a_signal_that_a_run_emits_reaches_all_who_wait(database_url: str) -> None:
    bell = (
        'workflow: bell\nversion: "1"\nsteps: [{id: wait, type: wait, events: [{signal: rang, next: end}]}]'
    )
    with WrittenRuns.of(database_url, "steps: [{id: ring, type: emit, signal: rang}]", bell) as runs:
        waiting = [runs.begin("bell"), runs.begin("bell")]
        runs.begin()
        assert [runs.state(each) for each in waiting] == [RunState.COMPLETED] * 2
