"""The triggers of definitions: what is wrong with them, and the schedules of what was activated."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.core.cron import CronExpression, MalformedCron
from schemas.core.cron_moments import next_moment
from schemas.core.definition.reader import read_definition
from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.definition import MalformedWorkflow, Workflow
from statemachine.workflow.options.triggers import Schedule, Trigger, TriggerKind
from statemachine.workflow.states import RUN_ENDS
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import BusinessClock
from storage.engine.definitions import Definitions
from storage.engine.schedules import NewSchedule, Schedules

_OF_ACTIONS: Final = "action:"


def triggers_of(workflow: Workflow) -> tuple[Trigger, ...]:
    """What begins runs of this workflow; its `trigger` is an event like any other, and the first."""
    return workflow.options.triggers


def trigger_faults(workflow: Workflow, products: Collection[str]) -> Iterator[DefinitionFault]:
    """What is wrong with a definition's triggers, whatever else is registered.

    `products` are the events whose workflows carry the subjects of a product.
    """
    paths: set[str] = set()
    for position, trigger in _written(workflow):
        if trigger.kind is TriggerKind.EVENT and trigger.name in products:
            yield _fault(
                position, f"'{trigger.name}' begins the work of a product: write it as `trigger`", "event"
            )
        if trigger.schedule is not None:
            for problem, at in _unreadable(trigger.schedule):
                yield _fault(position, problem, "schedule", at)
        if trigger.kind is TriggerKind.WEBHOOK:
            if trigger.secret is None:
                yield _fault(position, "a webhook needs the name of the secret that signs it", "webhook")
            if trigger.name in paths:
                yield _fault(position, f"the path '{trigger.name}' is taken by another trigger", "webhook")
            paths.add(trigger.name)
        for state in trigger.states:
            if state not in RUN_ENDS:
                yield _fault(position, f"no run ends as '{state.value}'", "run_ended", "states")


def require_triggers(work: UnitOfWork, workflows: Sequence[Workflow]) -> None:
    """Hold the triggers of versions that become active against what is registered.

    Raises:
        MalformedWorkflow: a path is another workflow's, or a trigger waits for the end of one that there is not.
    """
    definitions = Definitions(work)
    known = {found.workflow for found in definitions.versions()} | {each.name for each in workflows}
    for workflow in workflows:
        others = [each for each in (*current_workflows(work), *workflows) if each.name != workflow.name]
        taken = {
            trigger.name: other.name
            for other in others
            for trigger in triggers_of(other)
            if trigger.kind is TriggerKind.WEBHOOK
        }
        if found := tuple(_faults_beside(workflow, taken, known)):
            raise MalformedWorkflow(workflow.name, found)


def put_schedules(work: UnitOfWork, names: Iterable[str]) -> None:
    """Let the schedules of these workflows be those of the versions that new runs begin with now."""
    current = {workflow.name: workflow for workflow in current_workflows(work)}
    now = BusinessClock(work).now().business_now
    for name in names:
        workflow = current.get(name)
        Schedules(work).replace(
            name,
            []
            if workflow is None
            else [
                NewSchedule(
                    workflow=name,
                    position=position,
                    version=workflow.version,
                    cron=trigger.schedule.cron,
                    timezone=trigger.schedule.timezone,
                    next_due=next_moment(
                        CronExpression.read(trigger.schedule.cron), ZoneInfo(trigger.schedule.timezone), now
                    ),
                )
                for position, trigger in enumerate(triggers_of(workflow))
                if trigger.schedule is not None
            ],
        )


def current_workflows(work: UnitOfWork) -> Iterator[Workflow]:
    """The versions that new runs begin with, read anew; those that cannot run are left out."""
    for name, version in Definitions(work).current():
        try:
            yield read_definition(Definitions(work).find(name, version) or {})
        except MalformedWorkflow:
            continue


def _unreadable(schedule: Schedule) -> Iterator[tuple[str, str]]:
    try:
        CronExpression.read(schedule.cron)
    except MalformedCron as error:
        yield f"'{schedule.cron}' {error}", "cron"
    try:
        ZoneInfo(schedule.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield f"there is no time zone '{schedule.timezone}'; Asia/Shanghai is one", "timezone"


def _faults_beside(workflow: Workflow, taken: dict[str, str], known: set[str]) -> Iterator[DefinitionFault]:
    for position, trigger in _written(workflow):
        if trigger.kind is TriggerKind.WEBHOOK and trigger.name in taken:
            yield _fault(
                position, f"the path '{trigger.name}' is that of workflow '{taken[trigger.name]}'", "webhook"
            )
        ends = trigger.kind is TriggerKind.RUN_ENDED and not trigger.name.startswith(_OF_ACTIONS)
        if ends and trigger.name not in known:
            yield _fault(position, f"there is no workflow '{trigger.name}'", "run_ended", "workflow")


def _written(workflow: Workflow) -> Iterator[tuple[int, Trigger]]:
    """The triggers of the list `triggers`, each with its place there."""
    before = 1 if workflow.trigger else 0
    yield from enumerate(triggers_of(workflow)[before:])


def _fault(position: int, problem: str, *at: str) -> DefinitionFault:
    return DefinitionFault(f"trigger {position + 1}: {problem}", at=("triggers", position, *at))
