"""The engine and the five agents' work over a real database, with the wire in memory: one process, no Celery."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

from pydantic import SecretStr

from engine.actions import Action
from engine.engine import Engine
from engine.limits import Limits
from engine.publisher import Message
from engine.registry import BoundProduct, Product
from engine.rescue.tick import Tick
from runtime.cipher import Cipher
from runtime.settings import Settings
from schemas.core.agents import Agent
from storage.core.database import Database
from storage.engine.clock import BusinessClock
from storage.engine.definitions import Definitions
from storage.engine.queues import Queues
from storage.orders.order import Order
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders
from tasks.flows.context import FlowsContext
from tasks.forms import EntryPoint, TaskForms
from tasks.orders.intake.intake import OrderReceipt, Submission, accept
from tasks.orders.rules.context import Context, make_context
from tasks.outbound.context import OutboundContext
from tasks.registry import registry, task_forms
from tests.support.agents import AGENTS, QUEUES
from tests.support.in_memory_publisher import InMemoryPublisher
from tools.channels.contract import ChannelGateway

CIPHER_KEY = Cipher.new_key()


def settings_for(database_url: str, broker_url: str = "redis://127.0.0.1:1/0", **changes: Any) -> Settings:
    """Settings of a test's process."""
    if changes:
        return _read_settings(database_url, broker_url, changes)
    named = frozenset((name, value) for name, value in os.environ.items() if name.startswith("UNPEND_"))
    addresses = {"database_url": SecretStr(database_url), "broker_url": SecretStr(broker_url)}
    return _usual_settings(named).model_copy(update=addresses)


@cache
def _usual_settings(_: frozenset[tuple[str, str]]) -> Settings:
    """What most tests ask for, in this environment: to look for each setting in it takes longer than many a test."""
    return _read_settings("postgresql+psycopg://127.0.0.1:1/none", "redis://127.0.0.1:1/0", {})


def _read_settings(database_url: str, broker_url: str, changes: Mapping[str, Any]) -> Settings:
    return Settings.model_validate(
        {
            "database_url": SecretStr(database_url),
            "broker_url": SecretStr(broker_url),
            "cipher_key": SecretStr(CIPHER_KEY),
            "callback_secret": SecretStr("a secret of the tests"),
            "channel": "instant",
            "contact_policy": "always_open",
            # On a busy machine a step takes longer than its tool's limit.
            "least_wait_seconds": 120.0,
            "webhook_allowed_networks": "127.0.0.0/8",
            **changes,
        }
    )


@dataclass(slots=True)
class InProcessFleet:
    """Everything of one process, and the verbs a test needs."""

    settings: Settings
    database: Database
    wire: InMemoryPublisher
    context: Context
    outbound: OutboundContext
    engine: Engine
    tick: Tick

    @classmethod
    def build(
        cls,
        database_url: str,
        *,
        actions: Sequence[Action] = (),
        products: Sequence[BoundProduct] = (),
        queues: Sequence[str] = QUEUES,
        agents: Iterable[Agent] = AGENTS,
        workflows: Sequence[Mapping[str, object]] = (),
        limits: Limits | None = None,
        gateway: ChannelGateway | None = None,
        outbound: OutboundContext | None = None,
        flows: FlowsContext | None = None,
        database: Database | None = None,
        wire: InMemoryPublisher | None = None,
        **changes: Any,
    ) -> "InProcessFleet":
        """Build a process's parts; further actions and workflows, as written, come beside the project's own."""
        settings = settings_for(database_url, **changes)
        database = database or Database(database_url, Cipher(CIPHER_KEY))
        context = make_context(settings, database)
        if gateway is not None:
            context = replace(context, open_gateway=lambda: gateway)
        outbound = outbound or OutboundContext()
        flows = flows or FlowsContext.of_settings(settings, database)
        wire = wire or InMemoryPublisher()
        further = BoundProduct(Product(name="of the test"), tuple(actions))
        if workflows:
            with database.transaction() as work:
                for body in workflows:
                    Definitions(work).register(str(body["workflow"]), str(body["version"]), body)
        engine = Engine(
            database=database,
            publisher=wire,
            registry=registry(context, outbound, flows, further, *products),
            queues=queues,
            agents=agents,
            holder="test",
            limits=limits or Limits(),
        )
        return cls(settings, database, wire, context, outbound, engine, Tick(engine, wire))

    @property
    def retention_database(self) -> Database:
        """One role does everything here."""
        return self.database

    @property
    def forms(self) -> TaskForms:
        """The forms in which tasks come in."""
        return task_forms(lambda: self.context)

    def accept(self, *submissions: Submission) -> list[OrderReceipt]:
        """Take orders in."""
        return accept(self.engine, self.context, submissions, EntryPoint.COMMAND)

    def execute(self, message: Message) -> None:
        """Do what a message asks for."""
        self.engine.execute(message.action, message.keys)

    def run(self, *, deliveries: int = 1) -> None:
        """Deliver and sweep until nothing is left that is due now."""
        while True:
            self.wire.deliver(self.execute, times=deliveries)
            swept = self.tick.sweep()
            if swept is not None and not swept.any and not self.wire.messages:
                return

    def leap(self) -> bool:
        """Let the business clock show the moment of whatever is due next; `False` when nothing is."""
        with self.database.transaction() as work:
            due = Queues(work).horizon().business_due
            if due is None:
                return False
            now = BusinessClock(work).now().business_now
            BusinessClock(work).set(max(now, due + timedelta(milliseconds=1)))
        return True

    def run_to_the_end(self, leaps: int = 200) -> None:
        """Run, leaping over every wait on the business clock, until nothing waits but people."""
        for _ in range(leaps):
            self.run()
            if not self.leap():
                return

    def order(self, task_id: str) -> Order:
        """The order as it stands."""
        with self.database.transaction() as work:
            return Orders(work).find([task_id])[task_id]

    def events(self, task_id: str) -> list[str]:
        """The events of an order's transitions, in order."""
        with self.database.transaction() as work:
            return [row["event"] for row in OrderView(work).transitions(task_id)]

    def steps(self, task_id: str) -> list[Mapping[str, Any]]:
        """The steps of an order's run, in order."""
        run_id = self.order(task_id).run_id
        with self.database.transaction() as work:
            return OrderView(work).steps(run_id)

    def close(self) -> None:
        """Give connections back."""
        self.engine.close()
        self.outbound.close()
        self.context.close()
        self.database.close()
