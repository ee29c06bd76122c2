"""What a worker process is made of: settings, app, and the parts made after the fork, once."""

import gc
import os
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from celery import Celery
from celery.exceptions import SoftTimeLimitExceeded

from engine.engine import Engine
from engine.limits import Limits
from engine.publisher import Publisher
from engine.registry import BoundProduct
from runtime.cipher import Cipher
from runtime.personal import PersonalFields
from runtime.settings import Settings
from schemas.core.agents import Agents, read_agents
from schemas.core.bpmn.definition_file import read_bpmn_file
from schemas.core.definition.file import read_definition_file
from statemachine.workflow.definition import Workflow
from storage.core.database import Database
from tasks.flows.context import FlowsContext
from tasks.flows.live.live_follower import LiveFollower
from tasks.flows.live.live_store import LiveStore
from tasks.forms import TaskForms
from tasks.orders.rules.context import Context, make_context
from tasks.outbound.context import OutboundContext
from tasks.outbound.feeding import Feeder
from tasks.registry import NEEDS_OF_TRIGGER, registry, task_forms
from workers.pace import Pace
from workers.wire import CeleryWire

_LIVE_STORE_SECONDS: Final = 2.0
"""How long Redis may take to write live state."""
_COLLECT_AFTER: Final = 50_000
"""New objects between two collections of the youngest generation."""


def read_workflows(folder: Path) -> list[tuple[dict[str, Any], Workflow]]:
    """The definitions of the configuration, as written and as checked: those in YAML, then those in BPMN.

    A BPMN file beside a YAML file of its name is that one as a drawing, and is not read.

    Raises:
        MalformedWorkflow: one of them cannot run, or lacks a step that its product needs.
    """
    written = sorted(folder.glob("*.yaml"))
    known = {path.stem for path in written}
    drawn = [path for path in sorted(folder.glob("*.bpmn")) if path.stem not in known]
    return [
        *(read_definition_file(path, NEEDS_OF_TRIGGER) for path in written),
        *(found for path in drawn for found in read_bpmn_file(path, NEEDS_OF_TRIGGER)),
    ]


class Process:
    """The parts of one process; each is made when it is first used, so that nothing crosses a fork."""

    def __init__(
        self, settings: Settings, app: Celery, *, name: str, further: Sequence[BoundProduct] = ()
    ) -> None:
        """Take how this installation is set; further products work beside those of `tasks.registry`."""
        self.settings = settings
        self.app = app
        self.name = name
        self._further = further

    @cached_property
    def database(self) -> Database:
        """PostgreSQL as this process reaches it."""
        return Database(
            self.settings.database_url.get_secret_value(),
            Cipher.of_settings(self.settings),
            pool_size=self.settings.database_connections,
            application=f"unpend-{self.name}",
            prepares=self.settings.database_prepares,
        )

    @cached_property
    def retention_database(self) -> Database:
        """PostgreSQL as the role that may remove and erase."""
        return Database(
            self.settings.retention_url,
            Cipher.of_settings(self.settings),
            pool_size=1,
            application=f"unpend-{self.name}",
            prepares=self.settings.database_prepares,
        )

    @cached_property
    def publisher(self) -> Publisher:
        """The way to the broker."""
        return CeleryWire(self.app)

    @cached_property
    def context(self) -> Context:
        """The tools and policies of the work."""
        return make_context(self.settings, self.database)

    @property
    def personal(self) -> PersonalFields:
        """Which fields of JSON are personal."""
        return self.context.personal

    @cached_property
    def outbound(self) -> OutboundContext:
        """The ways to other systems and to staff."""
        return OutboundContext.of_settings(self.settings, self.forms)

    @cached_property
    def flows(self) -> FlowsContext:
        """What general work needs."""
        return FlowsContext.of_settings(self.settings, self.database)

    @cached_property
    def agents(self) -> Agents:
        """The fleet's agents."""
        return read_agents(self.settings.config_folder)

    @cached_property
    def engine(self) -> Engine:
        """The engine of this process."""
        return Engine(
            database=self.database,
            publisher=self.publisher,
            registry=registry(self.context, self.outbound, self.flows, *self._further),
            queues=self.agents.queues,
            agents=self.agents,
            holder=f"{self.name}@{socket.gethostname()}:{os.getpid()}",
            limits=limits_of(self.settings),
            interruptions=(SoftTimeLimitExceeded,),
        )

    @cached_property
    def feeder(self) -> Feeder:
        """What makes deliveries of events, and begins the runs that carry what leaves."""
        return Feeder(self.engine, self.outbound)

    @cached_property
    def forms(self) -> TaskForms:
        """The forms in which tasks come in and questions are answered."""
        return task_forms(lambda: self.context)

    @cached_property
    def live_follower(self) -> LiveFollower | None:
        """What keeps the live state up to date; `None` where there is no Redis to hold it."""
        store = LiveStore.of_settings(self.settings, timeout=_LIVE_STORE_SECONDS)
        return None if store is None else LiveFollower(self.database, store, self.forms.subjects)

    @cached_property
    def pace(self) -> Pace:
        """How fast one message follows another."""
        return Pace(self.settings.gather_seconds)

    def warm(self) -> None:
        """Create all parts now, so that invalid configuration is found at the start.

        Raises:
            MalformedWorkflow, PolicyFileError, RulesError, WeightsError: each names its file.
            ChannelSecretMissing, ValueError: a secret that this process needs is not set.
        """
        for action in self.engine.registry.actions.values():
            if action.queue == self.name and action.warm is not None:
                action.warm()
        # Before the fork, so that children share what is imported, and no customer's words wait for it.
        self.context.calendar.warm(datetime.now(UTC).year)
        # Batches make many short-lived objects; a collector that looks at everything after every 700 of them
        # costs a tenth of the throughput.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER, 20, 50)


def limits_of(settings: Settings) -> Limits:
    """The engine's limits, as this installation sets them."""
    return Limits(
        lease_seconds=settings.lease_seconds,
        outside_lease_seconds=settings.outside_lease_seconds,
        largest_batch=settings.largest_batch,
        low_water=settings.low_water,
        most_waiting=settings.most_waiting,
        republish_seconds=settings.republish_seconds,
        carry_on_seconds=settings.carry_on_seconds,
        most_crashes=settings.most_crashes,
    )


class CurrentProcess:
    """The process's parts as Celery's tasks find them: set in the parent, made anew in every child."""

    def __init__(self, make: Callable[[], Process]) -> None:
        self._make = make
        self._process: Process | None = None

    def __call__(self) -> Process:
        """This process's parts."""
        if self._process is None:
            self._process = self._make()
        return self._process

    def forget(self) -> None:
        """Drop what was inherited from the parent."""
        self._process = None
