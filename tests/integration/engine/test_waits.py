"""Waits: for messages, signals, times and conditions; the first to come decides, and the rest is forgotten."""

import pytest

from engine.outcomes import Done
from engine.triggers.dispatch import InboxDispatcher
from statemachine.workflow.options.triggers import TriggerKind
from statemachine.workflow.states import RunState
from storage.engine.triggers.inbox import Inbox, NewInboxEntry
from tests.support.engine.written_runs import WrittenRuns

PAID = """
steps:
- id: paid
  type: wait
  events:
  - {message: refund.paid, key: "${order}", next: restock}
  - {timer: P3D, next: late}
- {id: restock}
- {id: late}
"""


def test_a_message_ends_the_wait_with_its_key_and_the_timer_is_forgotten(database_url: str) -> None:
    with WrittenRuns.of(database_url, PAID) as runs:
        run_id, other = runs.begin(order="A"), runs.begin(order="B")
        assert runs.message("refund.paid", "A", {"sum": 3}) == 1
        assert runs.message("refund.paid", "A") == 0
        assert runs.inputs(run_id, "restock")[0]["event"]["payload"] == {"sum": 3}
        assert (runs.state(run_id), runs.left_over(run_id)) == (RunState.COMPLETED, 0)
        assert runs.state(other) is RunState.RUNNING


def test_the_time_ends_the_wait_and_the_message_is_heard_no_more(database_url: str) -> None:
    with WrittenRuns.of(database_url, PAID) as runs:
        run_id = runs.begin(order="A")
        runs.pass_time(3 * 86_400 - 60)
        assert runs.state(run_id) is RunState.RUNNING
        runs.pass_time(61)
        assert runs.nodes(run_id) == {"paid": ["done"], "late": ["done"]}
        assert runs.message("refund.paid", "A") == 0


def test_one_message_reaches_the_one_who_has_waited_longest(database_url: str) -> None:
    with WrittenRuns.of(database_url, PAID) as runs:
        first, second = runs.begin(order="A"), runs.begin(order="A")
        assert runs.message("refund.paid", "A") == 1
        assert (runs.state(first), runs.state(second)) == (RunState.COMPLETED, RunState.RUNNING)


def test_messages_of_one_batch_each_reach_another_of_their_key_the_one_who_has_waited_longest_first(
    database_url: str,
) -> None:
    with WrittenRuns.of(database_url, PAID) as runs:
        first, other, second, third = (runs.begin(order=order) for order in "ABAA")
        sent = [("A", 1), ("C", 2), ("A", 3), ("B", 4)]
        entries = [
            NewInboxEntry(kind=TriggerKind.MESSAGE, name="refund.paid", key=key, payload={"sum": total})
            for key, total in sent
        ]
        with runs.house.database.transaction() as work:
            added = [each.entry_id for each in Inbox(work).add(entries)]
        found = InboxDispatcher(runs.house.engine).at_once(added)
        runs.house.run()
        assert [found[entry_id].result.receivers for entry_id in added] == [1, 0, 1, 1]
        received = [
            runs.inputs(each, "restock")[0]["event"]["payload"]["sum"] for each in (first, other, second)
        ]
        assert received == [1, 4, 3]
        assert runs.state(third) is RunState.RUNNING


def test_a_signal_reaches_all_who_wait_now_and_nobody_later(database_url: str) -> None:
    written = "steps: [{id: bell, type: wait, events: [{signal: rang, next: end}]}]"
    with WrittenRuns.of(database_url, written) as runs:
        waiting = [runs.begin(), runs.begin()]
        assert runs.signal("rang") == 2
        assert [runs.state(run_id) for run_id in waiting] == [RunState.COMPLETED] * 2
        late = runs.begin()
        assert runs.state(late) is RunState.RUNNING


def test_a_condition_ends_the_wait_when_another_branch_writes_the_variable(database_url: str) -> None:
    written = """
    variables: {ready: false}
    steps:
    - {id: until, type: wait, events: [{condition: ready, next: go}]}
    - {id: go}
    - {id: pause, type: wait, seconds: 60, next: open}
    - {id: open, type: set, set: {ready: true}}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        assert "go" not in runs.nodes(run_id)
        runs.pass_time(61)
        assert runs.nodes(run_id)["go"] == ["done"]
        assert runs.state(run_id) is RunState.COMPLETED


def test_a_wait_until_a_calculated_moment(database_url: str) -> None:
    written = 'steps: [{id: until, type: wait, until: "PT${minutes}M", next: end}]'
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin(minutes=10)
        runs.pass_time(590)
        assert runs.state(run_id) is RunState.RUNNING
        runs.pass_time(11)
        assert runs.state(run_id) is RunState.COMPLETED


def test_what_is_no_time_fails_the_wait_with_what_one_looks_like(database_url: str) -> None:
    with WrittenRuns.of(database_url, 'steps: [{id: until, type: wait, until: "soon", next: end}]') as runs:
        run_id = runs.begin()
        assert (runs.state(run_id), runs.error(run_id)) == (RunState.FAILED, "invalid_input")


def test_a_step_that_takes_too_long_fails_with_timeout(database_url: str) -> None:
    written = """
    steps:
    - {id: ask, type: human, decisions: {ok: end}, timeout_seconds: 60, on_error: late}
    - {id: late}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        runs.pass_time(61)
        assert runs.nodes(run_id) == {"ask": ["failed"], "late": ["done"]}
        assert runs.inputs(run_id, "late")[0]["error"]["code"] == "timeout"


