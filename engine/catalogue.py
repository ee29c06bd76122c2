"""The workflow definitions a process has met, by name and version."""

from collections.abc import Mapping

from schemas.definition import read_definition
from statemachine.workflow import Workflow
from storage.database import UnitOfWork


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

    def triggered_by(self, trigger: str) -> tuple[Workflow, ...]:
        """The workflows that this event starts."""
        return tuple(workflow for workflow in self._current.values() if workflow.trigger == trigger)

    def version(self, work: UnitOfWork, name: str, version: str) -> Workflow:
        """The version a run began with, from the database if this process has not met it.

        Raises:
            UnknownWorkflow: it is not registered.
        """
        workflow = self._known.get((name, version))
        if workflow is None:
            body = work.definitions.find(name, version)
            if body is None:
                raise UnknownWorkflow(f"workflow '{name}' version {version} is not registered")
            workflow = self._known[name, version] = read_definition(body)
        return workflow
