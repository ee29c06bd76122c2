"""A state machine of Hypothesis drives orders with scripted customers through faults, with real commits.

The suite runs a few fixed examples. By hand, as many random ones as are asked for:
`UNPEND_FAULT_EXAMPLES=2000 .venv/bin/pytest -n 0 -q tests/integration/faults/test_order_machine.py`.
"""

from itertools import count
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from schemas.orders.signals import CustomerCalled
from statemachine.orders.intents import Level2
from statemachine.orders.machine import IllegalTransition
from statemachine.workflow.planner import UnknownDecision
from storage.people.reviews import Reviews
from tasks.orders.people.deciding import Decision, decide
from tasks.orders.people.intervention import retry
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered, silent, submission
from tests.support.faults.fleet import FaultyFleet
from tests.support.faults.injector import Point
from tests.support.faults.machine import LONG, NTH, PROCESSES, FaultyMachine, Plan, perhaps, plans
from tests.support.faults.machine import settings_of as settings
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders import laws
from tests.support.orders.ledger_channel import LedgerChannel
from tests.support.orders.scripted_channel import tell
from tests.support.orders.signals import receive_signal
from tests.support.servers import Servers

DELAYED: dict[str, Any] = {"delay_seconds": 5}
SCRIPTS = (
    [answered(READY)],
    [answered(READY, **DELAYED)],
    [silent(), answered(READY)],
    [silent(**DELAYED), answered(READY, **DELAYED)],
    [answered(PARTS_MISSING, **DELAYED), answered(READY)],
    [answered(CANCEL, **DELAYED)],
    [answered("喂？听不清，你说什么")],
    [silent()],
)