@pytest.mark.parametrize(("interrupts", "asked"), [("true", "cancelled"), ("false", "parked")])
def test_a_timer_breaks_in_upon_a_step_or_runs_beside_it(
    database_url: str, interrupts: str, asked: str
) -> None:
    written = f"""
    steps:
    - {{id: ask, type: human, decisions: {{ok: end}}, on: [{{timer: 60, interrupts: {interrupts}, next: remind}}]}}
    - {{id: remind}}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        runs.pass_time(61)
        runs.pass_time(61)
        assert runs.nodes(run_id) == {"ask": [asked], "remind": ["done"]}


def test_what_breaks_in_upon_a_run_cancels_all_that_is_open(database_url: str) -> None:
    written = """
    on: [{signal: closing, next: tidy}]
    steps:
    - {id: left, type: wait, seconds: 60}
    - {id: right, type: wait, seconds: 60}
    - {id: tidy}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        assert runs.signal("closing") == 1
        assert runs.nodes(run_id) == {"left": ["cancelled"], "right": ["cancelled"], "tidy": ["done"]}
        assert (runs.state(run_id), runs.left_over(run_id)) == (RunState.COMPLETED, 0)


def test_what_waits_in_a_paused_run_goes_on_when_the_run_does(database_url: str) -> None:
    with WrittenRuns.of(database_url, PAID) as runs:
        run_id = runs.begin(order="A")
        with runs.house.engine.transaction() as transaction:
            transaction.pause([run_id])
        runs.pass_time(4 * 86_400)
        assert runs.nodes(run_id) == {"paid": ["parked"]}
        with runs.house.engine.transaction() as transaction:
            transaction.resume([run_id])
        runs.house.run()
        assert runs.state(run_id) is RunState.COMPLETED


CHILD = """
workflow: child
version: "1"
parameters: {type: object, properties: {n: {type: integer}}, required: [n]}
steps: [{id: work, parameters: {n: "${n}"}}]
"""


def test_a_step_waits_for_the_run_it_begins_and_has_its_output(database_url: str) -> None:
    written = """
    steps:
    - {id: call, type: workflow, workflow: child, parameters: {n: "${start + 1}"}, next: after}
    - {id: after}
    """
    with WrittenRuns.of(
        database_url, written, CHILD, work=lambda step: Done(output={"n": step.input["n"] * 10})
    ) as runs:
        run_id = runs.begin(start=1)
        (given,) = runs.inputs(run_id, "after")
        assert given["n"] == 20
        assert runs.state(given["run_id"]) is RunState.COMPLETED
        assert runs.state(run_id) is RunState.COMPLETED


def test_a_run_that_cannot_be_begun_fails_the_step(database_url: str) -> None:
    written = """
    steps:
    - {id: call, type: workflow, workflow: "${which}", parameters: {n: many}, on_error: mend}
    - {id: mend}
    """
    with WrittenRuns.of(database_url, written, CHILD) as runs:
        codes = [
            runs.inputs(runs.begin(which=which), "mend")[0]["error"]["code"] for which in ("child", "nobody")
        ]
        assert codes == ["invalid_input", "unknown_workflow"]


def test_a_called_run_is_cancelled_with_the_step(database_url: str) -> None:
    written = """
    steps:
    - {id: call, type: workflow, workflow: slow, on: [{timer: 60, next: end}]}
    ---
    """.replace("---\n    ", "")
    slow = 'workflow: slow\nversion: "1"\nsteps: [{id: wait, type: wait, seconds: 3600}]'
    with WrittenRuns.of(database_url, written, slow) as runs:
        run_id = runs.begin()
        runs.pass_time(61)
        assert runs.state(run_id) is RunState.COMPLETED
        with runs.house.database.transaction() as work:
            states = work.connection.exec_driver_sql(
                "SELECT state FROM runs WHERE workflow = 'slow'"
            ).scalars()
            assert list(states) == ["cancelled"]


def test_runs_that_begin_one_another_end_at_a_depth_of_ten(database_url: str) -> None:
    with WrittenRuns.of(database_url, "steps: [{id: call, type: workflow, workflow: tried}]") as runs:
        run_id = runs.begin()
        assert (runs.state(run_id), runs.error(run_id)) == (RunState.FAILED, "too_deep")
        with runs.house.database.transaction() as work:
            assert work.connection.exec_driver_sql("SELECT count(*) FROM runs").scalar_one() == 11


def test_a_run_goes_on_as_another_and_its_caller_waits_for_that(database_url: str) -> None:
    written = """
    steps:
    - {id: call, type: workflow, workflow: relay, next: after}
    - {id: after}
    """
    relay = """
    workflow: relay
    version: "1"
    steps: [{id: on_as, type: workflow, workflow: child, continue: true, parameters: {n: 4}}]
    """
    with WrittenRuns.of(
        database_url, written, relay, CHILD, work=lambda step: Done(output={"n": step.input["n"]})
    ) as runs:
        run_id = runs.begin()
        assert runs.inputs(run_id, "after")[0]["n"] == 4
        assert runs.state(run_id) is RunState.COMPLETED
