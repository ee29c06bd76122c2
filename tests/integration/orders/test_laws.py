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
from statemachine.orders.machine import TRANSITIONS, IllegalTransition
from statemachine.orders.states import Event, State
from statemachine.workflow.planner import UnknownDecision
from statemachine.workflow.states import RunState
from storage.orders.contacts.contacts import Contacts
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders
from storage.people.reviews import Reviews
from tasks.orders.people.deciding import Decision, decide
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered, silent, submission
from tests.support.in_process_fleet import InProcessFleet
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
    def history_is_a_legal_path(self) -> None:
        """Transitions chain from `pending` to the order's state by rows of the table, and never fork."""
        for task_id in self.ids:
            state, version = State.PENDING, 0
            with self.house.database.transaction() as work:
                history = OrderView(work).transitions(task_id)
                order = Orders(work).find([task_id])[task_id]
            for row in history:
                move = TRANSITIONS[State(row["from_state"]), Event(row["event"])]
                assert (row["from_state"], row["to_state"]) == (state, move.target)
                assert row["version"] == version + 1
                state, version = move.target, row["version"]
            assert (order.status, order.version) == (state, version)

    @invariant()
    def closed_is_final_and_leaves_nothing_open(self) -> None:
        """A closed order has a reason, no open step and no open question; an open one is waited for by something."""
        for task_id in self.ids:
            order = self.house.order(task_id)
            steps = self.house.steps(task_id)
            open_steps = [s for s in steps if s["state"] not in ("done", "failed", "cancelled")]
            if order.status is State.CLOSED:
                assert order.finish_reason
                assert order.finished_at
                # The last step of a run that closed its order is recorded in the same transaction.
                assert not open_steps
            else:
                assert len(open_steps) == 1

    @invariant()
    def no_attempt_is_made_twice(self) -> None:
        """At most one contact for each (task, round, contact number), and never more than the counts say."""
        for task_id in self.ids:
            with self.house.database.transaction() as work:
                contacts = Contacts(work).of_task(task_id)
            assert len({(c.round, c.contact_no) for c in contacts}) == len(contacts)
            assert len(contacts) <= self.house.order(task_id).contacts_total

    def teardown(self) -> None:
        """Left alone, every order ends or waits for a person or an operator."""
        for task_id in self.ids:
            with self.house.engine.transaction() as transaction:
                transaction.resume([Orders(transaction.work).find([task_id])[task_id].run_id])
        self.house.run_to_the_end()
        for task_id in self.ids:
            order = self.house.order(task_id)
            with self.house.database.transaction() as work:
                waits_for_person = bool(Reviews(work).list(task_id=task_id))
            assert order.status is State.CLOSED or waits_for_person, self.house.steps(task_id)

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
