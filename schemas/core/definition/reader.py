"""A workflow definition as people write it, and its way into the engine's grammar."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from schemas.core.definition.body import DefinitionBody, OpenPointBody, TriggerBody, VariableBody
from schemas.core.definition.compiling import Compiling
from schemas.core.definition.option_reader import catches, concurrency, rate, retries
from schemas.core.definition.step_reader import steps_of
from schemas.core.definition.validation import validated
from schemas.core.parameters import problems_with
from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.checks.unread import NOTHING_UNREAD, Unread
from statemachine.workflow.definition import MalformedWorkflow, Workflow, WorkflowOptions, examine
from statemachine.workflow.options.run_variable import RunVariable
from statemachine.workflow.options.triggers import Schedule, Trigger, TriggerKind

_INSTEAD: Final[Mapping[str | int, tuple[str, ...]]] = MappingProxyType(
    {"agent": ("tool",), "action": ("tool",), "parameters": ("request",), "set": ("save",)}
)
"""What people write for a field of the grammar, each for the types of steps that have it."""

_DECLARES: Final = frozenset(VariableBody.model_fields)


@dataclass(frozen=True, slots=True)
class ReadDefinition:
    """What could be read of a definition, and everything that is wrong with it."""

    name: str
    workflow: Workflow | None
    """None: nothing could be read. One that has faults is there to be looked at alone."""
    faults: tuple[DefinitionFault, ...]
    unread: Unread = NOTHING_UNREAD


def read_definition(body: Mapping[str, object]) -> Workflow:
    """The workflow this body describes.

    Raises:
        MalformedWorkflow: with every fault, each naming its place.
    """
    read = examined_definition(body)
    if read.workflow is None or read.faults:
        raise MalformedWorkflow(read.name, read.faults)
    return read.workflow


def examined_definition(body: Mapping[str, object]) -> ReadDefinition:
    """What could be read of this body, with every fault: what is malformed does not hide what is wrong beside it."""
    name = str(body.get("workflow", "without a name"))
    form = validated(body)
    if form.body is None:
        return ReadDefinition(name, None, form.faults)
    definition, compiling = form.body, Compiling()
    steps = tuple(step for written in definition.steps for step in steps_of(written, None, compiling))
    compiling.schema(definition.parameters, "parameters")
    variables = tuple(_variable(name, value, compiling) for name, value in definition.variables.items())
    options = WorkflowOptions(
        title=definition.title,
        labels=definition.labels,
        triggers=tuple(_triggers(definition, compiling)),
        on=catches(definition.on, compiling, "on"),
        keeps_failures=definition.on_failure == "incident",
        compensates_on_cancel=definition.on_cancel == "compensate",
        retry=retries(definition.retry),
        priority=definition.priority,
        key=compiling.optional(definition.key, "key"),
        concurrency=concurrency(definition.concurrency, compiling),
        rate=rate(definition.rate, compiling),
        output=compiling.optional(definition.output, "output"),
    )
    workflow, found = examine(
        name=definition.workflow,
        version=definition.version,
        trigger=definition.trigger,
        steps=steps,
        declared=variables,
        timeout_seconds=definition.timeout_seconds,
        on_error=definition.on_error,
        parameters=definition.parameters,
        options=options,
        unread=form.unread,
    )
    left_open = (_open_point(at, each) for at, each in enumerate(definition.open_points))
    return ReadDefinition(name, workflow, (*form.faults, *compiling.faults, *left_open, *found), form.unread)


def place_of(fault: DefinitionFault, body: Mapping[str, Any]) -> tuple[str | int, ...]:
    """The fields that lead to a fault, from the definition as written."""
    if fault.step_id is not None:
        place = _place_of_step(fault.step_id, body)
        return (*place, *_as_written(fault.at, _at(place, body)))
    return fault.at


def _open_point(at: int, point: OpenPointBody) -> DefinitionFault:
    whose = "" if point.step is None else f"step '{point.step}': "
    return DefinitionFault(f"{whose}{point.message}", at=("open_points", at))


def _at(place: Sequence[str | int], body: Any) -> Any:
    for part in place:
        body = body[part]
    return body


def _as_written(at: tuple[str | int, ...], step: Mapping[str, Any]) -> tuple[str | int, ...]:
    """The fields of the engine's grammar, where a step has another one in their place."""
    other = next((name for name in _INSTEAD.get(at[0], ()) if name in step), None) if at else None
    return at if other is None or at[0] in step else (other, *at[1:])


def _place_of_step(step_id: str, around: Mapping[str, Any]) -> tuple[str | int, ...]:
    written = around.get("steps")
    for at, step in enumerate(written if isinstance(written, list) else ()):
        if not isinstance(step, Mapping):
            continue
        if step.get("id") == step_id:
            return ("steps", at)
        if inner := _place_of_step(step_id, step):
            return ("steps", at, *inner)
    return ()


def _variable(name: str, written: Any, compiling: Compiling) -> RunVariable:
    """A variable by its first value, or by what it may hold."""
    declares = isinstance(written, dict) and written and written.keys() <= _DECLARES
    if not declares:
        return RunVariable(name=name, default=written)
    try:
        body = VariableBody.model_validate(written)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False, include_context=False):
            compiling.fault(f"variable '{name}': {each['msg']}", ("variables", name, *each["loc"]))
        return RunVariable(name=name)
    schema = {"type": body.type} if isinstance(body.type, str) else body.type or {}
    known, problem_with = len(compiling.faults), _checking(name, schema)
    compiling.schema({"properties": {name: schema}}, "variables", name)
    is_readable = len(compiling.faults) == known
    if is_readable and "default" in body.model_fields_set and (problem := problem_with(body.default)):
        compiling.fault(f"variable '{name}': its default {problem}", ("variables", name, "default"))
    return RunVariable(
        name=name, default=body.default, schema=schema, merge=body.merge, problem_with=problem_with
    )


def _checking(name: str, schema: Mapping[str, Any]) -> Callable[[object], str | None]:
    """What says what is wrong with a value of this variable."""
    described = {"properties": {name: schema}}

    def problem_with(value: object) -> str | None:
        return next((problem.message for problem in problems_with({name: value}, described)), None)

    return problem_with


def _triggers(definition: DefinitionBody, compiling: Compiling) -> Iterator[Trigger]:
    if definition.trigger:
        yield Trigger(kind=TriggerKind.EVENT, name=definition.trigger)
    for at, written in enumerate(definition.triggers):
        if isinstance(written, str):
            yield Trigger(kind=TriggerKind.EVENT, name=written)
        else:
            yield _trigger(written, compiling, at)


def _trigger(body: TriggerBody, compiling: Compiling, at: int) -> Trigger:
    written = body.schedule
    schedule = None if written is None else Schedule(**dict(written))
    webhook, ended = body.webhook, body.run_ended
    return Trigger(
        kind=body.kind,
        name=body.event
        or body.message
        or body.signal
        or (webhook.path if webhook else ended.workflow if ended else ""),
        condition=compiling.condition(body.condition, "triggers", at, "if"),
        parameters=compiling.optional(body.parameters, "triggers", at, "parameters"),
        schedule=schedule,
        secret=webhook.secret if webhook else None,
        states=ended.states if ended else (),
    )
