"""Runs go on in another version of their definition: whole, with their times and holders, or they say why not."""

from collections.abc import Mapping

import pytest

from engine.migrating import RunMigration
from engine.outcomes import Done, Failed
from statemachine.workflow.states import RunState
from storage.access.system_audit import SystemAudit
from storage.engine.flow.migrated_runs import MigratedRuns
from tasks.flows.migration import UnusableChange
from tests.support.engine.migrated_runs import know, move, row_of, to_next
from tests.support.engine.written_runs import WrittenRuns, returns

ASKS = """
variables: {amount: 0}
steps:
- {id: look, next: ask}
- {id: ask, type: human, decisions: {yes: pay, no: end}, not_by: [look]}
- {id: pay, type: set, set: {amount: "${steps.look.total}"}}
"""
ASKS_ANEW = """
variables: {amount: 0}
steps:
- {id: inspect, next: confirm}
- {id: confirm, type: human, decisions: {yes: charge, no: end, later: end}, not_by: [inspect]}
- {id: charge, type: set, set: {amount: "${steps.inspect.total}"}, next: told}
- {id: told}
"""
NEW_NAMES = {"look": "inspect", "ask": "confirm", "pay": "charge"}


def test_a_question_is_answered_after_the_migration_and_the_run_goes_on_as_the_new_version_says(
    database_url: str,
) -> None:
    with WrittenRuns.of(database_url, ASKS, look=returns(total=7)) as runs:
        run_id = runs.begin()
        know(runs, ASKS_ANEW)
        assert move(runs, run_id, **NEW_NAMES).moved
        assert row_of(runs, run_id).version == "2"
        runs.decide(run_id, "confirm", decision="yes")
        assert runs.state(run_id) is RunState.COMPLETED
        assert list(runs.nodes(run_id)) == ["inspect", "confirm", "charge", "told"]
        # What was done before is found by its new name.
        assert runs.variables(run_id) == {"amount": 7}


def test_the_history_of_a_run_and_the_audit_log_say_who_has_migrated_it(database_url: str) -> None:
    with WrittenRuns.of(database_url, ASKS) as runs:
        run_id = runs.begin()
        know(runs, ASKS_ANEW)
        move(runs, run_id, **NEW_NAMES)
        with runs.house.database.transaction() as work:
            (entry,) = MigratedRuns(work).history(run_id)
            (line,) = SystemAudit(work).recent(what="run_migrated")
        assert {key: entry[key] for key in ("from", "to", "by", "steps")} == {
            "from": "1",
            "to": "2",
            "by": "王芳",
            "steps": NEW_NAMES,
        }
        assert (line.actor, line.detail["run_id"], line.detail["from"]) == ("王芳", run_id, "1")


def test_whoever_may_not_answer_may_not_after_the_migration_either(database_url: str) -> None:
    with WrittenRuns.of(database_url, ASKS) as runs:
        run_id = runs.begin()
        know(runs, ASKS_ANEW)
        move(runs, run_id, **NEW_NAMES)
        with runs.house.database.transaction() as work:
            row = work.connection.exec_driver_sql(
                "SELECT node, not_by, state FROM reviews WHERE run_id = %s", (run_id,)
            ).one()
        assert tuple(row) == ("confirm", ["inspect"], "open")


def test_a_wait_keeps_its_time(database_url: str) -> None:
    written = "steps: [{id: rest, type: wait, seconds: 600, next: go}, {id: go}]"
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        know(runs, "steps: [{id: pause, type: wait, seconds: 60, next: go}, {id: go}]")
        assert move(runs, run_id, rest="pause").moved
        runs.pass_time(590)
        assert runs.nodes(run_id) == {"pause": ["scheduled"]}
        runs.pass_time(11)
        assert runs.nodes(run_id) == {"pause": ["done"], "go": ["done"]}


