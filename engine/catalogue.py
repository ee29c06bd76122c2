"""The catalogue of workflow definitions: versions never change; a new one is known to every process within 2 s."""

import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from engine.definitions.assignment import assigned
from engine.definitions.known_secrets import KnownSecrets
from engine.definitions.rules import DefinitionRules
from engine.definitions.triggers import put_schedules, require_triggers
from engine.registry import Product, needs_of_triggers
from runtime.logs import logger
from schemas.core.agents import Agent
from schemas.core.definition.reader import read_definition
from statemachine.workflow.definition import MalformedWorkflow, Workflow, build
from statemachine.workflow.step import Step
from storage.core.unit_of_work import UnitOfWork
from storage.engine.definitions import Definitions

_log = logger(__name__)

FRESH_SECONDS: Final = 1.0
"""How long a process goes by what it last read: a version activated elsewhere is known after that at the latest."""

_NO_SECRETS: Final[KnownSecrets] = MappingProxyType({})
_OF_ACTION: Final = "action:"
_OF_ACTION_VERSION: Final = "1"


class UnknownWorkflow(LookupError):
    """No workflow, or no version of it, of this name is registered."""


class Catalogue:
    """The definitions that this process has read; a version is read once and cached."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, agents: Iterable[Agent] = ()) -> None:
        """Take the fleet's agents, among whom steps may choose."""
        self._agents = tuple(agents)
        self._clock = clock
        self._read_at = -math.inf
        self._current: dict[str, Workflow] = {}
        self._known: dict[tuple[str, str], Workflow] = {}

    def current(self, work: UnitOfWork, name: str) -> Workflow:
        """Return the version for new runs of this workflow: the active one that was activated last.

        Raises:
            UnknownWorkflow: no version of a workflow of this name is active.
        """
        current = self._read(work)
        try:
            return current[name]
        except KeyError as error:
            known = ", ".join(sorted(current))
            raise UnknownWorkflow(f"no workflow '{name}'; there are {known}") from error

    def names(self, work: UnitOfWork) -> tuple[str, ...]:
        """The workflows that new runs can begin with."""
        return tuple(sorted(self._read(work)))

    def active(self, work: UnitOfWork) -> Collection[Workflow]:
        """The version of each workflow that new runs begin with."""
        return self._read(work).values()

    def triggered_by(self, work: UnitOfWork, trigger: str) -> tuple[Workflow, ...]:
        """The workflows that this event starts."""
        return tuple(workflow for workflow in self._read(work).values() if workflow.trigger == trigger)

    def version(self, work: UnitOfWork, name: str, version: str) -> Workflow:
        """Return the version of a run, from the database if it is not cached.

        Raises:
            MalformedWorkflow: it was registered when it could still run.
            UnknownWorkflow: it is not registered.
        """
        workflow = self._known.get((name, version))
        if workflow is None and name.startswith(_OF_ACTION):
            workflow = self._known[name, version] = workflow_of(name.removeprefix(_OF_ACTION))
        if workflow is None:
            body = Definitions(work).find(name, version)
            if body is None:
                raise UnknownWorkflow(f"workflow '{name}' version {version} is not registered")
            workflow = self._known[name, version] = assigned(read_definition(body), self._agents)
        return workflow

    def forget(self) -> None:
        """Read anew which versions are current when that is asked next: one was activated or retired here."""
        self._read_at = -math.inf

    def _read(self, work: UnitOfWork) -> Mapping[str, Workflow]:
        now = self._clock()
        if now - self._read_at < FRESH_SECONDS:
            return self._current
        self._current = dict(self._readable(work, Definitions(work).current()))
        self._read_at = now
        return self._current

    def _readable(
        self, work: UnitOfWork, wanted: Iterable[tuple[str, str]]
    ) -> Iterable[tuple[str, Workflow]]:
        """Those of these versions that can run; one that cannot stands in nobody else's way."""
        for name, version in wanted:
            try:
                yield name, self.version(work, name, version)
            except MalformedWorkflow as error:
                _log.error(
                    "a registered workflow cannot run", workflow=name, version=version, error=str(error)
                )


def register(
    work: UnitOfWork,
    bodies: Sequence[Mapping[str, Any]],
    *,
    products: Sequence[Product[Any]],
    queues: Sequence[str],
    agents: Iterable[Agent] = (),
    secrets: KnownSecrets = _NO_SECRETS,
) -> None:
    """Check these versions and store them.

    Raises:
        ChangedDefinition: a version is registered with another body.
        MalformedWorkflow: one cannot run, names an agent or an action that there is not, or lacks a step that its
            product needs; none is kept.
    """
    rules = DefinitionRules(
        {action.name: action for product in products for action in product.actions},
        needs_of_triggers(products),
        queues,
        tuple(agents),
        secrets,
    )
    workflows = [rules.require(body) for body in bodies]
    require_triggers(work, workflows)
    for body in bodies:
        Definitions(work).register(str(body["workflow"]), str(body["version"]), body)
    put_schedules(work, [workflow.name for workflow in workflows])


def workflow_of(action: str) -> Workflow:
    """Return the one-step workflow of this action; every process can derive it from the action's name.

    Its version never changes: what the action takes and does is the code of the process that performs it.
    """
    agent, _, verb = action.partition(".")
    return build(
        name=f"{_OF_ACTION}{action}",
        version=_OF_ACTION_VERSION,
        trigger="",
        steps=(Step(id=verb, agent=agent, action=verb),),
    )


def task_type_of(workflow: str) -> str:
    """Return the task type of a workflow: its name, or the action of a one-step workflow."""
    return workflow.removeprefix(_OF_ACTION)


def workflow_named(task_type: str) -> str:
    """Return the workflow's name of a task type: an action's name has a dot, a workflow's has none."""
    return f"{_OF_ACTION}{task_type}" if "." in task_type else task_type
