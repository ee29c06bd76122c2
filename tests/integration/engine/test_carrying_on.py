"""What follows of the same action is claimed as the step before is recorded, and goes on in the same worker."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from engine.actions import Action, Batch
from engine.limits import Limits
from engine.outcomes import Done, Outcome
from statemachine.workflow.states import RunState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.steps import StepRow
from tests.support.engine.general_runs import ScriptedActions, begin, nodes_of, state_of
from tests.support.in_process_fleet import InProcessFleet

STEPS = [
    {"id": "one", "agent": "audit", "action": "check", "next": "two"},
    {"id": "two", "agent": "audit", "action": "check", "next": "three"},
    {"id": "three", "agent": "contact", "action": "check"},
]
SHORT = Limits(lease_seconds=0.6, republish_seconds=0.2, most_crashes=1)


def built(database_url: str, actions: list[Action], limits: Limits = SHORT) -> InProcessFleet:
    chain = {"workflow": "chain", "version": "1", "steps": STEPS}
    return InProcessFleet.build(database_url, actions=actions, workflows=[chain], limits=limits)


@pytest.fixture
def bench() -> ScriptedActions:
    return ScriptedActions()


@pytest.fixture
def house(database_url: str, bench: ScriptedActions) -> Iterator[InProcessFleet]:
    house = built(database_url, bench.actions())
    yield house
    house.close()


def deliver_one(house: InProcessFleet) -> None:
    house.execute(house.wire.messages.popleft())


def test_steps_of_one_action_need_one_message_and_what_another_queue_does_is_sent(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    ids = begin(house, "chain", runs=3)
    deliver_one(house)
    assert bench.worked == ["one"] * 3 + ["two"] * 3
    assert bench.batches == [3, 3]
    (message,) = house.wire.messages
    assert (message.queue, len(message.keys)) == ("contact", 3)
    house.run()
    assert {state_of(house, run_id) for run_id in ids} == {RunState.COMPLETED}


def test_a_worker_hands_back_when_its_time_for_going_on_is_over(
    database_url: str, bench: ScriptedActions
) -> None:
    house = built(database_url, bench.actions(), Limits(carry_on_seconds=0))
    begin(house, "chain")
    deliver_one(house)
    assert bench.worked == ["one"]
    assert [message.queue for message in house.wire.messages] == ["audit"]
    house.run()
    assert bench.worked == ["one", "two", "three"]
    house.close()


def test_a_worker_that_dies_before_it_goes_on_leaves_that_to_another(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    (run_id,) = begin(house, "chain")
    message = house.wire.messages.popleft()
    action = house.engine.registry.get(message.action)
    batch = house.engine.claim(action, message.keys, "LEASE1")
    assert batch is not None
    recorded = house.engine.record(batch, house.engine.work(action, batch), onward=action)
    assert recorded.following is not None
    assert nodes_of(house, run_id) == {"one": ["done"], "two": ["leased"]}
    for lease_id in ("LEASE1", recorded.following.lease_id):
        house.engine._keeper.let_go(lease_id)
    while not house.wire.messages:
        house.tick.sweep()
    house.run()
    assert bench.worked == ["one", "two", "three"]
    assert state_of(house, run_id) is RunState.COMPLETED


def test_a_crash_in_what_follows_hurts_the_row_that_caused_it_and_no_other(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    ids = begin(house, "chain", runs=10)

    def crash(step: StepRow) -> Outcome:
        if step.run_id == ids[3]:
            raise ZeroDivisionError("a bug in the work")
        return Done()

    bench.answers["two"] = crash
    while any(state_of(house, run_id) is RunState.RUNNING for run_id in ids):
        house.run()
    states = {run_id: state_of(house, run_id) for run_id in ids}
    assert states.pop(ids[3]) is RunState.FAILED
    assert set(states.values()) == {RunState.COMPLETED}
    assert bench.worked.count("one") == 10


def test_what_was_done_is_recorded_though_what_follows_cannot_even_be_loaded(database_url: str) -> None:
    worked: list[str] = []

    def work(batch: Batch) -> Mapping[int, Outcome]:
        worked.extend(step.node for step in batch.steps)
        return {step.step_id: Done() for step in batch.steps}

    def load(_: UnitOfWork, steps: Any) -> Mapping[int, Any]:
        if any(step.node == "two" for step in steps):
            raise ZeroDivisionError("a bug in the loading")
        return {}

    actions = [Action(name="audit.check", work=work, load=load), Action(name="contact.check", work=work)]
    house = built(database_url, actions)
    (run_id,) = begin(house, "chain")
    while state_of(house, run_id) is RunState.RUNNING:
        house.run()
    assert worked == ["one"]
    assert nodes_of(house, run_id) == {"one": ["done"], "two": ["failed"]}
    house.close()
