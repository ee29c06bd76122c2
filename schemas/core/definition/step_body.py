"""One step of a definition, as people write it."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from schemas.core.definition.option_bodies import (
    AssignBody,
    BranchBody,
    CatchBody,
    ChoiceBody,
    ConcurrencyBody,
    EscalationBody,
    ForEachBody,
    JoinBody,
    QuorumBody,
    RateBody,
    RepeatBody,
    RequestBody,
    Retries,
    Seconds,
)
from schemas.core.definition.part import Names, Part, Priority, StepId, Targets, VariableName
from statemachine.workflow.options.gateways import GatewayMode

StepType = Literal[
    "action", "tool", "http", "set", "pass", "emit", "gateway", "wait", "human", "workflow", "scope",
    "compensate", "end",
]  # fmt: skip


Queue = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]{0,31})?$")]


class StepBody(Part):
    """One step as written; `next` and `else` may name one step or several."""

    id: StepId
    type: StepType = "action"
    title: str = ""
    purpose: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]{0,63}$")
    """What the step is for; the code of a product finds the step by it."""
    stage: str = Field(default="", max_length=64)
    lane: str = Field(default="", max_length=64)
    agent: Queue | ChoiceBody = ""
    """A queue of `config/agents.yaml` (whether there is such a one is asked when the definition is registered), or what
    an agent needs."""
    action: str = Field(default="", max_length=64)
    tool: str = Field(default="", max_length=64)
    request: RequestBody | None = None
    callback: bool = False
    idempotent: bool = False
    condition: str | None = None
    next: str | tuple[str | BranchBody, ...] = ()
    otherwise: Targets = Field(default=(), alias="else")
    mode: GatewayMode = GatewayMode.EXCLUSIVE
    join: Literal["all", "any"] | JoinBody | None = None
    needs: tuple[str, ...] = ()
    on_error: str | None = None
    on: tuple[CatchBody, ...] = Field(default=(), max_length=50)
    inline: bool = False
    retry: Retries = ()
    not_before: str | None = None
    seconds: int | None = Field(default=None, ge=0)
    until: str | None = None
    events: tuple[CatchBody, ...] = Field(default=(), max_length=50)
    decisions: dict[str, str] = Field(default_factory=dict)
    deadline_seconds: Seconds | None = None
    assign: AssignBody | None = None
    form: dict[str, Any] = Field(default_factory=dict)
    escalate: tuple[EscalationBody, ...] = Field(default=(), max_length=10)
    quorum: QuorumBody | None = None
    not_by: Names = ()
    parameters: dict[str, Any] = Field(default_factory=dict)
    sets: dict[VariableName, Any] = Field(default_factory=dict, alias="set")
    save: dict[VariableName, Any] = Field(default_factory=dict)
    message: str | None = Field(default=None, min_length=1, max_length=2_000)
    key: str | int | None = None
    signal: str | None = Field(default=None, min_length=1, max_length=2_000)
    event: str | None = Field(default=None, min_length=1, max_length=2_000)
    payload: Any = None
    workflow: str | None = Field(default=None, min_length=1, max_length=2_000)
    version: str | None = Field(default=None, min_length=1, max_length=16)
    wait: bool = True
    on_cancel: Literal["cancel", "leave"] = "cancel"
    continues: bool = Field(default=False, alias="continue")
    steps: tuple["StepBody", ...] = ()
    compensate: str | None = None
    compensated: Names = Field(default=(), alias="for")
    error: str | None = Field(default=None, min_length=1, max_length=64)
    escalation: str | None = Field(default=None, min_length=1, max_length=64)
    terminate: bool = False
    for_each: ForEachBody | None = None
    repeat: RepeatBody | None = None
    timeout_seconds: Seconds | None = None
    start_seconds: Seconds | None = None
    concurrency: ConcurrencyBody | None = None
    rate: RateBody | None = None
    priority: Priority | None = None
