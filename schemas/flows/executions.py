"""Bodies of the execution routes: runs of workflows as they stand, their log, and what people do to them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from schemas.core.form import (
    Answered,
    Moment,
    Remark,
    Sent,
    Succeeded,
    Text,
    storable_output,
    storable_payload,
)
from schemas.core.whole_number import WholeNumber
from schemas.flows.tasks import Description, Status, WorkAsked

StepName = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.\-]{0,127}$")]
EntryStatus = Literal["pending", "running", "paused", "completed", "failed", "cancelled"]
"""How far a step is (seed 002)."""


class ExecutionAsked(WorkAsked):
    """A run of the workflow that the address names; `parameters` are checked against what it takes."""

    description: Description | None = None
    """What it is about; the workflow's title where nothing is said."""
    key: Annotated[Text, Field(min_length=1, max_length=256)] | None = None
    """What makes a second start of this workflow the same as the first: it is answered with that execution."""


class TaskStats(Answered):
    """How many steps of the definition are how far (seed 002); a step that was entered several times counts once."""

    pending: int
    """Not entered yet, or it waits for a worker, an outside agent, or its next try."""
    running: int
    """At work, or it waits for the world, a time, a person, or what is in it."""
    paused: int
    completed: int
    failed: int
    cancelled: int
    skipped: int
    """Not entered in an execution that has ended."""


class ExecutionWait(Answered):
    """Something that an open step waits for."""

    step: str
    step_id: int
    kind: Literal["message", "signal", "timer", "condition", "agent", "human"]
    """`agent`: an outside agent is to do it; `human`: a person is to answer the interrupt."""
    name: str | None
    """Of the message or signal; what an outside agent needs; the question."""
    key: str | None
    until: Moment | None
    interrupt_id: str | None


class IncidentView(Answered):
    """A failure that is kept for a person."""

    interrupt_id: str
    """The decisions of this interrupt are `retry`, `skip` and `fail`."""
    step: str
    """The step that failed."""
    code: str
    message: str
    opened_at: Moment


class ExecutionSummary(Answered):
    """An execution as a list shows it."""

    execution_id: str
    workflow_id: str
    version: str
    task_id: str
    """That of the order that it carries; of general work the execution's own id."""
    status: Status
    description: str | None
    priority: int
    created_by: str | None
    trace_id: str
    """What its events, log lines, webhooks and notices carry, too."""
    started_at: Moment
    updated_at: Moment
    finished_at: Moment | None
    timeout_at: Moment | None


class ExecutionView(ExecutionSummary):
    """An execution in full; phone numbers and sealed texts are masked in all of it."""

    task_stats: TaskStats
    log_entries: int
    """How many lines its log has."""
    parameters: dict[str, Any]
    """What it was begun with."""
    variables: dict[str, Any]
    """What its variables hold now."""
    output: Any
    """What it came to, once it has completed."""
    error: dict[str, Any] | None
    """Why it failed or was cancelled: `code` and `message`."""
    waiting_for: list[ExecutionWait]
    """At most a hundred."""
    incidents: list[IncidentView]


class ExecutionStarted(ExecutionView, Succeeded):
    """An execution that has begun, as it stands."""

    outcome: Literal["started", "existing"]
    """`existing`: the same was begun before; nothing was begun twice."""


class ExecutionChanged(ExecutionView, Succeeded):
    """An execution as it stands once what was asked of it is so."""

    outcome: Literal["applied", "repeated"]
    """`repeated` when it was so before; nothing was changed."""


class ExecutionPage(Answered):
    """Executions, the newest first."""

    executions: list[ExecutionSummary]
    next_cursor: str | None


class ExecutionStep(Answered):
    """A step each time that it was entered."""

    step_id: int
    step: str
    title: str | None
    kind: str
    status: EntryStatus
    priority: int
    tries: int
    """Failed ones, after which it was tried again."""
    scope_id: int | None
    """The step in which it lies."""
    element: int | None
    """Which element of a loop it is, or how often it was repeated before."""
    output: dict[str, Any] | None
    error: dict[str, Any] | None
    entered_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    due_at: Moment | None


class ExecutionStepPage(Answered):
    """Steps of an execution, in the order in which they were entered."""

    steps: list[ExecutionStep]
    next_cursor: str | None


class VariableWritten(Answered):
    """A value that was written to a variable."""

    name: str
    value: Any
    step: str | None
    """The step that wrote it."""
    by: str | None
    """The person who did."""
    at: Moment


class ExecutionVariables(Answered):
    """What the variables of an execution hold now, and a page of what was written to them, the oldest first."""

    variables: dict[str, Any]
    history: list[VariableWritten]
    next_cursor: str | None


class LogEntry(Answered):
    """A line of an execution's log (seed 002)."""

    timestamp: Moment
    event_type: Literal["task_initialized", "state_transition", "variable_set", "signal", "intervention"]
    data: dict[str, Any]


class ExecutionLog(Answered):
    """A page of an execution's log, the oldest line first."""

    entries: list[LogEntry]
    next_cursor: str | None


class Intervened(Sent):
    """Why somebody intervenes; history keeps it with who did."""

    reason: Annotated[Remark, Field(max_length=500)] | None = None


class RerunAsked(Intervened):
    """From which step an execution goes on once more."""

    step: StepName
    """One outside of scopes that was entered before."""
    input: Annotated[dict[str, Any], AfterValidator(storable_output)] | None = None
    """What it is given; what it was given the last time where nothing is said."""


class SkipAsked(Intervened):
    """Which open step ends as done, and with what output."""

    step_id: WholeNumber = Field(ge=1, le=2**63 - 1)
    """As `/steps` shows it; of a step that nobody is at work on."""
    output: Annotated[dict[str, Any], AfterValidator(storable_output)] = Field(default_factory=dict)
    """Of a human step with `decision`; of a wait for events with `catch`, the place of the one that came."""


class VariablesAsked(Intervened):
    """What is written to variables of an execution."""

    variables: Annotated[dict[str, Any], Field(min_length=1, max_length=100), AfterValidator(storable_output)]
    """Each is checked against its declaration, and takes the place of what the variable holds."""


class SignalAsked(Intervened):
    """A message or a signal for one execution alone."""

    kind: Literal["message", "signal"] = "signal"
    """A message reaches the first that waits for it there, a signal all; neither is kept."""
    name: StepName
    key: Annotated[Text, Field(max_length=256)] = ""
    """Of a message."""
    payload: Annotated[Any, AfterValidator(storable_payload)] = Field(default_factory=dict)
