"""Messages that are lost, repeated, late or reordered; workers that die or come back as zombies."""

import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from engine.actions import Batch
from engine.outcomes import Done, Outcome
from engine.publisher import Message
from runtime.ids import Prefix, new_id
from statemachine.workflow.states import RunState
from storage.engine.steps import StepRow
from tests.integration.engine.conftest import SHORT
from tests.support.engine.general_runs import ScriptedActions, begin, nodes_of, state_of
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe


def sweep_until_published(house: InProcessFleet) -> None:
    """Sweep until the tick has put something on the wire."""
    while not house.wire.messages:
        house.tick.sweep()


def test_a_message_delivered_five_times_is_worked_once(house: InProcessFleet, bench: ScriptedActions) -> None:
    (run_id,) = begin(house, "parallel_branches")
    house.run(deliveries=5)
    assert bench.worked == ["first", "second"]
    assert state_of(house, run_id) == RunState.COMPLETED


def test_concurrent_deliveries_of_the_same_rows_share_them_out(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    begin(house, "parallel_branches", runs=60)
    messages = list(house.wire.messages) * 8
    house.wire.lose_everything()
    random.Random(7).shuffle(messages)
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(house.execute, messages))
    assert bench.worked.count("first") == 60


def test_a_lost_message_is_published_again(house: InProcessFleet, bench: ScriptedActions) -> None:
    (run_id,) = begin(house, "parallel_branches")
    assert house.wire.lose_everything() == 1
    sweep_until_published(house)
    house.run()
    assert bench.worked == ["first", "second"]
    assert state_of(house, run_id) == RunState.COMPLETED


def test_rows_wait_in_postgresql_while_the_wire_is_cut(house: InProcessFleet, bench: ScriptedActions) -> None:
    house.wire.cut = True
    (run_id,) = begin(house, "parallel_branches")
    house.tick.sweep()
    house.wire.cut = False
    sweep_until_published(house)
    house.run()
    assert state_of(house, run_id) == RunState.COMPLETED


def test_a_message_names_what_its_rows_are_about_whoever_publishes_it(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    run_ids = tuple(begin(house, "parallel_branches", runs=2))
    by_whom = {"the transaction": house.wire.messages[0].subjects}
    house.wire.lose_everything()
    sweep_until_published(house)
    by_whom["the tick, again"] = house.wire.messages[0].subjects
    house.wire.lose_everything()
    Probe(house.database).write("UPDATE steps SET state = 'ready', urgency = created_at")
    house.tick.sweep()
    by_whom["the tick"] = house.wire.messages[0].subjects
    assert by_whom == dict.fromkeys(by_whom, run_ids)


def test_a_row_whose_worker_died_goes_to_another(house: InProcessFleet, bench: ScriptedActions) -> None:
    (run_id,) = begin(house, "parallel_branches")
    claim_and_die(house)
    sweep_until_published(house)
    house.run()
    assert bench.worked == ["first", "second"]
    assert state_of(house, run_id) == RunState.COMPLETED


def test_a_zombies_result_changes_nothing(house: InProcessFleet, bench: ScriptedActions) -> None:
    (run_id,) = begin(house, "parallel_branches")
    zombie = claim_and_die(house)
    sweep_until_published(house)
    house.run()
    house.engine.record(zombie, {step.step_id: Done(output={"by": "zombie"}) for step in zombie.steps})
    house.run()
    assert bench.worked == ["first", "second"]
    assert nodes_of(house, run_id) == {"first": ["done"], "second": ["done"]}


def test_recording_twice_under_one_lease_writes_once(house: InProcessFleet) -> None:
    (run_id,) = begin(house, "parallel_branches")
    batch = claim_and_die(house)
    outcomes: Mapping[int, Outcome] = {step.step_id: Done() for step in batch.steps}
    house.engine.record(batch, outcomes)
    house.engine.record(batch, outcomes)
    assert nodes_of(house, run_id)["second"] == ["published"]


def test_claiming_twice_under_one_lease_gives_the_same_rows(house: InProcessFleet) -> None:
    """A commit whose answer was lost is recognised by its token."""
    begin(house, "parallel_branches")
    (message,) = house.wire.messages
    action = house.engine.registry.get(message.action)
    lease_id = new_id(Prefix.LEASE)
    first = house.engine.claim(action, message.keys, lease_id)
    again = house.engine.claim(action, message.keys, lease_id)
    assert first is not None
    assert again is not None
    assert [step.step_id for step in again.steps] == [step.step_id for step in first.steps]


def test_a_crash_hurts_only_the_row_that_caused_it(house: InProcessFleet, bench: ScriptedActions) -> None:
    ids = begin(house, "parallel_branches", runs=20)
    poison = ids[7]

    def crash(step: StepRow) -> Outcome:
        if step.run_id == poison:
            raise ZeroDivisionError("a bug in the work")
        return Done()

    bench.answers["first"] = crash
    drain_with_crashes(house, ids)
    states = {run_id: state_of(house, run_id) for run_id in ids}
    assert states.pop(poison) is RunState.FAILED
    assert set(states.values()) == {RunState.COMPLETED}


def test_a_row_on_its_second_delivery_travels_alone(house: InProcessFleet, bench: ScriptedActions) -> None:
    begin(house, "parallel_branches", runs=10)
    claim_and_die(house)
    while len(house.wire.messages) < 10:
        house.tick.sweep()
    assert {len(message.keys) for message in house.wire.messages} == {1}


def test_nothing_is_published_into_a_queue_that_does_not_drain(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    begin(house, "parallel_branches", runs=1000)
    for _ in range(5):
        house.tick.sweep()
    rows = sum(len(message.keys) for message in house.wire.messages)
    assert rows <= SHORT.low_water * SHORT.largest_batch
    house.run()
    assert bench.worked.count("second") == 1000


def test_the_most_urgent_rows_go_first_under_backlog(house: InProcessFleet, bench: ScriptedActions) -> None:
    house.wire.cut = True
    low = begin(house, "parallel_branches", runs=250, priority=1)
    high = begin(house, "parallel_branches", runs=50, priority=10)
    house.wire.cut = False
    order = remember_order(bench)
    house.run()
    assert set(order[:50]) == set(high)
    assert set(order[50:]) == set(low)


def test_a_row_that_has_waited_long_goes_before_a_new_urgent_one(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    house.wire.cut = True
    (old,) = begin(house, "parallel_branches", priority=1)
    Probe(house.database).write("UPDATE steps SET urgency = urgency - interval '20 minutes'")
    begin(house, "parallel_branches", runs=150, priority=10)
    house.wire.cut = False
    order = remember_order(bench)
    house.run()
    assert order[0] == old


def remember_order(bench: ScriptedActions) -> list[str]:
    """The run ids in the order in which `first` is worked."""
    order: list[str] = []

    def remember(step: StepRow) -> Outcome:
        order.append(step.run_id)
        return Done()

    bench.answers["first"] = remember
    return order


def claim_and_die(house: InProcessFleet) -> Batch:
    """Claim what the first message names, and never be heard of again."""
    message: Message = house.wire.messages.popleft()
    batch = house.engine.claim(house.engine.registry.get(message.action), message.keys, new_id(Prefix.LEASE))
    assert batch is not None
    house.engine._keeper.let_go(batch.lease_id)
    return batch


def drain_with_crashes(house: InProcessFleet, ids: list[str]) -> None:
    """Deliver and sweep until every run has ended."""
    while any(state_of(house, run_id) == RunState.RUNNING for run_id in ids):
        while house.wire.messages:
            house.execute(house.wire.messages.popleft())
        house.tick.sweep()
