"""One state machine of Hypothesis drives the pure rules and PostgreSQL alike, over everything that goes wrong."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from runtime.ids import Prefix, new_id
from statemachine.orders.intents import Level2
from statemachine.orders.machine import IllegalTransition
from statemachine.orders.states import State
from statemachine.workflow.planner import UnknownDecision
from statemachine.workflow.states import RunState
from storage.orders.orders import Orders
from storage.people.reviews import Reviews
from tasks.orders.people.deciding import Decision, decide
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered, silent, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders import laws
from tests.support.probe import Probe
from tests.support.servers import Servers

SCRIPTS = (
    [answered(READY)],
    [silent(), answered(READY)],
    [silent("busy"), silent("power_off"), answered(PARTS_MISSING), answered(READY)],
    [answered(PARTS_MISSING), answered(READY)],
    [answered(CANCEL)],
    [answered("喂？听不清，你说什么")],
    [silent()],
)


class OrdersUnderFire(RuleBasedStateMachine):
    """Orders under duplicate, late, reordered and lost deliveries, dying workers, people, and leaping time."""

    house: InProcessFleet

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.states: dict[str, State] = {}
        self.versions: dict[str, int] = {}

    @rule(script=st.sampled_from(range(len(SCRIPTS))), priority=st.integers(1, 10))
    def take_in(self, script: int, priority: int) -> None:
        """A new order comes, sent twice."""
        order = submission(*SCRIPTS[script], priority=priority)
        self.house.accept(order, order)
        self.ids.append(order.body.task_id)

    @precondition(lambda self: self.house.wire.messages)
    @rule(data=st.data(), times=st.integers(1, 3))
    def deliver(self, data: st.DataObject, times: int) -> None:
        """Any message arrives, in any order, up to three times."""
        nth = data.draw(st.integers(0, len(self.house.wire.messages) - 1))
        self.house.wire.messages.rotate(-nth)
        message = self.house.wire.messages.popleft()
        for _ in range(times):
            self.house.execute(message)

    @precondition(lambda self: self.house.wire.messages)
    @rule()
    def deliver_to_a_worker_that_dies(self) -> None:
        """A worker takes rows and is never heard of again."""
        message = self.house.wire.messages.popleft()
        engine = self.house.engine
        batch = engine.claim(engine.registry.get(message.action), message.keys, new_id(Prefix.LEASE))
        if batch is not None:
            engine._keeper.let_go(batch.lease_id)
            self.expire_leases()

    @precondition(lambda self: self.house.wire.messages)
    @rule()
    def lose_every_message(self) -> None:
        """The broker is flushed."""
        self.house.wire.lose_everything()
        Probe(self.house.database).write(
            "UPDATE steps SET published_at = published_at - interval '1 hour' WHERE state = 'published'"
        )

    @rule()
    def sweep(self) -> None:
        """The tick looks."""
        self.house.tick.sweep()

    @rule()
    def leap(self) -> None:
        """Time passes to the next thing due."""
        self.house.leap()

    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Upstream cancels an order, open or not."""
        run_id = self.house.order(data.draw(st.sampled_from(self.ids))).run_id
        with self.house.engine.transaction() as transaction:
            transaction.end([run_id], RunState.CANCELLED, agent_id="operator", reason="upstream")

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), pause=st.booleans())
    def pause_or_resume(self, data: st.DataObject, pause: bool) -> None:
        """An operator holds an order or lets it go."""
        run_id = self.house.order(data.draw(st.sampled_from(self.ids))).run_id
        with self.house.engine.transaction() as transaction:
            (transaction.pause if pause else transaction.resume)([run_id])

    @rule(
        decision=st.sampled_from(["classify", "recontact", "close", "retry"]),
        level2=st.sampled_from([Level2.READY_TO_VISIT, Level2.PARTS_PENDING, Level2.NO_LONGER_NEEDED]),
    )
    def person_decides(self, decision: str, level2: Level2) -> None:
        """A person answers the longest waiting question, allowed or not."""
        with self.house.database.transaction() as work:
            reviews = Reviews(work).list()
        if reviews:
            made = Decision(
                decision=decision,
                decided_by="operator",
                reason="looked at it",
                intent_level2=level2 if decision == "classify" else None,
            )
            try:
                decide(self.house.engine, self.house.context, reviews[0].review_id, made)
            except (IllegalTransition, UnknownDecision):
                return

    @invariant()
    def the_laws_hold(self) -> None:
        """Of every order, at every moment."""
        laws.history_is_a_legal_path(self.house, self.ids)
        laws.closed_is_final_and_leaves_nothing_open(self.house, self.ids)
        laws.no_attempt_is_made_twice(self.house, self.ids)

    def teardown(self) -> None:
        """Left alone, every order ends or waits for a person or an operator."""
        for task_id in self.ids:
            with self.house.engine.transaction() as transaction:
                transaction.resume([Orders(transaction.work).find([task_id])[task_id].run_id])
        self.house.run_to_the_end()
        laws.everybody_has_ended_or_waits_for_a_person(self.house, self.ids)

    def expire_leases(self) -> None:
        """Let the time of every lease run out."""
        Probe(self.house.database).write("UPDATE leases SET expires_at = expires_at - interval '1 hour'")


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_whatever_goes_wrong_every_order_ends_where_it_should(servers: Servers) -> None:
    class FreshFleet(OrdersUnderFire):
        def __init__(self) -> None:
            super().__init__()
            self.url = servers.new_database()
            self.house = InProcessFleet.build(self.url)

        def teardown(self) -> None:
            try:
                super().teardown()
            finally:
                self.house.close()
                servers.drop(self.url)

    run_state_machine_as_test(
        FreshFleet,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
