"""Where failures lead: to a step that handles them, or to a person who is asked."""

from collections.abc import Iterable, Mapping
from typing import Final

from statemachine.workflow.definition import ORIGIN, Kind, Step, Workflow
from statemachine.workflow.options.catches import Catch, CatchKind
from statemachine.workflow.options.human import HumanRules
from statemachine.workflow.options.loops import ForEach

SKIP: Final = "$skip"
FAIL: Final = "$fail"
INCIDENT: Final = Step(
    id="$incident",
    kind=Kind.HUMAN,
    title="流程受阻, 请决定如何继续",
    decisions={"retry": ORIGIN, "skip": SKIP, "fail": FAIL},
    human=HumanRules(form={"type": "object", "properties": {"output": {"type": "object"}}}),
)
"""The question that is asked where a failure is kept for a person (`on_failure: incident`)."""


def what_ended(
    node: str, given: Mapping[str, object], output: Mapping[str, object]
) -> tuple[str, Mapping[str, object]]:
    """The step that has ended where one is done, and what it came to.

    That is the step itself. Where it asked a person about a failure, and the answer skips what has failed, it is that
    one, with the output that the person gave.
    """
    if node != INCIDENT.id or INCIDENT.decisions.get(str(output.get("decision"))) != SKIP:
        return node, output
    form = output.get("form")
    returned = form.get("output") if isinstance(form, Mapping) else None
    return str(given["origin"]), returned if isinstance(returned, Mapping) else {}


def handlers(workflow: Workflow, step: Step, code: str) -> tuple[str, ...]:
    """The steps that handle a failure of this one where it lies; none: what is around it fails."""
    own = _of_step(step, code)
    if own or step.scope is not None:
        return own
    return tuple(target for target in _of_workflow(workflow, code) if target != step.id)


def is_kept(workflow: Workflow, step: Step, code: str) -> bool:
    """Whether a person is asked about a failure that no step handles, where it lies or around."""
    if not workflow.options.keeps_failures:
        return False
    while step.scope is not None:
        step = workflow.steps[step.scope]
        collected = isinstance(step.loop, ForEach) and step.loop.collects_errors
        if collected or _of_step(step, code):
            return False
    return not _of_workflow(workflow, code)


def _of_step(step: Step, code: str) -> tuple[str, ...]:
    return _of_error(step.on, code) or ((step.on_error,) if step.on_error else ())


def _of_workflow(workflow: Workflow, code: str) -> tuple[str, ...]:
    whole = _of_error(workflow.options.on, code)
    return whole or (() if workflow.on_error is None else (workflow.on_error,))


def _of_error(catches: Iterable[Catch], code: str) -> tuple[str, ...]:
    for catch in catches:
        if catch.kind is CatchKind.ERROR and (not catch.codes or code in catch.codes):
            return catch.next
    return ()
