"""Workflows that begin by themselves, for tests: activated as an installation does, and the runs they began."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text

from engine.definitions.triggers import put_schedules, require_triggers
from storage.engine.definitions import Definitions
from tests.support.engine.general_runs import definition
from tests.support.in_process_fleet import InProcessFleet

STEPS: Final = [{"id": "only", "agent": "contact", "action": "check"}]


def triggered(name: str, *triggers: Any, **changes: Any) -> dict[str, object]:
    """A definition of one step with these triggers."""
    return definition("parallel_branches", workflow=name, steps=STEPS, triggers=list(triggers)) | changes


def activate(house: InProcessFleet, *bodies: Mapping[str, object]) -> None:
    """Let new runs begin with these."""
    with house.database.transaction() as work:
        workflows = [house.engine.definition_rules.require(body) for body in bodies]
        require_triggers(work, workflows)
        for body in bodies:
            Definitions(work).register(str(body["workflow"]), str(body["version"]), body)
        put_schedules(work, [workflow.name for workflow in workflows])


def runs_of(house: InProcessFleet, workflow: str) -> list[Mapping[str, Any]]:
    """The runs of a workflow, in the order in which they were begun."""
    with house.database.transaction() as work:
        found = work.connection.execute(
            text(
                "SELECT run_id, version, state, variables, depth, error FROM runs WHERE workflow = :workflow "
                "ORDER BY created_at, run_id"
            ),
            {"workflow": workflow},
        )
        return [dict(row._mapping) for row in found]


def given_to(house: InProcessFleet, workflow: str) -> Sequence[Any]:
    """What the runs of a workflow were begun with."""
    return [run["variables"] for run in runs_of(house, workflow)]