EVENTS = """
steps:
- id: paid
  type: wait
  events: [{message: refund.paid, key: "${order}", next: restock}, {timer: P3D, next: late}]
- {id: restock}
- {id: late}
"""
EVENTS_IN_ANOTHER_ORDER = """
steps:
- id: money
  type: wait
  events:
  - {signal: closing, next: end}
  - {timer: P9D, next: late}
  - {message: refund.paid, key: "${order}", next: shelve}
- {id: shelve}
- {id: late}
"""


@pytest.mark.parametrize("by_message", [True, False])
def test_what_is_waited_for_is_found_by_kind_and_name_and_the_timer_fires_at_its_old_time(
    database_url: str, *, by_message: bool
) -> None:
    with WrittenRuns.of(database_url, EVENTS) as runs:
        run_id = runs.begin(order="A")
        know(runs, EVENTS_IN_ANOTHER_ORDER)
        assert move(runs, run_id, paid="money").moved
        if by_message:
            assert runs.message("refund.paid", "A") == 1
        else:
            runs.pass_time(3 * 86_400 - 60)
            assert runs.state(run_id) is RunState.RUNNING
            runs.pass_time(61)
        assert list(runs.nodes(run_id)) == ["money", "shelve" if by_message else "late"]
        assert (runs.state(run_id), runs.left_over(run_id)) == (RunState.COMPLETED, 0)


def test_a_step_at_work_moves_the_run_after_its_record(database_url: str) -> None:
    with WrittenRuns.of(
        database_url, "steps: [{id: work, next: after}, {id: after, agent: contact, action: check}]"
    ) as runs:
        know(runs, "steps: [{id: labour, next: then}, {id: then, agent: contact, action: check}]", "2")
        said: list[RunMigration] = []

        def during(step: object) -> Done:
            del step
            if not said:
                said.extend(to_next(runs, steps=names, runs=[run_ids[0]]).runs)
            return Done(output={})

        names = {"work": "labour", "after": "then"}
        runs.bench.answers["work"] = during
        run_ids: list[str] = ["exec_at_work"]
        runs.begin_as(run_ids[0], "1", until="work")
        (result,) = said
        assert (result.moved, result.later) == (False, True)
        assert result.problems == (
            "an agent is at work on step 'work'; ask again once its result is recorded",
        )
        assert runs.nodes(run_ids[0]) == {"work": ["done"], "after": ["published"]}
        assert move(runs, run_ids[0], **names).moved
        runs.house.run()
        assert runs.nodes(run_ids[0]) == {"labour": ["done"], "then": ["done"]}


def test_a_message_that_was_sent_before_the_migration_is_spent_in_vain(database_url: str) -> None:
    with WrittenRuns.of(database_url, "steps: [{id: a}]") as runs:
        know(runs, "steps: [{id: b, agent: contact, action: check}]")
        run_id = runs.begin_as("exec_sent", "1")
        (message,) = runs.house.wire.messages
        assert move(runs, run_id, a="b").moved
        runs.house.execute(message)
        assert runs.nodes(run_id) == {"b": ["ready"]}
        runs.house.run()
        assert (runs.nodes(run_id), runs.bench.worked) == ({"b": ["done"]}, ["b"])


def test_branches_that_wait_at_a_join_go_on_waiting_under_their_new_names(database_url: str) -> None:
    first = """
    steps:
    - {id: a}
    - {id: b, type: wait, seconds: 60}
    - {id: c, needs: [a, b]}
    """
    second = """
    steps:
    - {id: left}
    - {id: right, type: wait, seconds: 5}
    - {id: both, needs: [left, right]}
    """
    with WrittenRuns.of(database_url, first, a=returns(n=1)) as runs:
        run_id = runs.begin()
        know(runs, second)
        refused = move(runs, run_id, b="right", c="both").problems
        assert refused == (
            "branches from 'a' wait at 'c' for 'a', 'right', and 'both' waits for 'left', 'right'",
            "'both' would wait for 'left', from which nothing would come",
        )
        assert move(runs, run_id, a="left", b="right", c="both").moved
        runs.pass_time(61)
        assert runs.nodes(run_id)["both"] == ["done"]
        assert set(runs.inputs(run_id, "both")[0]["needs"]) == {"left", "right"}
        assert runs.state(run_id) is RunState.COMPLETED


