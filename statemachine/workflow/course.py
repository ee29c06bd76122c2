"""What can come after a step of a checked definition."""

from statemachine.workflow.definition import Step, Workflow


def steps_after(workflow: Workflow, node: str) -> frozenset[str]:
    """This step and every step that a branch can come to from it, joins and handlers of failures included."""
    seen: set[str] = set()
    waiting = [node]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in workflow.steps:
            continue
        seen.add(name)
        step = workflow.steps[name]
        waiting += [*step.targets(), *workflow.waiting_for.get(name, ())]
        if step.scope is None and workflow.on_error is not None:
            waiting.append(workflow.on_error)
    return frozenset(seen)


def leads_on_always(step: Step, join: str) -> bool:
    """Whether every success of this step comes to the join."""
    return join in step.next or not (step.branches or step.otherwise or step.decisions or step.catches)
