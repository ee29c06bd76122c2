"""Ended runs are replayed through a version: the same, or where they first differ, or why nothing can be said."""

from collections.abc import Iterator

import pytest

from engine.outcomes import Done, Failed, Outcome
from tasks.flows.replay import RunReplay, replay_runs
from tests.support.engine.migrated_runs import know, move
from tests.support.engine.written_runs import WrittenRuns, returns

WRITTEN = """
variables: {seen: 0}
steps:
- {id: look, next: note}
- {id: note, type: set, set: {seen: "${seen + total}"}, next: choose}
- {id: choose, type: gateway, condition: "seen > 5", next: ask, else: end}
- {id: ask, type: human, decisions: {yes: fork, no: end}}
- {id: fork, type: pass, next: [left, right]}
- {id: left}
- {id: right, on_error: mend}
- {id: mend}
- {id: both, needs: [left, mend]}
"""

CALLS = "steps: [{id: a, type: workflow, workflow: called}]"
CALLED = "workflow: called\nversion: '1'\nsteps: [{id: b}]"


def replayed(runs: WrittenRuns, run_id: str, version: str = "2") -> RunReplay:
    (result,) = replay_runs(runs.house.engine, "tried", version, [run_id], 1)
    return result


def ended(runs: WrittenRuns) -> str:
    run_id = runs.begin()
    runs.decide(run_id, "ask", decision="yes")
    assert runs.nodes(run_id)["both"] == ["done"]
    return run_id


def test_what_a_person_skipped_came_to_what_was_said_in_a_replay_too(database_url: str) -> None:
    written = """
    on_failure: incident
    steps:
    - {id: bad, next: after}
    - {id: after, parameters: {total: "${steps.bad.total}"}}
    """
    with WrittenRuns.of(database_url, written, bad=lambda _: Failed(code="bad", message="no")) as runs:
        run_id = runs.begin()
        runs.decide(run_id, "$incident", decision="skip", form={"output": {"total": 25}})
        know(runs, written)
        assert replayed(runs, run_id).same


def recorded(database_url: str) -> WrittenRuns:
    fails = Failed(code="bad", message="no")
    return WrittenRuns.of(database_url, WRITTEN, look=returns(total=7), right=lambda _: fails)


def test_a_run_goes_the_same_way_through_a_version_that_says_the_same(database_url: str) -> None:
    with recorded(database_url) as runs:
        run_id = ended(runs)
        know(runs, WRITTEN + "- {id: never}\n")
        know(runs, "labels: {of: test}\n" + WRITTEN.lstrip(), "3")
        worked = list(runs.bench.worked)
        assert replayed(runs, run_id, "1").same
        assert replayed(runs, run_id, "3").same
        assert runs.bench.worked == worked
        begun = replayed(runs, run_id)
        assert begun.difference is not None
        assert (begun.difference.after, begun.difference.now) == (None, ("never (audit.check)",))


