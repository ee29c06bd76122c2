"""A name is one name everywhere: definitions, registered actions, Celery tasks, queues, the beat schedule."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import pytest
from celery import Celery

from beat_schedule import BEAT_SCHEDULE
from engine.actions import Action
from runtime.cipher import Cipher
from runtime.settings import PROJECT, Settings
from schemas.core.agents import SYSTEM_QUEUES, TICK, UPKEEP
from schemas.flows.general_steps import LONGEST_SECONDS
from statemachine.workflow.definition import Kind, Step
from storage.core.database import Database
from tasks.flows.context import FlowsContext
from tasks.orders.agents.contact import QUERY_SECONDS
from tasks.orders.rules.context import make_context
from tasks.outbound.context import OutboundContext
from tasks.registry import registry
from tests.support.agents import QUEUES
from tests.support.in_process_fleet import CIPHER_KEY, settings_for
from tools.limits import TOOLS
from tools.notices.contract import DEADLINE_SECONDS
from tools.webhooks.sender import TIMEOUT_SECONDS
from workers import feeding, tick, upkeep
from workers.agent import register
from workers.app import HARD_LIMIT_MARGIN, VISIBILITY_TIMEOUT, make_app
from workers.process import CurrentProcess, Process, read_workflows

NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
STEPS = {
    f"{workflow.name} {workflow.version} {step.id}": step
    for _, workflow in read_workflows(PROJECT / "config" / "workflows")
    for step in workflow.steps.values()
    if step.action
}
DELIVERED = {name: step for name, step in STEPS.items() if not step.inline and step.kind is not Kind.HUMAN}
CALLS: Mapping[str, Sequence[str | float]] = {
    "orchestrator.retry_contact": (),
    "orchestrator.open_round": (),
    "contact.initiate_contact": (QUERY_SECONDS, "contact_user"),
    "triage.classify_intent": ("classify_intent",),
    "triage.classify_text": ("classify_intent",),
    "triage.validate_classification": ("validate_classification",),
    "action.execute_action": ("update_appointment", "notify_engineer"),
    "audit.log_and_close": ("log_event",),
    "audit.generate_report": ("generate_report",),
    "outbound.deliver_webhook": (TIMEOUT_SECONDS, TIMEOUT_SECONDS),
    "outbound.send_notice": (DEADLINE_SECONDS,),
    "general.http": (LONGEST_SECONDS,),
    "general.report": (1.0,),
}
"""What the work on a message calls in turn: tools, and what else takes so many seconds at most."""


def name_of(step: Step) -> str:
    return f"{step.agent}.{step.action}"


@pytest.fixture(scope="module")
def settings() -> Settings:
    return settings_for(NOWHERE)


@pytest.fixture(scope="module")
def actions(settings: Settings) -> Iterator[Mapping[str, Action]]:
    with Database(NOWHERE, Cipher(CIPHER_KEY)) as database:
        flows = FlowsContext.of_settings(settings, database)
        yield registry(make_context(settings, database), OutboundContext(), flows).actions


@pytest.fixture(scope="module")
def apps(settings: Settings) -> Mapping[str, Celery]:
    """For each worker an app with what it binds, as its process has it."""
    apps = {}
    for name in (*QUEUES, *SYSTEM_QUEUES):
        app = make_app(settings)
        # Celery would show what one app binds to every other app of this process.
        app.task = partial(app.task, shared=False)
        current = CurrentProcess(lambda app=app, name=name: Process(settings, app, name=name))  # type: ignore[misc]
        if name in SYSTEM_QUEUES:
            {TICK: tick, UPKEEP: upkeep}[name].register(app, current)
        else:
            register(app, current, name)
        if name == feeding.QUEUE:
            feeding.register(app, current)
        apps[name] = app
    return apps


def bound(app: Celery) -> set[str]:
    return {name for name in app.tasks if not name.startswith("celery.")}


def carrying_rows(app: Celery) -> set[str]:
    """The tasks of an agent's worker that beat does not call."""
    return bound(app) - {str(entry["task"]) for entry in BEAT_SCHEDULE.values()}


