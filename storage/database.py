"""The connection pool and the unit of work: commits on a clean exit, rolls back otherwise."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Final, Self, TypeVar

import orjson
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from runtime.cipher import Cipher
from storage.agents import Agents
from storage.alerts import Alerts
from storage.audit_logs import AuditLogs
from storage.bulk import dump_json
from storage.callbacks import Callbacks
from storage.calls import Calls
from storage.clock import BusinessClock
from storage.contacts import Contacts
from storage.definitions import Definitions
from storage.deliveries import Deliveries
from storage.effects import Effects
from storage.feed import Feed
from storage.figures import Figures
from storage.idempotency import IdempotencyKeys
from storage.keys import Keys
from storage.leases import Leases
from storage.named_runs import NamedRuns
from storage.orders import Orders
from storage.overview import Overview
from storage.pulses import Pulses
from storage.queues import Queues
from storage.rejects import Rejects
from storage.report import Reports
from storage.reviews import Reviews
from storage.runs import Runs
from storage.signals import Signals
from storage.standing import Standings
from storage.steering import Steering
from storage.steps import Steps
from storage.subscribers import Subscribers
from storage.system_audit import SystemAudit
from storage.task_list import TaskList
from storage.timeline import Timeline
from storage.unavailable import StorageUnavailable, summary
from storage.workers import Workers

Result = TypeVar("Result")

_PAUSE_SECONDS: Final = 0.2
_LIMIT_STATEMENTS = text("SELECT set_config('statement_timeout', :milliseconds, true)")


class UnitOfWork:
    """One transaction and the repositories that speak through it."""

    def __init__(self, connection: Connection, cipher: Cipher) -> None:
        self._connection = connection
        self._cipher = cipher

    @cached_property
    def steps(self) -> Steps:
        """The steps of runs."""
        return Steps(self._connection)

    @cached_property
    def calls(self) -> Calls:
        """What agents call for over the API."""
        return Calls(self._connection)

    @cached_property
    def steering(self) -> Steering:
        """What callers and signals change of waiting steps."""
        return Steering(self._connection)

    @cached_property
    def queues(self) -> Queues:
        """The steps as a queue sees them: what waits, what is due, what was lost."""
        return Queues(self._connection)

    @cached_property
    def leases(self) -> Leases:
        """Who works on what, until when."""
        return Leases(self._connection)

    @cached_property
    def runs(self) -> Runs:
        """Executions of workflows."""
        return Runs(self._connection)

    @cached_property
    def definitions(self) -> Definitions:
        """Workflow definitions by name and version."""
        return Definitions(self._connection)

    @cached_property
    def orders(self) -> Orders:
        """Suspended orders."""
        return Orders(self._connection, self._cipher)

    @cached_property
    def contacts(self) -> Contacts:
        """Attempts to reach customers."""
        return Contacts(self._connection)

    @cached_property
    def callbacks(self) -> Callbacks:
        """What channels told us, raw."""
        return Callbacks(self._connection, self._cipher)

    @cached_property
    def reviews(self) -> Reviews:
        """Questions to people."""
        return Reviews(self._connection)

    @cached_property
    def alerts(self) -> Alerts:
        """Things a person should look at."""
        return Alerts(self._connection)

    @cached_property
    def agents(self) -> Agents:
        """Outside agents."""
        return Agents(self._connection)

    @cached_property
    def workers(self) -> Workers:
        """The fleet's worker processes, as PostgreSQL sees them."""
        return Workers(self._connection)

    @cached_property
    def pulses(self) -> Pulses:
        """When what works by itself last did."""
        return Pulses(self._connection)

    @cached_property
    def rejects(self) -> Rejects:
        """Input that was refused, kept with the reason."""
        return Rejects(self._connection, self._cipher)

    @cached_property
    def keys(self) -> Keys:
        """API keys, hashed."""
        return Keys(self._connection)

    @cached_property
    def idempotency_keys(self) -> IdempotencyKeys:
        """Requests under a key of their caller, and how they were answered."""
        return IdempotencyKeys(self._connection, self._cipher)

    @cached_property
    def system_audit(self) -> SystemAudit:
        """What was done to the installation itself."""
        return SystemAudit(self._connection)

    @cached_property
    def signals(self) -> Signals:
        """What the world told tasks between their steps."""
        return Signals(self._connection, self._cipher)

    @cached_property
    def timeline(self) -> Timeline:
        """An order's history: transitions, audit, events."""
        return Timeline(self._connection)

    @cached_property
    def audit_logs(self) -> AuditLogs:
        """The audit log as outside agents write it and people read it."""
        return AuditLogs(self._connection)

    @cached_property
    def feed(self) -> Feed:
        """The events people watch, in an order that misses nothing."""
        return Feed(self._connection)

    @cached_property
    def subscribers(self) -> Subscribers:
        """Who is told of what happens to tasks."""
        return Subscribers(self._connection, self._cipher)

    @cached_property
    def deliveries(self) -> Deliveries:
        """Messages on their way to subscribers."""
        return Deliveries(self._connection)

    @cached_property
    def standings(self) -> Standings:
        """Where every order stands."""
        return Standings(self._connection)

    @cached_property
    def overview(self) -> Overview:
        """What people ask of the fleet and of one run."""
        return Overview(self._connection)

    @cached_property
    def task_list(self) -> TaskList:
        """Orders and general tasks in one list."""
        return TaskList(self._connection)

    @cached_property
    def named_runs(self) -> NamedRuns:
        """Runs whose caller chose the id."""
        return NamedRuns(self._connection)

    @cached_property
    def reports(self) -> Reports:
        """What became of the orders of a period."""
        return Reports(self._connection)

    @cached_property
    def clock(self) -> BusinessClock:
        """The business clock."""
        return BusinessClock(self._connection)

    @cached_property
    def effects(self) -> Effects:
        """The writers of what steps return."""
        return Effects(self._connection, self.orders, self.contacts, self.alerts, self.timeline)

    @cached_property
    def figures(self) -> Figures:
        """What the fleet has done and where it stands, in numbers."""
        return Figures(self._connection)


