"""The triggers of definitions: what is wrong with them, and the schedules of what was activated."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.definitions.known_secrets import SecretUse, TakenSecret
from schemas.core.definition.reader import read_definition
from schemas.core.times.cron import CronExpression, MalformedCron
from schemas.core.times.cron_moments import next_moment
from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.definition import MalformedWorkflow, Workflow
from statemachine.workflow.expression.calculation import nearest
from statemachine.workflow.options.triggers import Schedule, Trigger, TriggerKind
from statemachine.workflow.states import RUN_ENDS, DefinitionState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import BusinessClock
from storage.engine.definitions import Definitions
from storage.engine.triggers.schedules import NewSchedule, Schedules

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
        for state in set(trigger.states) - set(RUN_ENDS):
            yield _fault(position, f"no run ends as '{state.value}'", "run_ended", "states")
        for field, name in _unknown_names(trigger):
            yield _fault(position, f"reads '{name}', and there is 'event' alone", field)


def secrets_of_triggers(workflow: Workflow) -> Iterator[TakenSecret]:
    """The secrets that a definition's webhooks are signed with."""
    for position, trigger in _written(workflow):
        if trigger.secret is not None:
            place = DefinitionFault(f"trigger {position + 1}", at=("triggers", position, "webhook", "secret"))
            yield TakenSecret(SecretUse.WEBHOOK, trigger.secret, place)


def _unknown_names(trigger: Trigger) -> Iterator[tuple[str, str]]:
    """What a trigger reads beside what came, each with its field: no run has begun, and there is nothing else."""
    for field, part in (("if", trigger.condition), ("parameters", trigger.parameters)):
        names = frozenset() if part is None else part.names()
        yield from ((field, name) for name in sorted({path[0] for path in names} - {"event"}))


def require_triggers(work: UnitOfWork, workflows: Sequence[Workflow]) -> None:
    """Hold what versions that become active say of other workflows against what is registered.

    Raises:
        MalformedWorkflow: a path is another workflow's, or there is no workflow that a trigger waits for, or a step
            begins.
    """
    for workflow in workflows:
        if found := tuple(faults_beside(work, workflow, workflows)):
            raise MalformedWorkflow(workflow.name, found)


def faults_beside(
    work: UnitOfWork, workflow: Workflow, workflows: Sequence[Workflow]
) -> Iterator[DefinitionFault]:
    """What is wrong with what a version says of other workflows: those that are registered, and these."""
    versions = Definitions(work).versions()
    beside = {(each.name, each.version) for each in (*workflows, workflow)}
    known = {found.workflow for found in versions} | {name for name, _ in beside}
    drafts = {(each.workflow, each.version) for each in versions if each.state is DefinitionState.DRAFT}
    usable = {(each.workflow, each.version) for each in versions} - drafts | beside
    others = [each for each in (*current_workflows(work), *workflows) if each.name != workflow.name]
    taken = {
        trigger.name: other.name
        for other in others
        for trigger in triggers_of(other)
        if trigger.kind is TriggerKind.WEBHOOK
    }
    for position, trigger in _written(workflow):
        if trigger.kind is TriggerKind.WEBHOOK and trigger.name in taken:
            yield _fault(
                position, f"the path '{trigger.name}' is that of workflow '{taken[trigger.name]}'", "webhook"
            )
        ends = trigger.kind is TriggerKind.RUN_ENDED and not trigger.name.startswith(_OF_ACTIONS)
        if ends and trigger.name not in known:
            problem = f"there is no workflow '{trigger.name}'{nearest(trigger.name, known)}"
            yield _fault(position, problem, "run_ended", "workflow")
    for step in workflow.steps.values():
        # One that is calculated is known when the step is reached.
        if step.call is None or step.call.workflow.names():
            continue
        name, version = str(step.call.workflow.fill({})), step.call.version
        if name.startswith(_OF_ACTIONS):
            continue
        if name not in known:
            problem = f"step '{step.id}': there is no workflow '{name}'{nearest(name, known)}"
            yield DefinitionFault(problem, step.id, ("workflow",))
        elif version is not None and (name, version) not in usable:
            yield DefinitionFault(
                f"step '{step.id}': {_no_version(name, version, usable, drafts)}", step.id, ("version",)
            )


def _no_version(
    name: str, version: str, usable: Collection[tuple[str, str]], drafts: Collection[tuple[str, str]]
) -> str:
    """Why runs of a version cannot be begun."""
    if (name, version) in drafts:
        return f"version {version} of workflow '{name}' is a draft; activate it first"
    there = sorted(each for workflow, each in usable if workflow == name)
    known = f"there are {', '.join(there)}" if there else "none was activated"
    return f"there is no version '{version}' of workflow '{name}'; {known}{nearest(version, there)}"


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


def _written(workflow: Workflow) -> Iterator[tuple[int, Trigger]]:
    """The triggers of the list `triggers`, each with its place there."""
    before = 1 if workflow.trigger else 0
    yield from enumerate(triggers_of(workflow)[before:])


def _fault(position: int, problem: str, *at: str) -> DefinitionFault:
    return DefinitionFault(f"trigger {position + 1}: {problem}", at=("triggers", position, *at))
