"""General work and its agents as a part of the API."""

from types import MappingProxyType

from api.flows import (
    agents,
    bpmn,
    hooks,
    http_callbacks,
    inbox,
    live_states,
    migrations,
    reports,
    task_batches,
    task_control,
    tasks,
    workflows,
)
from api.flows.errors import FAULTS
from api.flows.executions import picture, reading, starting, verbs
from api.flows.outside import agent_work, step_reports
from api.server.registration import Registration
from tasks.forms import TaskForms


def flows_of(forms: TaskForms) -> Registration:
    """The routes of agents, and of tasks of these forms."""
    return Registration(
        tags=MappingProxyType(
            {
                "agents": "The fleet's agents and those that register: what each can do and how busy it is.",
                "tasks": "Work of any kind, orders too: asked for, listed, looked at, steered, told what happened.",
                "triggers": "What begins runs by itself: events, messages, signals, webhooks, schedules.",
                "workflows": "Definitions of workflows: sent, checked, activated, retired.",
                "executions": "Runs of workflows: begun, looked at, steered.",
                "callbacks": "The one-time addresses that steps give to the systems they ask.",
                "reports": "What steps of workflows have written for people.",
            }
        ),
        keyed=(
            agents.router,
            agent_work.router,
            step_reports.router,
            tasks.router_of(forms),
            task_batches.router_of(forms),
            task_control.router,
            live_states.router,
            bpmn.router,
            workflows.router,
            starting.router,
            reading.router,
            picture.router,
            verbs.router,
            migrations.router,
            inbox.router,
            reports.router,
        ),
        # A webhook proves itself by its signature, an HTTP step's address is the proof.
        open=(hooks.router, http_callbacks.router),
        faults=FAULTS,
        largest_bodies=MappingProxyType(
            {
                task_batches.BATCH_PATH: task_batches.LARGEST_BATCH_BODY,
                bpmn.IMPORT_PATH: bpmn.LARGEST_FILE,
            }
        ),
    )
