"""The pure rules and PostgreSQL's rows, driven alike: the same events, late, repeated and out of order, agree."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from runtime.cipher import Cipher
from runtime.ids import Prefix, new_id
from schemas.orders.effects import Move
from statemachine.orders.guards import Facts
from statemachine.orders.machine import IllegalTransition, transition
from statemachine.orders.states import Event, State
from storage.core.database import Database
from storage.orders.order import NewOrder
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders
from tests.support.in_process_fleet import CIPHER_KEY
from tests.support.servers import Servers

PAST = datetime(2026, 3, 1, tzinfo=UTC)
FAR = PAST + timedelta(days=36_500)


@dataclass(slots=True)
class Model:
    """An order by the rules alone: nothing but the table, its guards and the counts they need."""

    state: State = State.PENDING
    version: int = 0
    round: int = 0
    contact_count: int = 0
    confidence: float | None = None
    next_contact_time: datetime | None = None

    def take(self, move: Move) -> bool:
        """Apply an event; whether the rules allow it."""
        confidence = move.changes.get("confidence", self.confidence)
        next_contact_time = move.changes.get("next_contact_time", self.next_contact_time)
        assert confidence is None or isinstance(confidence, float)
        assert next_contact_time is None or isinstance(next_contact_time, datetime)
        facts = Facts(
            contact_count=self.contact_count,
            max_contacts=4,
            confidence=confidence,
            decided_by_person=move.decided_by_person,
            permitted=move.permitted,
            next_contact_time=next_contact_time,
            now=datetime.now(UTC),
            review_open=move.decided_by_person,
            reason=move.reason,
        )
        try:
            row = transition(self.state, move.event, facts)
        except IllegalTransition:
            return False
        self.state, self.version = row.target, self.version + 1
        self.confidence, self.next_contact_time = confidence, next_contact_time
        if row.target is State.CONTACTING:
            self.round += move.event in (Event.START, Event.FOLLOWUP_TIME_REACHED)
            opens_round = move.event is Event.FOLLOWUP_TIME_REACHED
            self.contact_count = 1 if opens_round else self.contact_count + 1
            self.next_contact_time = None
        return True


class RulesAndRows(RuleBasedStateMachine):
    """Two orders that are told the same."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.task_id = new_id(Prefix.RUN)
        order = NewOrder(
            task_id=self.task_id,
            order_id=self.task_id,
            order_type="未上门",
            contact_count=0,
            last_contact_time=None,
            max_contacts=4,
            priority=5,
            mode="auto",
            metadata={},
            phone=None,
            digest=b"-",
            source="test",
            run_id=self.task_id,
        )
        with self.database.transaction() as work:
            assert Orders(work).insert([order, order]) == {self.task_id}

    @rule(
        event=st.sampled_from(Event),
        by_person=st.booleans(),
        permitted=st.sampled_from([True, True, False]),
        confidence=st.sampled_from([None, 0.6, 0.6001, 0.95]),
        due=st.sampled_from([None, PAST, FAR]),
        reason=st.sampled_from([None, "", "a reason"]),
        deliveries=st.integers(1, 3),
    )
    def tell(
        self,
        event: Event,
        by_person: bool,
        permitted: bool,
        confidence: float | None,
        due: datetime | None,
        reason: str | None,
        deliveries: int,
    ) -> None:
        """An event comes, perhaps several times, allowed or not."""
        changes: dict[str, object] = {}
        if confidence is not None:
            changes["confidence"] = confidence
        if due is not None:
            changes["next_contact_time"] = due
        if event in (Event.CANCEL, Event.TIMEOUT, Event.REVIEW_CLOSE, Event.CONTACT_MAX_REACHED):
            changes["finish_reason"] = "told"
        move = Move(
            task_id=self.task_id,
            event=event,
            agent_id="test",
            decided_by_person=by_person,
            permitted=permitted,
            reason=reason,
            changes=changes,
        )
        for _ in range(deliveries):
            allowed = self.model.take(move)
            with self.database.transaction() as work:
                assert (Orders(work).move([move]) == {}) == allowed

    @invariant()
    def they_agree(self) -> None:
        """State, version and counts are the same, and the history has one row a version."""
        with self.database.transaction() as work:
            order = Orders(work).find([self.task_id])[self.task_id]
            history = OrderView(work).transitions(self.task_id)
        model = self.model
        assert (order.status, order.version, order.round, order.contact_count) == (
            model.state,
            model.version,
            model.round,
            model.contact_count,
        )
        assert order.confidence == model.confidence
        assert order.next_contact_time == model.next_contact_time
        assert [row["version"] for row in history] == list(range(1, model.version + 1))


def test_the_rules_and_the_rows_agree_on_every_event(servers: Servers) -> None:
    with Database(servers.new_database(), Cipher(CIPHER_KEY)) as database:

        class OverThisDatabase(RulesAndRows):
            def __init__(self) -> None:
                self.database = database
                super().__init__()

        run_state_machine_as_test(
            OverThisDatabase,
            settings=settings(
                max_examples=60,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
