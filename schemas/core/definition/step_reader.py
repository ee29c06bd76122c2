"""From a step as written to a step of the engine's grammar; those within a scope come after it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, get_args

from schemas.core.definition import option_reader
from schemas.core.definition.compiling import Compiling
from schemas.core.definition.option_bodies import BranchBody
from schemas.core.definition.step_body import StepBody, StepType
from statemachine.workflow.expression.template import has_expressions
from statemachine.workflow.options.gateways import Branch
from statemachine.workflow.step import Kind, Step, StopRule

GENERAL: Final = "general"
"""The queue of what no product owns: `http`, and tools."""

_WORK: Final = ("action", "tool", "http")
_NAMING: Final = tuple(kind for kind in get_args(StepType) if kind not in ("tool", "http"))
_READ_BY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "agent": _NAMING,
        "action": _NAMING,
        "tool": ("tool",),
        **dict.fromkeys(("request", "callback", "idempotent"), ("http",)),
        **dict.fromkeys(("message", "signal", "event", "key", "payload"), ("emit",)),
        **dict.fromkeys(("version", "wait", "on_cancel", "continues"), ("workflow",)),
        "steps": ("scope",),
        **dict.fromkeys(("error", "escalation", "terminate"), ("end",)),
    }
)
"""The types that read a field which the engine's grammar does not have, or has for another one."""


def steps_of(body: StepBody, scope: str | None, compiling: Compiling) -> Iterator[Step]:
    """This step, and those that lie in it."""
    yield _step(body, scope, compiling.of_step(body.id))
    for inner in body.steps:
        yield from steps_of(inner, body.id, compiling)


def _step(body: StepBody, scope: str | None, compiling: Compiling) -> Step:
    _require_read(body, compiling)
    targets, branches = _following(body, compiling)
    parameters = _parameters(body)
    agent, action = _work(body)
    writes = compiling.values(body.sets, "set") | compiling.values(body.save, "save")
    return Step(
        id=body.id,
        kind=Kind.ACTION if body.type in _WORK else Kind(body.type),
        scope=scope,
        agent=agent,
        choice=option_reader.choice(body),
        action=action,
        next=targets,
        otherwise=body.otherwise,
        condition=compiling.condition(body.condition, "condition"),
        branches=branches,
        mode=body.mode,
        join=option_reader.join(body),
        needs=body.needs,
        on_error=body.on_error,
        on=option_reader.catches(body.on, compiling, "on"),
        inline=body.inline,
        retry=option_reader.retries(body.retry),
        not_before=body.not_before,
        wait_seconds=body.seconds,
        until=compiling.optional(body.until, "until"),
        catches=option_reader.catches(body.events, compiling, "events"),
        decisions=body.decisions,
        deadline_seconds=body.deadline_seconds,
        human=option_reader.human(body, compiling),
        parameters=parameters,
        filled=compiling.value(parameters, "parameters") if has_expressions(parameters) else None,
        writes=writes,
        emission=option_reader.emission(body, compiling),
        call=option_reader.call(body, compiling),
        loop=option_reader.loop(body, compiling),
        compensation=body.compensate,
        compensates=body.compensated,
        stop=_stop(body),
        timeout_seconds=body.timeout_seconds,
        start_seconds=body.start_seconds,
        concurrency=option_reader.concurrency(body.concurrency, compiling),
        rate=option_reader.rate(body.rate, compiling),
        priority=body.priority,
        title=body.title,
        purpose=body.purpose,
        stage=body.stage,
        lane=body.lane,
    )


def _require_read(body: StepBody, compiling: Compiling) -> None:
    """Refuse fields that steps of its type never read; what the engine's grammar has is looked at there."""
    for name in sorted(body.model_fields_set & _READ_BY.keys()):
        types = _READ_BY[name]
        field = StepBody.model_fields[name]
        if body.type not in types and getattr(body, name) != field.get_default():
            written = field.alias or name
            message = f"is of type {body.type} and has '{written}', which only {' and '.join(types)} have"
            compiling.fault(message, (written,))
    if body.type == "http" and body.request is None and "request" not in body.parameters:
        compiling.fault("is of type http and has no request", ("request",))


def _following(body: StepBody, compiling: Compiling) -> tuple[tuple[str, ...], tuple[Branch, ...]]:
    """The targets without a condition, and the others."""
    written = (body.next,) if isinstance(body.next, str) else body.next
    branches = tuple(
        Branch(next=each.to, condition=compiling.condition(each.condition, "next", at, "if"))
        for at, each in enumerate(written)
        if isinstance(each, BranchBody)
    )
    return tuple(each for each in written if isinstance(each, str)), branches


def _work(body: StepBody) -> tuple[str, str]:
    """The queue and the action."""
    if body.type == "http":
        return GENERAL, "http"
    if body.type == "tool":
        queue, _, name = body.tool.rpartition(".")
        return queue or GENERAL, name
    return (body.agent if isinstance(body.agent, str) else ""), body.action


def _parameters(body: StepBody) -> dict[str, Any]:
    if body.type != "http" or body.request is None:
        return body.parameters
    request = body.request.model_dump(exclude_unset=True, by_alias=True)
    flags = {name: True for name in ("callback", "idempotent") if getattr(body, name)}
    return {"request": request, **flags, **body.parameters}


def _stop(body: StepBody) -> StopRule | None:
    if body.type != "end":
        return None
    return StopRule(error=body.error, escalation=body.escalation, terminates=body.terminate)