class OrdersUnderFaults(FaultyMachine):
    """Orders, callbacks, customers who turn to us, and people who decide, retry, pause and cancel."""

    channel: LedgerChannel

    def __init__(self) -> None:
        super().__init__()
        self.signals = count(1)

    def tell(self, process: InProcessFleet, subject: str) -> None:
        """A call of this order ends and is reported; where none is under way, the last report comes again."""
        under_way = [key for key in self.channel.open if key.startswith(f"{subject}.")]
        over = [key for key in self.channel.ended if key.startswith(f"{subject}.")]
        for key in (under_way or over)[-1:]:
            tell(process, self.channel.end(key))

    @initialize(scripts=st.lists(st.integers(0, len(SCRIPTS) - 1), min_size=1, max_size=3))
    def take_in_in_peace(self, scripts: list[int]) -> None:
        """Some orders are there from the beginning."""
        for script in scripts:
            self.take_in(0, script, 1, [])

    @rule(
        by=PROCESSES,
        script=st.integers(0, len(SCRIPTS) - 1),
        priority=st.integers(1, 10),
        drawn=perhaps(Point.ACCEPT, Point.PUBLISH),
    )
    def take_in(self, by: int, script: int, priority: int, drawn: list[Plan]) -> None:
        """A new order comes; without an answer it is sent again."""
        order = submission(*SCRIPTS[script], priority=priority)
        if not self.under(drawn, by, "", lambda process: process.accept(order, order)):
            self.fleet.sound.accept(order)
        task_id = order.body.task_id
        self.runs[task_id] = self.fleet.sound.order(task_id).run_id

    @precondition(lambda self: any("contact." in m.action for m in self.fleet.wire.messages))
    @rule(by=PROCESSES, drawn=plans(Point.INTENT, Point.SEND, Point.SEND, Point.QUERY))
    def call_under_faults(self, by: int, drawn: list[Plan]) -> None:
        """A customer is to be contacted, and the process is struck while it does so."""
        nth = next(n for n, message in enumerate(self.fleet.wire.messages) if "contact." in message.action)
        message = self._take(nth, comes_again=False)
        self.under(drawn, by, self.at_hand, lambda process: process.execute(message))

    @precondition(lambda self: self.runs)
    @rule(
        by=PROCESSES,
        nth=NTH,
        words=st.sampled_from([READY, PARTS_MISSING, CANCEL]),
        drawn=perhaps(Point.OTHER, Point.PUBLISH),
    )
    def customer_turns_to_us(self, by: int, nth: int, words: str, drawn: list[Plan]) -> None:
        """A customer calls; who is told so and gives no answer is told again."""
        task_id, signal = self.subject(nth), f"sig-{next(self.signals)}"

        def receive(process: InProcessFleet) -> None:
            receive_signal(process, task_id, CustomerCalled(words=words), signal_id=signal)

        if not self.under(drawn, by, task_id, receive):
            self.under([], by, task_id, receive)

    @rule(
        by=PROCESSES,
        decision=st.sampled_from(["classify", "recontact", "close", "retry"]),
        level2=st.sampled_from([Level2.READY_TO_VISIT, Level2.PARTS_PENDING, Level2.NO_LONGER_NEEDED]),
        drawn=perhaps(Point.OTHER, Point.PUBLISH),
    )
    def person_decides(self, by: int, decision: str, level2: Level2, drawn: list[Plan]) -> None:
        """A person answers the longest waiting question, allowed or not."""
        with self.fleet.sound.database.transaction() as work:
            reviews = Reviews(work).list()
        if not reviews:
            return
        review = reviews[0]
        made = Decision(
            decision=decision,
            decided_by="operator",
            intent_level2=level2 if decision == "classify" else None,
        )

        def answer(process: InProcessFleet) -> None:
            try:
                decide(process.engine, process.context, review.review_id, made)
            except (IllegalTransition, UnknownDecision):
                return

        self.under(drawn, by, review.task_id or "", answer)

    @precondition(lambda self: self.runs)
    @rule(by=PROCESSES, nth=NTH, drawn=perhaps(Point.OTHER, Point.PUBLISH))
    def retry(self, by: int, nth: int, drawn: list[Plan]) -> None:
        """A person lets an order go on whose step has failed."""
        task_id = self.subject(nth)
        self.under(drawn, by, task_id, lambda p: retry(p.engine, p.context, task_id, by="operator"))

    @invariant()
    def the_laws_hold(self) -> None:
        """Of every order, at every moment."""
        sound = self.fleet.sound
        self.check_the_engine()
        laws.history_is_a_legal_path(sound, self.runs)
        laws.closed_is_final_and_leaves_nothing_open(sound, self.runs)
        laws.no_attempt_is_made_twice(sound, self.runs)
        laws.what_reached_a_customer_did_so_once_and_is_known(sound, self.channel)
        laws.nothing_is_told_twice_or_out_of_order(sound)

    def calls_end(self) -> None:
        """Every call that is under way ends, and is reported."""
        for key in list(self.channel.open):
            tell(self.fleet.sound, self.channel.end(key))

    def teardown(self) -> None:
        """Left alone, every order ends or waits for a person, and nothing that a customer said is lost."""
        sound = self.fleet.sound
        with sound.engine.transaction() as transaction:
            transaction.resume(list(self.runs.values()))
        self.fleet.to_the_end(self.calls_end)
        self.the_laws_hold()
        for key in self.channel.ended:
            tell(sound, self.channel.end(key))
        laws.no_answer_is_lost(sound, self.channel)
        laws.everybody_has_ended_or_waits_for_a_person(sound, self.runs)


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_whatever_faults_strike_every_order_ends_and_nobody_is_contacted_twice(servers: Servers) -> None:
    class OverAFreshDatabase(OrdersUnderFaults):
        def __init__(self) -> None:
            super().__init__()
            self.url = servers.new_database()
            self.channel = LedgerChannel()
            self.fleet = FaultyFleet(self.url, self.channel, {"limits": LONG})

        def teardown(self) -> None:
            try:
                super().teardown()
            finally:
                self.fleet.close()
                servers.drop(self.url)

    run_state_machine_as_test(OverAFreshDatabase, settings=settings(examples=12, steps=25))
