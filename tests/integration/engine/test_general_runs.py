"""Definitions that know nothing of suspended orders run on the same engine, with no line of it changed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from engine.actions import Action
from engine.outcomes import Done, Failed, Outcome, SignalResult, Snooze, TryAgain
from runtime.clock import Clock
from statemachine.workflow.states import RunState
from storage.engine.clock import BusinessClock
from storage.engine.definitions import Definitions
from storage.engine.steps import StepRow
from storage.people.reviews import Reviews
from tests.support.engine.general_runs import (
    ScriptedActions,
    begin,
    definition,
    definition_body,
    nodes_of,
    state_of,
)
from tests.support.in_process_fleet import InProcessFleet


@pytest.fixture
def house(database_url: str, bench: ScriptedActions) -> Iterator[InProcessFleet]:
    built = InProcessFleet.build(
        database_url,
        actions=bench.actions(),
        workflows=[definition("order_processing_v1"), definition("parallel_branches")],
    )
    with built.database.transaction() as work:
        for name in ("order_processing_v1", "parallel_branches"):
            Definitions(work).register(name, "1.0", definition_body(name))
    yield built
    built.close()


def test_dependent_steps_run_in_the_order_of_their_needs(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    (run_id,) = begin(house, "order_processing_v1")
    house.run()
    assert bench.worked == [
        "validate_order",
        "check_inventory",
        "process_payment",
        "fulfill_order",
        "send_notification",
    ]
    assert state_of(house, run_id) == RunState.COMPLETED


def test_a_step_sees_the_outputs_of_what_it_needs(house: InProcessFleet, bench: ScriptedActions) -> None:
    seen: list[object] = []

    def remember(step: StepRow) -> Outcome:
        seen.append(step.input["needs"])
        return Done()

    bench.answers["validate_order"] = lambda _: Done(output={"valid": True})
    bench.answers["check_inventory"] = remember
    begin(house, "order_processing_v1")
    house.run()
    assert seen == [{"validate_order": {"valid": True}}]


def test_a_fault_that_passes_is_retried_and_costs_only_tries(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    def flaky(step: StepRow) -> Outcome:
        return Done() if step.tries == 4 else TryAgain(code="busy", message="the gateway is busy")

    bench.answers["process_payment"] = flaky
    (run_id,) = begin(house, "order_processing_v1")
    wait_for_end(house, run_id)
    assert state_of(house, run_id) == RunState.COMPLETED
    assert bench.worked.count("process_payment") == 5


def test_a_fault_that_stays_fails_the_run_when_nothing_catches_it(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    bench.answers["fulfill_order"] = lambda _: TryAgain(code="busy", message="no courier")
    (run_id,) = begin(house, "order_processing_v1")
    wait_for_end(house, run_id)
    assert state_of(house, run_id) == RunState.FAILED
    assert bench.worked.count("fulfill_order") == 4
    assert "send_notification" not in bench.worked


def test_branches_that_join_enter_the_join_once(house: InProcessFleet, bench: ScriptedActions) -> None:
    bench.answers["join"] = lambda step: Done(output={"total": len(step.input["needs"])})
    (run_id,) = begin(house, "parallel_branches")
    house.run_to_the_end()
    assert bench.worked.count("join") == 1
    assert nodes_of(house, run_id)["finish"] == ["done"]
    assert state_of(house, run_id) == RunState.COMPLETED


def test_branches_that_end_at_the_same_moment_enter_the_join_once(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    together = Barrier(2, timeout=180)

    def meet(_: StepRow) -> Outcome:
        together.wait()
        return Done()

    bench.answers["left"] = bench.answers["right"] = meet
    bench.answers["join"] = lambda _: Done(output={"total": 2})
    for _ in range(15):
        (run_id,) = begin(house, "parallel_branches")
        house.execute(house.wire.messages.popleft())
        branches = [house.wire.messages.popleft() for _ in range(2)]
        with ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(house.execute, branches))
        assert nodes_of(house, run_id)["join"] == ["published"]
        house.wire.lose_everything()


def test_branches_that_end_in_the_same_batch_enter_the_join_once(database_url: str) -> None:
    bench = ScriptedActions()
    same_queue = [
        {"id": "split", "agent": "orchestrator", "action": "check", "next": ["left", "right"]},
        {"id": "left", "agent": "contact", "action": "check"},
        {"id": "right", "agent": "contact", "action": "check"},
        {"id": "join", "agent": "action", "action": "check", "needs": ["left", "right"]},
    ]
    house = InProcessFleet.build(
        database_url,
        actions=bench.actions(),
        workflows=[definition("parallel_branches", steps=same_queue)],
    )
    (run_id,) = begin(house, "parallel_branches")
    house.run()
    assert 2 in bench.batches
    assert nodes_of(house, run_id)["join"] == ["done"]
    house.close()


def test_a_wait_holds_until_its_business_time(house: InProcessFleet, bench: ScriptedActions) -> None:
    bench.answers["join"] = lambda _: Done(output={"total": 2})
    (run_id,) = begin(house, "parallel_branches")
    house.run()
    assert nodes_of(house, run_id)["pause"] == ["scheduled"]
    assert "finish" not in bench.worked
    house.leap()
    house.run()
    assert state_of(house, run_id) == RunState.COMPLETED


def test_a_person_decides_and_the_run_goes_on(house: InProcessFleet, bench: ScriptedActions) -> None:
    bench.answers["join"] = lambda _: Done(output={"total": 1})
    (run_id,) = begin(house, "parallel_branches")
    house.run()
    with house.database.transaction() as work:
        (review,) = Reviews(work).list()
    with house.engine.transaction() as transaction:
        verdicts = transaction.complete({review.step_id: {"decision": "go_on"}})
    house.run()
    assert verdicts == {review.step_id: SignalResult.APPLIED}
    assert state_of(house, run_id) == RunState.COMPLETED


def test_a_question_nobody_answers_in_time_goes_on_waiting(database_url: str) -> None:
    bench = ScriptedActions()
    steps = [
        {"id": "ask", "type": "human", "deadline_seconds": 60, "decisions": {"go_on": "last", "stop": "end"}},
        {"id": "last", "agent": "audit", "action": "check"},
    ]
    house = InProcessFleet.build(
        database_url,
        actions=bench.actions(),
        workflows=[definition("parallel_branches", steps=steps)],
    )
    (run_id,) = begin(house, "parallel_branches")
    house.run_to_the_end()
    assert nodes_of(house, run_id) == {"ask": ["parked"]}
    with house.database.transaction() as work:
        (review,) = Reviews(work).list()
    with house.engine.transaction() as transaction:
        transaction.complete({review.step_id: {"decision": "go_on"}})
    house.run()
    assert bench.worked == ["last"]
    house.close()


def test_a_wait_that_cannot_be_ended_fails_alone_and_the_tick_goes_on(database_url: str) -> None:
    bench = ScriptedActions()
    deaf = Action(name="audit.deaf", resume=lambda _: Done(output={"decision": "what?"}))
    steps = [
        {
            "id": "ask",
            "type": "human",
            "agent": "audit",
            "action": "deaf",
            "deadline_seconds": 60,
            "decisions": {"stop": "end"},
        }
    ]
    house = InProcessFleet.build(
        database_url,
        actions=[*bench.actions(), deaf],
        workflows=[
            definition("parallel_branches", steps=steps),
            definition("order_processing_v1"),
        ],
    )
    (broken,) = begin(house, "parallel_branches")
    (sound,) = begin(house, "order_processing_v1")
    house.run_to_the_end()
    assert state_of(house, broken) == RunState.FAILED
    assert state_of(house, sound) == RunState.COMPLETED
    house.close()


def test_a_run_keeps_the_version_it_began_with(
    house: InProcessFleet, bench: ScriptedActions, database_url: str
) -> None:
    (old,) = begin(house, "order_processing_v1")
    steps = [{"id": "only_step", "agent": "audit", "action": "check"}]
    newer = InProcessFleet.build(
        database_url,
        actions=bench.actions(),
        workflows=[definition("order_processing_v1", version="2.0", steps=steps)],
    )
    (new,) = begin(newer, "order_processing_v1")
    newer.wire.messages.extend(house.wire.messages)
    newer.run()
    assert set(nodes_of(newer, new)) == {"only_step"}
    assert set(nodes_of(newer, old)) >= {"validate_order", "send_notification"}
    assert state_of(newer, old) == RunState.COMPLETED
    newer.close()


def test_a_snoozed_step_comes_back_and_costs_no_try(house: InProcessFleet, bench: ScriptedActions) -> None:
    def later(step: StepRow) -> Outcome:
        if step.delivery == 1:
            with house.database.transaction() as work:
                now = BusinessClock(work).now().business_now
            return Snooze(until=now, clock=Clock.BUSINESS, reason="not now")
        return Done(output={"tries": step.tries})

    bench.answers["validate_order"] = later
    (run_id,) = begin(house, "order_processing_v1")
    house.run()
    assert state_of(house, run_id) == RunState.COMPLETED
    assert bench.worked.count("validate_order") == 2


def test_an_error_leads_where_the_definition_says(database_url: str) -> None:
    bench = ScriptedActions()
    steps = [
        {"id": "first", "agent": "contact", "action": "check", "on_error": "repair", "next": "last"},
        {"id": "repair", "agent": "audit", "action": "check"},
        {"id": "last", "agent": "audit", "action": "check"},
    ]
    house = InProcessFleet.build(
        database_url,
        actions=bench.actions(),
        workflows=[definition("parallel_branches", steps=steps)],
    )
    bench.answers["first"] = lambda _: Failed(code="broken", message="it is broken")
    (run_id,) = begin(house, "parallel_branches")
    house.run()
    assert bench.worked == ["first", "repair"]
    assert state_of(house, run_id) == RunState.COMPLETED
    house.close()


def wait_for_end(house: InProcessFleet, run_id: str) -> None:
    """Run until the run has ended; retries wait on the database's clock, which nobody can leap over."""
    for _ in range(2000):
        house.run()
        if state_of(house, run_id) not in (RunState.RUNNING, RunState.PAUSED):
            return
    raise AssertionError(f"run {run_id} is still {state_of(house, run_id)}")
