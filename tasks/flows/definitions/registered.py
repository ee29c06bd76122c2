"""Definitions as they are registered: looked at, and moved from state to state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.definitions.states import DefinitionMove, move, version_of
from engine.engine import Engine
from statemachine.workflow.states import DefinitionEvent
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.engine.definitions import Definitions, DefinitionVersion

_WRITTEN: Final = {
    DefinitionEvent.ACTIVATE: "workflow_activated",
    DefinitionEvent.RETIRE: "workflow_retired",
}


@dataclass(frozen=True, slots=True)
class RegisteredDefinition:
    """A version with its body."""

    version: DefinitionVersion
    body: Mapping[str, Any]


def versions_of(database: Database, workflow: str | None = None) -> Sequence[DefinitionVersion]:
    """The versions of every workflow, or of one, by name; the one activated last is the first."""
    with database.transaction() as work:
        return Definitions(work).versions(workflow)


def registered(database: Database, workflow: str, version: str) -> RegisteredDefinition:
    """A version with its body.

    Raises:
        UnknownVersion: it is not there.
    """
    with database.transaction() as work:
        found, body = version_of(work, workflow, version), Definitions(work).find(workflow, version)
    assert body is not None, "a version has a body"
    return RegisteredDefinition(found, body)


def move_version(
    database: Database, engine: Engine, workflow: str, version: str, event: DefinitionEvent, *, by: str
) -> DefinitionMove:
    """Activate or retire a version, on record; a repetition changes nothing.

    Raises:
        IllegalMove: its state does not allow it.
        MalformedWorkflow: it cannot run here, or lacks a step that its product needs.
        UnknownVersion: it is not there.
        UnservedTrigger: a product's event would begin no workflow, or more than one.
    """
    with database.transaction() as work:
        moved = move(work, engine.definition_rules, workflow, version, event)
        if not moved.repeated:
            SystemAudit(work).write(by, _WRITTEN[event], {"workflow": workflow, "version": version})
    # Whoever asks this process next is answered by what is so now.
    engine.catalogue.forget()
    return moved
