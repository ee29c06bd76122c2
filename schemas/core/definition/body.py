"""A whole definition, as people write it."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from schemas.core.definition.option_bodies import CatchBody, ConcurrencyBody, RateBody, Retries, Seconds
from schemas.core.definition.part import WORKFLOW_NAME, Part, Priority, VariableName
from schemas.core.definition.step_body import StepBody
from statemachine.workflow.options.run_variable import Merge
from statemachine.workflow.options.triggers import CatchUp, Overlap, TriggerKind
from statemachine.workflow.states import RunState


class VariableBody(Part):
    """A variable that is more than its first value."""

    type: str | dict[str, Any] | None = None
    """A type of JSON, or a JSON Schema."""
    default: Any = None
    merge: Merge | None = None


class ScheduleBody(Part):
    """Times that begin a run."""

    cron: str = Field(min_length=1, max_length=128)
    timezone: str = Field(default="UTC", max_length=64)
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.LAST


class WebhookBody(Part):
    """A path that begins a run when it is called."""

    path: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    secret: str | None = Field(default=None, pattern=r"^[A-Z][A-Z0-9_]{0,63}$")


class RunEndedBody(Part):
    """Runs of another workflow whose end begins one."""

    workflow: str = Field(pattern=WORKFLOW_NAME)
    states: tuple[RunState, ...] = ()


class TriggerBody(Part):
    """What begins a run: exactly one of event, message, signal, schedule, webhook, run_ended."""

    event: str | None = Field(default=None, min_length=1, max_length=128)
    message: str | None = Field(default=None, min_length=1, max_length=128)
    signal: str | None = Field(default=None, min_length=1, max_length=128)
    schedule: ScheduleBody | None = None
    webhook: WebhookBody | None = None
    run_ended: RunEndedBody | None = None
    condition: str | None = Field(default=None, alias="if")
    parameters: Any = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(getattr(self, kind.value) is not None for kind in TriggerKind) != 1:
            raise ValueError("has exactly one of event, message, signal, schedule, webhook, run_ended")
        return self

    @property
    def kind(self) -> TriggerKind:
        """What it is."""
        return next(kind for kind in TriggerKind if getattr(self, kind.value) is not None)


class OpenPointBody(Part):
    """Something that a person must still say before a version can be activated."""

    step: str | None = None
    message: str = Field(min_length=1, max_length=500)


class DefinitionBody(Part):
    """A whole definition as written."""

    workflow: str = Field(pattern=WORKFLOW_NAME)
    version: str = Field(pattern=r"^[0-9][0-9a-z.]{0,15}$")
    trigger: str = ""
    triggers: tuple[str | TriggerBody, ...] = Field(default=(), max_length=50)
    title: str = ""
    description: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    on_error: str | None = None
    on: tuple[CatchBody, ...] = Field(default=(), max_length=50)
    on_failure: Literal["fail", "incident"] = "fail"
    on_cancel: Literal["stop", "compensate"] = "stop"
    retry: Retries = ()
    timeout_seconds: Seconds | None = None
    priority: Priority | None = None
    key: str | None = Field(default=None, max_length=2_000)
    concurrency: ConcurrencyBody | None = None
    rate: RateBody | None = None
    variables: dict[VariableName, Any] = Field(default_factory=dict)
    """A value, or `{type, default, merge}`."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """What a run is begun with, as a JSON Schema (draft 2020-12); none means any object."""
    output: Any = None
    open_points: tuple[OpenPointBody, ...] = Field(default=(), max_length=2_000)
    """What an import could not read; each is a fault of the definition."""
    bpmn: dict[str, Any] = Field(default_factory=dict)
    """What came with a BPMN file and is kept for its export: nothing else reads it."""
    steps: tuple[StepBody, ...] = Field(min_length=1)