@pytest.mark.parametrize(
    ("before", "after", "step", "then", "now"),
    [
        (
            "seen > 5",
            "seen > 7",
            "look",
            ("ask (human)", "choose (gateway) with other values"),
            ("choose (gateway) with other values",),
        ),
        (
            "{yes: fork, no: end}",
            "{yes: end, no: fork}",
            "ask",
            ("fork (pass)", "left (audit.check)", "right (audit.check)"),
            (),
        ),
        (
            "{yes: fork",
            "{fine: fork",
            "ask",
            ("fork (pass)", "left (audit.check)", "right (audit.check)"),
            ("ask takes no such answer",),
        ),
        ("mend", "fix", "right", ("mend (audit.check)",), ("fix (audit.check)",)),
        ("seen + total", "seen + nothing", "look", None, None),
        (
            "{id: mend}",
            "{id: mend, agent: contact, action: check}",
            "right",
            ("mend (audit.check)",),
            ("mend (contact.check)",),
        ),
        ("needs: [left, mend]", "needs: [left]", "left", (), ("both (audit.check)",)),
    ],
)
def test_a_run_that_would_go_another_way_says_where_it_first_differs(
    database_url: str,
    before: str,
    after: str,
    step: str,
    then: tuple[str, ...] | None,
    now: tuple[str, ...] | None,
) -> None:
    with recorded(database_url) as runs:
        run_id = ended(runs)
        know(runs, WRITTEN.replace(before, after))
        found = replayed(runs, run_id).difference
        assert found is not None
        assert found.after == step
        if then is not None:
            assert (tuple(sorted(found.then)), tuple(sorted(found.now))) == (then, now)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("steps: [{id: a, for_each: {in: '${[1, 2]}'}}]", "scope or loop"),
        ("steps: [{id: s, type: scope, steps: [{id: a}]}]", "scope or loop"),
        ("steps: [{id: a, repeat: {while: index < 1, max: 3}}]", "scope or loop"),
        ("steps: [{id: a, on: [{timer: 60, next: end}]}]", "may break in upon step 'a'"),
        ("steps: [{id: a, next: stop}, {id: stop, type: end, error: bad}]", "the end 'stop'"),
        ("steps: [{id: a, type: human, decisions: {ok: end}}]", "it has not ended"),
        (CALLS, "began another run"),
    ],
)
def test_a_run_whose_replay_would_say_nothing_says_so(database_url: str, written: str, reason: str) -> None:
    with WrittenRuns.of(database_url, written, CALLED) as runs:
        run_id = runs.begin()
        result = replayed(runs, run_id, "1")
        assert not result.same
        assert reason in (result.not_comparable or "")


def test_a_run_that_was_tried_again_is_not_comparable(database_url: str) -> None:
    answers: Iterator[Outcome] = iter([Failed(code="bad", message="no"), Done(output={})])
    with WrittenRuns.of(
        database_url, "steps: [{id: a, next: b}, {id: b}]", b=lambda _: next(answers)
    ) as runs:
        run_id = runs.begin()
        with runs.house.engine.transaction() as transaction:
            transaction.retry([run_id])
        runs.house.run()
        assert replayed(runs, run_id, "1").not_comparable == "step 'b' was entered from outside"


def test_the_last_runs_are_replayed_and_an_unknown_one_is_named(database_url: str) -> None:
    with WrittenRuns.of(database_url, "steps: [{id: a}]") as runs:
        ids = [runs.begin() for _ in range(3)]
        found = replay_runs(runs.house.engine, "tried", "1", None, 2)
        assert [each.run_id for each in found] == ids[:0:-1]
        assert all(each.same for each in found)
        assert replayed(runs, "exec_nobody", "1").not_comparable == "there is no such run of the workflow"


def test_what_ended_a_wait_is_found_by_kind_and_name_and_not_by_its_place(database_url: str) -> None:
    written = """
    steps:
    - {{id: w, type: wait, events: [{0}]}}
    - {{id: a}}
    - {{id: b}}
    """
    bell, timer = "{{signal: bell, next: {}}}", "{{timer: 60, next: {}}}"
    first = f"{bell.format('a')}, {timer.format('b')}"
    with WrittenRuns.of(database_url, written.format(first)) as runs:
        run_id = runs.begin()
        runs.signal("bell")
        know(runs, written.format(f"{timer.format('b')}, {bell.format('a')}"))
        know(runs, written.format(f"{timer.format('a')}, {bell.format('b')}"), "3")
        know(runs, written.format(f"{timer.format('a')}, {timer.format('b')}"), "4")
        # The place is in what the wait returned, and so in the input of what follows it.
        moved = replayed(runs, run_id, "2").difference
        assert moved is not None
        assert moved.then == moved.now == ("a (audit.check) with other values",)
        crossed, gone = (replayed(runs, run_id, version).difference for version in "34")
        assert crossed is not None
        assert (crossed.then, crossed.now) == (("a (audit.check)",), ("b (audit.check)",))
        assert gone is not None
        assert gone.now == ("w does not wait for what came",)


def test_a_run_that_was_migrated_is_not_comparable(database_url: str) -> None:
    written = "steps: [{id: ask, type: human, decisions: {ok: end}}]"
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        know(runs, written)
        assert move(runs, run_id).moved
        runs.decide(run_id, "ask", decision="ok")
        assert "migrated" in (replayed(runs, run_id).not_comparable or "")
