"""Who does a step that names no queue but what it needs: a queue of the fleet that has it, or outside agents."""

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from schemas.core.agents import OUTSIDE, Agent
from statemachine.workflow.definition import Workflow
from statemachine.workflow.step import Step


def assigned(workflow: Workflow, agents: Iterable[Agent]) -> Workflow:
    """The workflow with a queue for each step that chooses its agent: the first that can do it, or `OUTSIDE`."""
    known = tuple(agents)
    choosing = {
        name: _assigned(step, known) for name, step in workflow.steps.items() if step.choice is not None
    }
    return replace(workflow, steps=MappingProxyType({**workflow.steps, **choosing})) if choosing else workflow


def _assigned(step: Step, agents: Iterable[Agent]) -> Step:
    choice = step.choice
    assert choice is not None, "a step that chooses its agent"
    work = choice.work_name(step.action)
    for agent in agents:
        asked = choice.capabilities or choice.role
        if asked and choice.fits(None, agent.key_owner, agent.capabilities):
            return replace(step, agent=agent.name, action=work, choice=None)
    return replace(step, agent=OUTSIDE, action=work)
