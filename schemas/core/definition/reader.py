"""A workflow definition as people write it, and its way into the engine's grammar."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from schemas.core.identifier import Identifier
from schemas.core.parameters import MalformedSchema, require_schema
from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.definition import Kind, MalformedWorkflow, Step, Workflow, build
from statemachine.workflow.expression.calculation import MalformedExpression
from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.options.agent_choice import AgentChoice
from statemachine.workflow.options.retry import RetryPolicy

_QUEUE: Final = re.compile(r"(?:[a-z][a-z0-9_]{0,31})?")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RetryBody(_Part):
    """How often and after which wait a failed try of this step is repeated."""

    max_retries: int = Field(ge=0, le=100)
    delay_seconds: float = Field(default=1.0, gt=0, le=86_400)
    backoff: float = Field(default=1.0, ge=1, le=10)


class ChoiceBody(_Part):
    """What an agent needs so that it may do the step, where no queue is named."""

    capability: Identifier | None = None
    capabilities: tuple[Identifier, ...] = Field(default=(), max_length=50)
    role: Identifier | None = None
    id: str | None = Field(default=None, min_length=1, max_length=2_000)


class StepBody(_Part):
    """One step as written; `next` and `else` may name one step or several."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    type: Kind = Kind.ACTION
    title: str = ""
    purpose: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]{0,63}$")
    """What the step is for; the code of a product finds the step by it."""
    agent: str | ChoiceBody = ""
    """A queue of `config/agents.yaml`: whether there is such a one is asked when the definition is registered."""
    action: str = ""
    condition: str | None = None
    next: str | tuple[str, ...] = ()
    otherwise: str | tuple[str, ...] = Field(default=(), alias="else")
    needs: tuple[str, ...] = ()
    on_error: str | None = None
    inline: bool = False
    retry: RetryBody | None = None
    not_before: str | None = None
    seconds: int | None = Field(default=None, ge=0)
    decisions: dict[str, str] = Field(default_factory=dict)
    deadline_seconds: int | None = Field(default=None, gt=0)
    parameters: dict[str, Any] = Field(default_factory=dict)
    priority: int | None = Field(default=None, ge=1, le=10)

    @field_validator("agent")
    @classmethod
    def _queue_or_choice(cls, given: str | ChoiceBody) -> str | ChoiceBody:
        if isinstance(given, str) and not _QUEUE.fullmatch(given):
            raise ValueError(f"names a queue in the form {_QUEUE.pattern}")
        return given


class DefinitionBody(_Part):
    """A whole definition as written."""

    workflow: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    version: str = Field(pattern=r"^[0-9][0-9a-z.]{0,15}$")
    trigger: str = ""
    title: str = ""
    on_error: str | None = None
    timeout_seconds: int | None = Field(default=None, gt=0)
    variables: dict[str, Any] = Field(default_factory=dict)
    parameters: dict[str, Any] = Field(default_factory=dict)
    """What a run is begun with, as a JSON Schema (draft 2020-12); none means any object."""
    steps: tuple[StepBody, ...] = Field(min_length=1, max_length=200)


def read_definition(body: Mapping[str, object]) -> Workflow:
    """The workflow this body describes.

    Raises:
        MalformedWorkflow: with every fault, each naming its place.
    """
    name = str(body.get("workflow", "without a name"))
    try:
        definition = DefinitionBody.model_validate(body)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False, include_context=False)
        raise MalformedWorkflow(name, tuple(_faults_of_fields(errors, body))) from error
    steps: list[Step] = []
    malformed: list[DefinitionFault] = []
    for written in definition.steps:
        try:
            steps.append(_step(written))
        except MalformedExpression as error:
            malformed.append(DefinitionFault(f"step '{written.id}': {error}", written.id, ("condition",)))
    try:
        require_schema(definition.parameters)
    except MalformedSchema as error:
        malformed.append(DefinitionFault(str(error), at=("parameters",)))
    if malformed:
        raise MalformedWorkflow(name, tuple(malformed))
    return build(
        name=definition.workflow,
        version=definition.version,
        trigger=definition.trigger,
        steps=tuple(steps),
        variables=definition.variables,
        timeout_seconds=definition.timeout_seconds,
        on_error=definition.on_error,
        parameters=definition.parameters,
    )


def place_of(fault: DefinitionFault, body: Mapping[str, Any]) -> tuple[str | int, ...]:
    """The fields that lead to a fault, from the definition as written."""
    if fault.step_id is not None:
        return ("steps", [step["id"] for step in body["steps"]].index(fault.step_id), *fault.at)
    return fault.at


def _faults_of_fields(errors: Sequence[Any], body: Mapping[str, object]) -> Iterator[DefinitionFault]:
    """What is wrong with single fields, each where it stands in what was written."""
    for error in errors:
        at = error["loc"]
        if error["type"] == "too_short" and any(
            other["loc"][: len(at)] == at for other in errors if other != error
        ):
            continue  # It has items, and what is wrong with them is told.
        message = f"{'.'.join(str(part) for part in at)}: {error['msg']}"
        yield DefinitionFault(message, at=at if error["type"] == "missing" else tuple(_present(at, body)))


def _present(at: tuple[Any, ...], body: Any) -> Iterator[str | int]:
    """The parts that lead into what was written; the name of a form that a field may have is none of them."""
    for part in at:
        if (isinstance(body, dict) and part in body) or (isinstance(body, list) and isinstance(part, int)):
            body = body[part]
        else:
            return
        yield part


def _step(body: StepBody) -> Step:
    return Step(
        id=body.id,
        kind=body.type,
        agent=body.agent if isinstance(body.agent, str) else "",
        action=body.action,
        next=_several(body.next),
        otherwise=_several(body.otherwise),
        condition=None if body.condition is None else Expression.parse(body.condition),
        needs=body.needs,
        on_error=body.on_error,
        inline=body.inline,
        retry=None if body.retry is None else _retry(body.retry),
        not_before=body.not_before,
        wait_seconds=body.seconds,
        decisions=body.decisions,
        deadline_seconds=body.deadline_seconds,
        parameters=body.parameters,
        priority=body.priority,
        title=body.title,
        purpose=body.purpose,
        choice=None if isinstance(body.agent, str) else _choice(body.agent),
    )


def _choice(body: ChoiceBody) -> AgentChoice:
    single = () if body.capability is None else (body.capability,)
    return AgentChoice(capabilities=(*single, *body.capabilities), role=body.role, agent_id=body.id)


def _retry(body: RetryBody) -> RetryPolicy:
    return RetryPolicy(
        max_retries=body.max_retries, delay_ms=round(body.delay_seconds * 1000), backoff=body.backoff
    )


def _several(targets: str | tuple[str, ...]) -> tuple[str, ...]:
    return (targets,) if isinstance(targets, str) else targets
