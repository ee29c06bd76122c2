"""A workflow definition as people write it, and its way into the engine's grammar."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from schemas.core.definition.body import DefinitionBody, TriggerBody, VariableBody
from schemas.core.definition.compiling import Compiling
from schemas.core.definition.option_reader import catches, concurrency, rate, retries
from schemas.core.definition.step_reader import steps_of
from schemas.core.parameters import problems_with
from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.definition import MalformedWorkflow, Workflow, WorkflowOptions, build
from statemachine.workflow.options.run_variable import RunVariable
from statemachine.workflow.options.triggers import Schedule, Trigger, TriggerKind

_DECLARES: Final = frozenset(VariableBody.model_fields)


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
    compiling = Compiling()
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
    return build(
        name=definition.workflow,
        version=definition.version,
        trigger=definition.trigger,
        steps=steps,
        declared=variables,
        timeout_seconds=definition.timeout_seconds,
        on_error=definition.on_error,
        parameters=definition.parameters,
        options=options,
        found=compiling.faults,
    )


def place_of(fault: DefinitionFault, body: Mapping[str, Any]) -> tuple[str | int, ...]:
    """The fields that lead to a fault, from the definition as written."""
    if fault.step_id is not None:
        return (*_place_of_step(fault.step_id, body), *fault.at)
    return fault.at


def _place_of_step(step_id: str, around: Mapping[str, Any]) -> tuple[str | int, ...]:
    for at, step in enumerate(around.get("steps", ())):
        if step["id"] == step_id:
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
    compiling.schema({"properties": {name: schema}}, "variables", name)
    return RunVariable(
        name=name, default=body.default, schema=schema, merge=body.merge, problem_with=_checking(name, schema)
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


def _faults_of_fields(errors: Sequence[Any], body: Mapping[str, object]) -> Iterator[DefinitionFault]:
    """What is wrong with single fields, each where it stands in what was written."""
    for error in errors:
        at = error["loc"]
        if error["type"] == "too_short" and any(
            other["loc"][: len(at)] == at for other in errors if other != error
        ):
            continue  # It has items, and what is wrong with them is told.
        place = tuple(_present(at, body))
        if error["type"] in ("missing", "extra_forbidden"):
            place = (*place, at[-1]) if place[-1:] != at[-1:] else place
        yield DefinitionFault(f"{'.'.join(str(part) for part in place)}: {error['msg']}", at=place)


def _present(at: tuple[Any, ...], body: Any) -> Iterator[str | int]:
    """The parts that lead into what was written; the name of a form that a field may have is none of them."""
    for part in at:
        if (isinstance(body, dict) and part in body) or (isinstance(body, list) and isinstance(part, int)):
            body = body[part]
            yield part
