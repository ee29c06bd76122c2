"""A whole fleet as a test works with it: orders in, time passed over, everything checked."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import psutil
import redis

from bench.chaos.checks.contacts import violations_of_contacts
from bench.chaos.provider import Provider
from fleet.embedded.valkey import EmbeddedValkey
from fleet.installation import Installation
from fleet.simulator.ledger import ProviderLedger
from fleet.time_jump import TimeJumper
from runtime.settings import Settings
from schemas.orders.intake import TaskCreated
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.orders.consistency.pauses import Pauses
from storage.orders.consistency.violations import Consistency
from tasks.forms import EntryPoint
from tasks.orders.intake.intake import Submission, accept
from tests.support.fleet.history import faults_of
from tests.support.fleet.processes import FleetProcesses
from tests.support.fleet.scripted_orders import ScriptedOrder
from tests.support.probe import Probe
from tests.support.waiting import is_alive, wait_until
from workers.app import make_app
from workers.process import Process

_LEASED = "SELECT count(*) FROM steps WHERE queue = %s AND state = 'leased'"


class RunningFleet(FleetProcesses):
    """A fleet, and the verbs of a test."""

    def catch_at_work(self, agent: str) -> psutil.Process:
        """Freeze the pool child of this agent while it holds steps under a lease."""
        caught: list[psutil.Process] = []

        def holds_a_lease() -> bool:
            children = [c for c in self.process(f"worker-{agent}").children() if is_alive(c)]
            for child in children:
                child.suspend()
            if children and self.value(_LEASED, agent):
                caught[:] = children
                return True
            for child in children:
                child.resume()
            return False

        wait_until(holds_a_lease, f"{agent} is caught at work", pause=0.003, explain=self.log)
        return caught[0]

    @cached_property
    def settings(self) -> Settings:
        """The settings of the fleet's processes."""
        return Installation(self.folder).settings().model_copy(update={"contact_policy": "always_open"})

    @cached_property
    def parts(self) -> Process:
        """This test as one more process of the fleet: engine, wire and context."""
        return Process(self.settings, make_app(self.settings), name="test")

    @property
    def database(self) -> Database:
        """The fleet's PostgreSQL."""
        return self.parts.database

    @property
    def provider(self) -> Provider:
        """The simulated customer's provider."""
        return Provider(self.document["channel"], self.settings.channel_token.get_secret_value())

    @cached_property
    def broker(self) -> "redis.Redis":
        """The fleet's Valkey, for who may do everything."""
        port = urlsplit(self.document["broker_url"]).port
        assert port is not None
        return redis.Redis.from_url(EmbeddedValkey(self.folder).operator_url(port), decode_responses=True)

    def accept(self, orders: Iterable[ScriptedOrder]) -> None:
        """Take orders in through the command's entry point."""
        given = [Submission(TaskCreated.model_validate(order.payload)) for order in orders]
        accept(self.parts.engine, self.parts.context, given, EntryPoint.COMMAND)

    def send(self, *payloads: str) -> None:
        """Put messages into the stream, as upstream does."""
        for payload in payloads:
            self.broker.xadd("task.created", {"payload": payload})

    def values(self, statement: str, *parameters: object) -> list[Any]:
        """The values that a query of one column answers."""
        return list(Probe(self.database).values(statement, *parameters))

    def value(self, statement: str, *parameters: object) -> Any:
        """The one value that a query answers."""
        (found,) = self.values(statement, *parameters)
        return found

    def let_pass(self, time: timedelta) -> None:
        """Let so much time have passed for every call that waits for its result, on the database's clock."""
        with self.database.transaction() as work:
            for statement in (
                "UPDATE contact_logs SET created_at = created_at - %s WHERE status = 'sent'",
                "UPDATE steps SET due_at = due_at - %s WHERE state = 'parked' AND due_clock = 'database'",
            ):
                work.connection.exec_driver_sql(statement, (time,))

    def carry_to_the_end(self, orders: Sequence[ScriptedOrder], *, seconds: float = 600) -> None:
        """Leap over idle time until these orders are closed, and check everything there is to check.

        A PostgreSQL that is away is waited for.
        """
        ids = [order.task_id for order in orders]
        jumper = TimeJumper(self.database)

        def ended() -> bool:
            try:
                if self._closed(ids) == len(ids):
                    return True
                assert not self._in_review(ids), f"a person is asked. {self.standing(ids)}"
                with self.database.transaction() as work:
                    # Five minutes long an order leaves alone a channel that was away.
                    Pauses(work).end_long()
                jumper.look()
            except StorageUnavailable:
                return False
            return False

        wait_until(ended, "all orders are closed", seconds=seconds, explain=lambda: self.standing(ids))
        self.check(orders)

    def check(self, orders: Sequence[ScriptedOrder]) -> None:
        """Every order ended as its script says, and no customer was reached twice."""
        ledger = ProviderLedger(self.folder / "simulator.db")
        counts = ledger.keys()
        ledger.close()
        with self.database.transaction() as work:
            assert faults_of(work, orders) == []
            assert list(violations_of_contacts(Consistency(work).contact_keys(), counts)) == []

    def standing(self, ids: Sequence[str]) -> str:
        """The open steps of these orders, for the message of a test that waits in vain."""
        rows = Probe(self.database).rows(
            "SELECT subject_id, step_id, node, state, delivery, tries, crashes, due_clock, due_at, error "
            "FROM steps WHERE subject_id = ANY(%s) AND state NOT IN ('done', 'cancelled') ORDER BY step_id",
            list(ids),
        )
        return "\n".join(str(tuple(row)) for row in rows) or "no step of them is open"

    def _closed(self, ids: Sequence[str]) -> int:
        return int(
            self.value("SELECT count(*) FROM tasks WHERE task_id = ANY(%s) AND status = 'closed'", list(ids))
        )

    def _in_review(self, ids: Sequence[str]) -> int:
        return int(
            self.value("SELECT count(*) FROM reviews WHERE task_id = ANY(%s) AND state = 'open'", list(ids))
        )

    def leave(self) -> None:
        """Close what this test has open to the fleet: its connections end with the fleet's life."""
        if "parts" in self.__dict__:
            self.parts.engine.close()
            self.parts.database.close()
            self.parts.app.close()
        if "broker" in self.__dict__:
            self.broker.close()
        for name in ("settings", "parts", "broker"):
            self.__dict__.pop(name, None)