def test_a_join_that_would_wait_for_a_branch_that_cannot_come_is_refused(database_url: str) -> None:
    with WrittenRuns.of(
        database_url, "steps: [{id: a, type: wait, seconds: 60}, {id: c, needs: [a]}]"
    ) as runs:
        run_id = runs.begin()
        know(runs, "steps: [{id: a, type: wait, seconds: 60}, {id: b}, {id: c, needs: [a, b]}]")
        assert move(runs, run_id).problems == ("'c' would wait for 'b', from which nothing would come",)


def test_what_lies_in_scopes_and_loops_moves_with_its_owner(database_url: str) -> None:
    written = """
    steps:
    - id: {scope}
      type: scope
      next: {last}
      steps:
      - {{id: {each}, for_each: {{in: "${{items}}", as: item, limit: 1}}, type: wait, seconds: 60}}
    - {{id: {last}}}
    """
    old = written.format(scope="s", each="e", last="z")
    with WrittenRuns.of(database_url, old) as runs:
        run_id = runs.begin(items=[1, 2])
        know(runs, written.format(scope="scope", each="every", last="finish"))
        assert move(runs, run_id, s="scope", z="finish").problems == (
            "step 'e' is open, and version 2 has no step 'e'",
        )
        assert move(runs, run_id, s="scope", e="every", z="finish").moved
        runs.pass_time(61)
        runs.pass_time(61)
        assert runs.nodes(run_id)["finish"] == ["done"]
        assert (runs.state(run_id), runs.left_over(run_id)) == (RunState.COMPLETED, 0)


def test_an_incident_is_tried_again_under_the_new_name_of_the_step_that_failed(database_url: str) -> None:
    first, second = (f"on_failure: incident\nsteps: [{{id: {name}}}]" for name in ("a", "b"))
    with WrittenRuns.of(database_url, first, a=lambda _: Failed(code="bad", message="no")) as runs:
        run_id = runs.begin()
        know(runs, second)
        assert move(runs, run_id).problems == (
            "'$incident' asks what becomes of 'a', and version 2 has no step for it",
        )
        assert move(runs, run_id, a="b").moved
        runs.decide(run_id, "$incident", decision="retry")
        assert runs.nodes(run_id) == {"b": ["failed", "done"], "$incident": ["done"]}
        assert runs.state(run_id) is RunState.COMPLETED


@pytest.mark.parametrize(
    ("written", "names", "problem"),
    [
        (
            "steps: [{id: b, type: wait, seconds: 60}]",
            {},
            "step 'ask' is open, and version 2 has no step 'ask'",
        ),
        (
            "steps: [{id: b, type: wait, seconds: 60}]",
            {"ask": "b"},
            "step 'ask' is of type human, and 'b' is of type wait",
        ),
        (
            "steps: [{id: ask, type: human, decisions: {no: end}}]",
            {},
            "step 'ask' asks a person, who may answer 'yes'; 'ask' does not",
        ),
        (
            "steps: [{id: s, type: scope, steps: [{id: ask, type: human, decisions: {yes: end, no: end}}]}]",
            {},
            "step 'ask' lies outside of all scopes, and 'ask' lies in 's'",
        ),
        (
            "steps: [{id: ask, type: human, decisions: {yes: end, no: end}, on: [{signal: other, next: end}]}]",
            {},
            "step 'ask' waits for a signal 'bell', and 'ask' of version 2 does not",
        ),
    ],
)
def test_a_run_that_cannot_move_says_why_and_is_left_as_it_is(
    database_url: str, written: str, names: Mapping[str, str], problem: str
) -> None:
    first = """
    steps:
    - {id: ask, type: human, decisions: {yes: end, no: end}, on: [{signal: bell, next: end}]}
    """
    with WrittenRuns.of(database_url, first) as runs:
        run_id = runs.begin()
        know(runs, written)
        result = move(runs, run_id, **names)
        assert (result.moved, result.later) == (False, False)
        assert problem in result.problems
        assert (row_of(runs, run_id).version, runs.nodes(run_id)) == ("1", {"ask": ["parked"]})
        runs.decide(run_id, "ask", decision="yes")
        assert runs.state(run_id) is RunState.COMPLETED


