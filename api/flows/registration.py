"""General work and its agents as a part of the API."""

from types import MappingProxyType

from api.flows import agents, live_states, task_batches, task_control, tasks, workflows
from api.flows.errors import FAULTS
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
                "workflows": "Definitions of workflows: sent, checked, activated, retired, begun.",
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
            workflows.router,
        ),
        faults=FAULTS,
        largest_bodies=MappingProxyType({task_batches.BATCH_PATH: task_batches.LARGEST_BATCH_BODY}),
    )
