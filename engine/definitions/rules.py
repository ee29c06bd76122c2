"""What a definition may name: the actions, queues and purposes that there are; asked before a version is kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from engine.actions import Action, ActionDeclaration
from engine.definitions.assignment import assigned
from engine.definitions.known_secrets import KnownSecrets, SecretUse, TakenSecret, unknown_secrets
from engine.definitions.triggers import secrets_of_triggers, trigger_faults
from schemas.core.agents import OUTSIDE, Agent
from schemas.core.definition.reader import ReadDefinition, examined_definition
from schemas.core.parameters import problems_with
from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.checks.purposes import PurposeNeed, unmet_needs
from statemachine.workflow.definition import MalformedWorkflow, Workflow
from statemachine.workflow.expression.calculation import nearest
from statemachine.workflow.expression.template import has_expressions
from statemachine.workflow.step import Step

_OF_EACH: Final = ("type", "properties", "patternProperties", "additionalProperties", "$defs")
"""What a schema says of single parameters, whichever others there are."""

_NAMING: Final = frozenset({"type", "agent", "action", "tool", "request", "parameters"})
"""The fields of a step that say what it does."""
_NONE: Final[frozenset[str]] = frozenset()

_KIND: Final = "parameter of this action"

LONGEST_WORK: Final = 48
"""Characters that the name of work may have that outside agents do."""

KnownAction = Action | ActionDeclaration[Any]


@dataclass(frozen=True, slots=True)
class DefinitionRules:
    """What is registered here, as far as definitions may name it."""

    actions: Mapping[str, KnownAction]
    needs: Mapping[str, Sequence[PurposeNeed]]
    """The purposes that a definition needs, by the trigger of each product."""
    queues: Sequence[str]
    agents: Sequence[Agent] = ()
    """The fleet's agents, among whom steps may choose."""
    secrets: KnownSecrets = field(default_factory=dict)

    def require(self, body: Mapping[str, Any], *, purposes: bool = True) -> Workflow:
        """The workflow of this body, when it can run here.

        Args:
            body: The definition as written.
            purposes: Whether it must have the steps that its product needs, too; a draft need not.

        Raises:
            MalformedWorkflow: it cannot run, names an agent or an action that there is not, or lacks such a step.
        """
        examined = self.examine(body, purposes=purposes)
        if examined.workflow is None or examined.faults:
            raise MalformedWorkflow(examined.name, examined.faults)
        return examined.workflow

    def examine(self, body: Mapping[str, Any], *, purposes: bool = True) -> ReadDefinition:
        """What could be read of this body (see `require`), with everything that is wrong with it."""
        read = examined_definition(body)
        if read.workflow is None:
            return read
        workflow = assigned(read.workflow, self.agents)
        steps = [
            step for step in workflow.steps.values() if not read.unread.of_steps.get(step.id, _NONE) & _NAMING
        ]
        faults = [
            DefinitionFault(f"step '{step.id}': {problem}", step.id, (at,))
            for step in steps
            for problem, at in self._unknown(step)
        ]
        faults += trigger_faults(workflow, self.needs)
        taken = [*_secrets_of_steps(steps), *secrets_of_triggers(workflow)]
        faults += unknown_secrets(taken, self.secrets)
        if purposes and not read.unread.ways:
            faults += unmet_needs(workflow, self.needs.get(workflow.trigger, ()))
        return replace(read, workflow=workflow, faults=(*read.faults, *faults))

    def _unknown(self, step: Step) -> Iterator[tuple[str, str]]:
        """What a step names that there is not, each with the field that names it."""
        if step.agent == OUTSIDE and step.choice is not None:
            if not 0 < len(step.action) <= LONGEST_WORK:
                yield (
                    f"needs an action, or a capability, of 1 to {LONGEST_WORK} characters: what the work is called",
                    "agent",
                )
            if step.inline:
                yield "is done by outside agents, and cannot be inline", "inline"
            return
        if step.agent and step.agent not in self.queues:
            known = ", ".join(self.queues)
            hint = nearest(step.agent, self.queues)
            yield f"there is no agent '{step.agent}'; there are {known}{hint}", "agent"
        if not step.action:
            return
        name = f"{step.agent}.{step.action}"
        action = self.actions.get(name)
        if action is None:
            of_agent = sorted(name for name, known in self.actions.items() if known.queue == step.agent)
            yield (
                (
                    f"no action '{name}' is registered; "
                    f"there are {', '.join(of_agent) or 'none of this agent'}{nearest(name, self.actions)}"
                ),
                "action",
            )
            return
        yield from _misfits_of(step, action)


def _secrets_of_steps(steps: Sequence[Step]) -> Iterator[TakenSecret]:
    """The secrets that the parameters of these steps take; outside agents are given none."""
    for step in steps:
        if step.filled is None or step.agent == OUTSIDE:
            continue
        place = DefinitionFault(f"step '{step.id}'", step.id, ("parameters",))
        yield from (TakenSecret(SecretUse.REQUEST, name, place) for name in sorted(step.filled.secrets()))


def _misfits_of(step: Step, action: KnownAction) -> Iterator[tuple[str, str]]:
    """What a step asks of an action that this one does not do, each with its field."""
    if step.inline and action.inline is None:
        yield f"action '{action.name}' cannot be inline", "inline"
    if step.parameters:
        yield from ((problem, "parameters") for problem in _misfits(step.parameters, action))


def _misfits(parameters: Mapping[str, object], action: KnownAction) -> Sequence[str]:
    """What an action does not take of these; what it needs beside them comes from what leads to the step."""
    schema = action.parameters
    if schema is None:
        return [f"action '{action.name}' takes no parameters"]
    takes = {name: schema[name] for name in _OF_EACH if name in schema}
    return [
        f"{problem.field} {problem.message}"
        for problem in problems_with(parameters, takes, kind=_KIND)
        if not (_is_calculated(parameters, problem.field) and _KIND not in problem.message)
    ]


def _is_calculated(parameters: Mapping[str, Any], field: str) -> bool:
    """Whether what stands there is known when the step is reached."""
    value: Any = parameters
    for name in field.split(".")[1:]:
        if isinstance(value, Mapping) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return False
    return has_expressions(value)