class Database:
    """PostgreSQL as this process reaches it. Make one per process, after any fork."""

    def __init__(self, url: str, cipher: Cipher, *, pool_size: int = 4, application: str = "unpend") -> None:
        self._cipher = cipher
        self._engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=False,
            pool_recycle=1800,
            # An error must not print what was written: it may hold what a customer said.
            hide_parameters=True,
            json_deserializer=orjson.loads,
            json_serializer=dump_json,
            connect_args={
                "connect_timeout": 5,
                "application_name": application,
                # A statement or a transaction that hangs must not outlive the lease it works under for long.
                "options": "-c statement_timeout=30s -c idle_in_transaction_session_timeout=30s -c lock_timeout=10s",
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
            },
        )

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        """A unit of work; the only place that commits.

        Raises:
            StorageUnavailable: PostgreSQL went away, or ended the transaction (deadlock, time limit). Whether
                a commit went through may then be unknown; what is written must be recognisable.
        """
        try:
            with self._engine.begin() as connection:
                yield UnitOfWork(connection, self._cipher)
        except (OperationalError, InterfaceError) as error:
            raise StorageUnavailable(summary(error)) from error
        except PoolExhausted as error:
            raise StorageUnavailable("every connection of this process is in use") from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise StorageUnavailable(summary(error)) from error
            raise

    @contextmanager
    def snapshot(self, *, statement_seconds: float = 5.0) -> Iterator[UnitOfWork]:
        """A unit of work that only reads, sees one moment throughout, and whose statements may take so long.

        Raises:
            StorageUnavailable: PostgreSQL went away, or a statement took longer.
        """
        try:
            with self._engine.connect() as connection:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                connection.execute(_LIMIT_STATEMENTS, {"milliseconds": str(round(statement_seconds * 1000))})
                yield UnitOfWork(connection, self._cipher)
        except (OperationalError, InterfaceError) as error:
            raise StorageUnavailable(summary(error)) from error

    def durably(self, write: Callable[[UnitOfWork], Result], *, seconds: float) -> Result:
        """Run `write` in a transaction, again from the start while PostgreSQL is away, for so long at most.

        `write` must recognise its own earlier commit, since its answer may have been lost.

        Raises:
            StorageUnavailable: PostgreSQL was away for longer.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                with self.transaction() as work:
                    return write(work)
            except StorageUnavailable:
                if time.monotonic() + _PAUSE_SECONDS > deadline:
                    raise
                time.sleep(_PAUSE_SECONDS)

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
