"""Calculates what the expressions of a step say: branches, elements, keys, people, slots."""

from collections.abc import Mapping
from dataclasses import replace

from statemachine.workflow.definition import Step
from statemachine.workflow.expression.template import ValueTemplate
from statemachine.workflow.options.limits import Concurrency, Rate
from statemachine.workflow.options.loops import ForEach
from statemachine.workflow.plan import SlotRequest, WaitValues

Given = Mapping[str, object]


class StepFault(ValueError):
    """A step cannot go on with its values: an expression has none, a variable may not hold one, no branch is open."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def slot_of(concurrency: Concurrency | None, rate: Rate | None, names: Given) -> SlotRequest | None:
    """The slot that is needed where these limits hold.

    Raises:
        ExpressionFault, StepFault: the key has no value.
    """
    if concurrency is None and rate is None:
        return None
    keys = [limit.key for limit in (concurrency, rate) if limit is not None and limit.key is not None]
    return SlotRequest(
        key="/".join(dict.fromkeys(key_of(key, names) for key in keys)), concurrency=concurrency, rate=rate
    )


def waits_of(step: Step, names: Given, *, own: bool, around: bool) -> tuple[WaitValues, ...]:
    """The keys and timers of what a wait waits for (`own`), and of what breaks in upon a step (`around`)."""
    wanted = [*enumerate(step.catches)] if own else []
    wanted += enumerate(step.on, len(step.catches)) if around else []
    return tuple(
        WaitValues(
            place,
            None if each.key is None else key_of(each.key, names),
            None if each.timer is None else each.timer.fill(names),
        )
        for place, each in wanted
    )


def holding(step: Step, names: Given) -> list[str]:
    """The targets of all branches whose condition holds; where none does, of those without one."""
    found = [each for each in step.branches if each.condition is not None and each.condition.holds(names)]
    taken = found or [each for each in step.branches if each.condition is None]
    return list(dict.fromkeys(target for branch in taken for target in branch.next))


def first_holding(step: Step, names: Given) -> list[str]:
    """The targets of the first branch whose condition holds; where none does, of those without one."""
    for branch in step.branches:
        if branch.condition is not None and branch.condition.holds(names):
            return list(branch.next)
    return [target for branch in step.branches if branch.condition is None for target in branch.next]


def elements_of(loop: ForEach, names: Given) -> list[object]:
    """What a loop goes through.

    Raises:
        StepFault: it is no list.
    """
    found = loop.items.fill(names)
    if not isinstance(found, (list, tuple)):
        raise StepFault("invalid_input", "for_each needs a list in 'in'")
    return list(found)


def key_of(template: ValueTemplate, names: Given) -> str:
    """The key that a value is.

    Raises:
        ExpressionFault, StepFault: it has none, or one that is neither a text nor an integer.
    """
    found = template.fill(names)
    if isinstance(found, (str, int)) and not isinstance(found, bool):
        return str(found)
    raise StepFault("invalid_input", "a key must be a text or an integer")


def object_of(value: object, step: Step) -> Given:
    """The parameters of a step, which must be an object.

    Raises:
        StepFault: they are none.
    """
    if isinstance(value, Mapping):
        return value
    raise StepFault("invalid_input", f"the parameters of '{step.id}' are no object")


def with_people(step: Step, names: Given) -> Step:
    """The step with the person and the agent it is for, where they are calculated."""
    if step.human.person is not None and "${" in step.human.person:
        person = ValueTemplate.of(step.human.person).fill(names)
        if not isinstance(person, str) or not person:
            raise StepFault("invalid_input", f"whom '{step.id}' is for is no person's login")
        step = replace(step, human=replace(step.human, person=person))
    if step.choice is not None and step.choice.agent_id is not None and "${" in step.choice.agent_id:
        agent = str(ValueTemplate.of(step.choice.agent_id).fill(names))
        step = replace(step, choice=replace(step.choice, agent_id=agent))
    return step