@pytest.mark.parametrize("agent", QUEUES)
def test_what_an_agents_worker_binds_are_registered_actions_of_that_agent(
    agent: str, apps: Mapping[str, Celery], actions: Mapping[str, Action]
) -> None:
    names = carrying_rows(apps[agent])
    assert names
    assert names <= actions.keys()
    assert {name.partition(".")[0] for name in names} == {agent}
    assert all(actions[name].work is not None for name in names)


def test_every_action_that_works_is_bound_by_its_agents_worker(
    apps: Mapping[str, Celery], actions: Mapping[str, Action]
) -> None:
    working = {name for name, action in actions.items() if action.work is not None}
    assert working == set().union(*(carrying_rows(apps[agent]) for agent in QUEUES))


def test_a_registered_action_stands_under_its_own_name_and_queue(actions: Mapping[str, Action]) -> None:
    assert all(action.name == name for name, action in actions.items())
    assert {action.queue for action in actions.values()} <= set(QUEUES)


@pytest.mark.parametrize("step", DELIVERED.values(), ids=DELIVERED.keys())
def test_every_action_of_a_definition_that_is_delivered_is_bound(
    step: Step, apps: Mapping[str, Celery]
) -> None:
    assert name_of(step) in bound(apps[step.agent])


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_every_action_of_a_definition_is_registered_in_the_form_it_is_used(
    step: Step, actions: Mapping[str, Action]
) -> None:
    action = actions[name_of(step)]
    assert (action.inline is not None) == step.inline


def test_a_message_of_every_task_travels_on_the_queue_of_its_prefix(apps: Mapping[str, Celery]) -> None:
    for agent, app in apps.items():
        declared = {queue.name for queue in app.conf.task_queues}
        for name in bound(app):
            routed = app.amqp.router.route({}, name)["queue"].name
            assert routed == name.partition(".")[0] == agent
            assert routed in declared


def test_the_limits_of_every_action_cover_its_tools_and_its_transactions(
    apps: Mapping[str, Celery], actions: Mapping[str, Action], settings: Settings
) -> None:
    working = {name for name, action in actions.items() if action.work is not None}
    assert working == CALLS.keys()
    for name, tools in CALLS.items():
        work = sum(TOOLS[tool].timeout_seconds if isinstance(tool, str) else tool for tool in tools)
        task = apps[actions[name].queue].tasks[name]
        # Claim and record are each repeated for as long as a lease while PostgreSQL is away.
        assert task.soft_time_limit >= work + 2 * settings.lease_seconds
        # The last lease of a worker that was ended at its hard limit is over before its message is delivered again.
        assert task.time_limit + settings.lease_seconds < VISIBILITY_TIMEOUT


def test_limits_rise_from_the_soft_one_to_the_brokers_patience(apps: Mapping[str, Celery]) -> None:
    for agent in QUEUES:
        for name in bound(apps[agent]):
            task = apps[agent].tasks[name]
            assert 0 < task.soft_time_limit < task.time_limit < VISIBILITY_TIMEOUT
            assert task.time_limit - task.soft_time_limit == HARD_LIMIT_MARGIN


@pytest.mark.parametrize("entry", BEAT_SCHEDULE)
def test_beat_calls_tasks_that_are_bound_on_the_queue_they_are_bound_to(
    entry: str, apps: Mapping[str, Celery]
) -> None:
    called = BEAT_SCHEDULE[entry]
    options = called["options"]
    assert isinstance(options, Mapping)
    assert called["task"] in bound(apps[options["queue"]])
    schedule = called["schedule"]
    assert isinstance(schedule, float)
    # A message that was not taken in time must not pile up behind the next ones.
    assert 0 < schedule <= options["expires"]


@pytest.mark.parametrize("queue", SYSTEM_QUEUES)
def test_the_worker_of_no_agent_does_only_what_beat_calls(queue: str, apps: Mapping[str, Celery]) -> None:
    assert carrying_rows(apps[queue]) == set()


def test_nothing_waits_in_a_process_for_a_broker_to_retry(apps: Mapping[str, Celery]) -> None:
    for app in apps.values():
        for name in bound(app):
            task = app.tasks[name]
            assert not hasattr(task, "autoretry_for")
            assert task.ignore_result
            assert task.acks_late
