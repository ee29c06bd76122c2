"""The triggers of a definition as people write them."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.expression.template import ValueTemplate
from statemachine.workflow.options.triggers import CatchUp, Overlap, Schedule, Trigger, TriggerKind
from statemachine.workflow.states import RUN_ENDS, RunState


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScheduleBody(_Part):
    """Times by a cron line."""

    cron: str
    timezone: str = "UTC"
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.LAST


class WebhookBody(_Part):
    """A signed request from outside."""

    path: str = Field(pattern=r"^[A-Za-z0-9][\w.-]{0,63}$")
    secret: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")


class RunEndedBody(_Part):
    """The end of a run of another workflow."""

    workflow: str = Field(min_length=1, max_length=64)
    states: tuple[RunState, ...] = ()


class TriggerBody(_Part):
    """One trigger as written: exactly one of the six sources."""

    event: str | None = Field(default=None, min_length=1, max_length=128)
    message: str | None = Field(default=None, min_length=1, max_length=128)
    signal: str | None = Field(default=None, min_length=1, max_length=128)
    schedule: ScheduleBody | None = None
    webhook: WebhookBody | None = None
    run_ended: RunEndedBody | None = None
    condition: str | None = Field(default=None, alias="if")
    parameters: Any = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [kind.value for kind in TriggerKind if getattr(self, kind.value) is not None]
        if len(given) != 1:
            kinds = ", ".join(kind.value for kind in TriggerKind)
            raise ValueError(f"a trigger has exactly one of {kinds}; this has {', '.join(given) or 'none'}")
        return self


def trigger_of(body: str | TriggerBody) -> Trigger:
    """The trigger that is written so.

    Raises:
        ValueError: an expression is malformed, or a run does not end in one of these states.
    """
    if isinstance(body, str):
        return Trigger(kind=TriggerKind.EVENT, name=body)
    kind = next(kind for kind in TriggerKind if getattr(body, kind.value) is not None)
    states = () if body.run_ended is None else body.run_ended.states
    if open_states := [state.value for state in states if state not in RUN_ENDS]:
        ends = ", ".join(state.value for state in RunState if state in RUN_ENDS)
        raise ValueError(f"no run ends as {', '.join(open_states)}; it ends as {ends}")
    return Trigger(
        kind=kind,
        name=_name(body),
        condition=None if body.condition is None else Expression.parse(body.condition),
        parameters=None if body.parameters is None else ValueTemplate.of(body.parameters),
        schedule=None if body.schedule is None else Schedule(**body.schedule.model_dump()),
        secret=None if body.webhook is None else body.webhook.secret,
        states=states,
    )


def _name(body: TriggerBody) -> str:
    if body.webhook is not None:
        return body.webhook.path
    if body.run_ended is not None:
        return body.run_ended.workflow
    return body.event or body.message or body.signal or ""
