"""The life of a definition's version: kept as a draft, activated, retired."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.definitions.rules import DefinitionRules
from engine.definitions.triggers import put_schedules, require_triggers
from statemachine.workflow.states import DEFINITION_TRANSITIONS, DefinitionEvent, DefinitionState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.definitions import Definitions, DefinitionVersion


class UnknownVersion(LookupError):
    """There is no such version of a workflow."""


class IllegalMove(ValueError):
    """The version is in a state in which this cannot happen to it."""

    def __init__(self, found: DefinitionVersion, event: DefinitionEvent) -> None:
        self.state = found.state
        self.allowed = tuple(known for state, known in DEFINITION_TRANSITIONS if state is found.state)
        super().__init__(
            f"workflow '{found.workflow}' version {found.version} is {found.state.value}: "
            f"'{event.value}' cannot happen to it"
        )


class UnservedTrigger(ValueError):
    """After this, a product's event would begin no workflow, or more than one."""


@dataclass(frozen=True, slots=True)
class DefinitionMove:
    """What became of a version that was to be moved."""

    found: DefinitionVersion
    repeated: bool
    """It was so before; nothing was changed."""


_TARGETS: Final = {event: target for (_, event), target in DEFINITION_TRANSITIONS.items()}


def move(
    work: UnitOfWork, rules: DefinitionRules, workflow: str, version: str, event: DefinitionEvent
) -> DefinitionMove:
    """Activate or retire a version; a repetition changes nothing. Two at once go one after the other.

    Raises:
        IllegalMove: its state does not allow it.
        MalformedWorkflow: it cannot run here, or lacks a step that its product needs.
        UnknownVersion: it is not there.
        UnservedTrigger: a product's event would begin no workflow, or more than one.
    """
    definitions = Definitions(work)
    definitions.hold_states()
    found = version_of(work, workflow, version)
    if found.state is _TARGETS[event]:
        return DefinitionMove(found, repeated=True)
    if (found.state, event) not in DEFINITION_TRANSITIONS:
        raise IllegalMove(found, event)
    if event is DefinitionEvent.ACTIVATE:
        require_triggers(work, [rules.require(definitions.find(workflow, version) or {})])
    before = definitions.triggers()
    definitions.move(workflow, version, event)
    _require_served(rules, before, definitions.triggers())
    put_schedules(work, [workflow])
    return DefinitionMove(version_of(work, workflow, version), repeated=False)


def version_of(work: UnitOfWork, workflow: str, version: str) -> DefinitionVersion:
    """A version as it stands.

    Raises:
        UnknownVersion: it is not there.
    """
    for found in Definitions(work).versions(workflow):
        if found.version == version:
            return found
    raise UnknownVersion(f"there is no version {version} of a workflow '{workflow}'")


def current_of(versions: Sequence[DefinitionVersion]) -> str | None:
    """The version that new runs begin with, of these in their order."""
    return next((each.version for each in versions if each.state is DefinitionState.ACTIVE), None)


def _require_served(
    rules: DefinitionRules, before: Mapping[str, str | None], after: Mapping[str, str | None]
) -> None:
    """Let each product's event begin exactly one workflow: its subjects have one run each."""
    for trigger in rules.needs:
        former, names = ([name for name in each if each[name] == trigger] for each in (before, after))
        if names != former and len(names) != 1:
            carried = ", ".join(sorted(names)) or "none"
            raise UnservedTrigger(
                f"'{trigger}' must begin exactly one workflow; after this it would begin {carried}"
            )
