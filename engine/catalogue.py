"""The workflow definitions a process has met, by name and version."""

from collections.abc import Mapping
from typing import Final

from schemas.core.definition import read_definition
from statemachine.workflow.definition import Step, Workflow, build
from storage.core.unit_of_work import UnitOfWork
from storage.engine.definitions import Definitions

_OF_ACTION: Final = "action:"
_OF_ACTION_VERSION: Final = "1"


class UnknownWorkflow(LookupError):
    """No such workflow, or no such version of it, is registered."""


class Catalogue:
    """Definitions never change under a version, so what was read once is kept."""

    def __init__(self, current: Mapping[str, Workflow]) -> None:
        """Take the versions that new runs begin with, by workflow name."""
        self._current = dict(current)
        self._known = {(workflow.name, workflow.version): workflow for workflow in current.values()}

    def current(self, name: str) -> Workflow:
        """The version that new runs of this workflow begin with.

        Raises:
            UnknownWorkflow: there is no workflow of this name.
        """
        try:
            return self._current[name]
        except KeyError as error:
            known = ", ".join(sorted(self._current))
            raise UnknownWorkflow(f"no workflow '{name}'; there are {known}") from error

    @property
    def names(self) -> tuple[str, ...]:
        """The workflows that new runs can begin with."""
        return tuple(sorted(self._current))

    def triggered_by(self, trigger: str) -> tuple[Workflow, ...]:
        """The workflows that this event starts."""
        return tuple(workflow for workflow in self._current.values() if workflow.trigger == trigger)

    def version(self, work: UnitOfWork, name: str, version: str) -> Workflow:
        """The version a run began with, from the database if this process has not met it.

        Raises:
            UnknownWorkflow: it is not registered.
        """
        workflow = self._known.get((name, version))
        if workflow is None and name.startswith(_OF_ACTION):
            workflow = self._known[name, version] = workflow_of(name.removeprefix(_OF_ACTION))
        if workflow is None:
            body = Definitions(work).find(name, version)
            if body is None:
                raise UnknownWorkflow(f"workflow '{name}' version {version} is not registered")
            workflow = self._known[name, version] = read_definition(body)
        return workflow


def workflow_of(action: str) -> Workflow:
    """The workflow of one step that is nothing but this action; its name alone tells every process what it is.

    Its version never changes: what the action takes and does is the code of the process that performs it.
    """
    agent, _, verb = action.partition(".")
    return build(
        name=f"{_OF_ACTION}{action}",
        version=_OF_ACTION_VERSION,
        trigger="",
        steps=(Step(id=verb, agent=agent, action=verb),),
        variables={},
        timeout_seconds=None,
        on_error=None,
    )


def task_type_of(workflow: str) -> str:
    """What people call a workflow: its name, or the action it is made of."""
    return workflow.removeprefix(_OF_ACTION)


def workflow_named(task_type: str) -> str:
    """The name of the workflow that people call so: an action's name has a dot, a workflow's never has."""
    return f"{_OF_ACTION}{task_type}" if "." in task_type else task_type