def test_variables_and_parameters_that_the_new_version_does_not_take_are_named(database_url: str) -> None:
    first = """
    variables: {total: 0}
    steps:
    - {id: sum, type: set, set: {total: "${n}"}, next: ask}
    - {id: ask, type: human, decisions: {ok: end}}
    """
    second = """
    parameters: {type: object, required: [who]}
    variables: {total: {type: string, default: ""}}
    steps: [{id: ask, type: human, decisions: {ok: end}}]
    """
    with WrittenRuns.of(database_url, first) as runs:
        run_id = runs.begin(n=3)
        know(runs, second)
        problems = move(runs, run_id).problems
        assert len(problems) == 2
        assert "who" in problems[0]
        assert problems[1].startswith("variable 'total'")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"after": "1"}, "both versions are 1"),
        ({"steps": {"nobody": "ask"}}, "version 1 has no step 'nobody'"),
        ({"steps": {"ask": "nobody"}}, "version 2 has no step 'nobody'"),
    ],
)
def test_a_change_that_fits_no_run_is_refused(
    database_url: str, changes: dict[str, object], problem: str
) -> None:
    written = "steps: [{id: ask, type: human, decisions: {ok: end}}]"
    with WrittenRuns.of(database_url, written) as runs:
        know(runs, written)
        with pytest.raises(UnusableChange, match=problem):
            to_next(runs, **changes)


def test_all_open_runs_move_and_those_that_have_ended_do_not(database_url: str) -> None:
    written = "steps: [{id: ask, type: human, decisions: {ok: end}}]"
    with WrittenRuns.of(database_url, written) as runs:
        opened, ended = [runs.begin(), runs.begin()], runs.begin()
        runs.decide(ended, "ask", decision="ok")
        know(runs, written)
        assert to_next(runs, runs=[ended, "exec_nobody"], dry_run=True).runs[0].problems == (
            "it has ended: completed",
        )
        result = to_next(runs)
        assert [(each.run_id, each.moved) for each in result.runs] == [
            (each, True) for each in sorted(opened)
        ]
        assert result.next is None
        assert to_next(runs).runs == []


def test_more_runs_than_one_request_moves_are_moved_by_the_next(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.flows.migration.MOST_RUNS", 2)
    written = "steps: [{id: ask, type: human, decisions: {ok: end}}]"
    with WrittenRuns.of(database_url, written) as runs:
        ids = sorted(runs.begin() for _ in range(3))
        know(runs, written)
        first = to_next(runs)
        assert ([each.run_id for each in first.runs], first.next) == (ids[:2], ids[1])
        rest = to_next(runs, following=first.next)
        assert ([each.run_id for each in rest.runs], rest.next) == (ids[2:], None)


def test_a_paused_run_moves_and_goes_on_when_it_is_resumed(database_url: str) -> None:
    with WrittenRuns.of(database_url, "steps: [{id: a}]") as runs:
        run_id = runs.begin_as("exec_paused", "1")
        with runs.house.engine.transaction() as transaction:
            transaction.pause([run_id])
        know(runs, "steps: [{id: b, agent: contact, action: check}]")
        assert move(runs, run_id, a="b").moved
        runs.house.run()
        assert runs.nodes(run_id) == {"b": ["ready"]}
        with runs.house.engine.transaction() as transaction:
            transaction.resume([run_id])
        runs.house.run()
        assert runs.nodes(run_id) == {"b": ["done"]}
