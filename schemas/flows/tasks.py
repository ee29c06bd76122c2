"""Bodies of the task routes: tasks of any kind in seed 003's form, and as they stand."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, SkipValidation, create_model

from schemas.core.form import Answered, Moment, Remark, Sent, Succeeded, Text, storable_object
from schemas.core.identifier import Identifier
from schemas.core.whole_number import WholeNumber
from schemas.flows.live_states import LiveStateView
from schemas.flows.workflows import VersionName

LONGEST_TIMEOUT: Final = 31 * 24 * 3600
"""Seconds a task may be given."""

Status = Literal["created", "running", "paused", "completed", "failed", "cancelled"]
"""The lifecycle of a task, whatever it is about (seed 003)."""


Description = Annotated[Text, Field(min_length=1, max_length=500)]


class WorkAsked(Sent):
    """What is said of work of any kind; `parameters` are checked against what the kind takes."""

    parameters: Annotated[dict[str, Any], AfterValidator(storable_object)] = Field(default_factory=dict)
    priority: WholeNumber = Field(default=1, ge=1, le=10)
    """10 is the most urgent."""
    timeout_seconds: WholeNumber | None = Field(default=None, ge=1, le=LONGEST_TIMEOUT)
    """From its acceptance; what is not done by then has failed."""
    task_id: Identifier | None = None
    """The caller's own id: the same body under it again is answered with the task as it stands."""
    version: VersionName | None = None
    """An active version of the workflow; the current one where none is named."""


class GeneralTask(WorkAsked):
    """Work of any registered kind (seed 003).

    `task_type` names a workflow, or an action such as `audit.generate_report`; `parameters` are checked against
    what it takes. For `pending_task` they are the body of `task.created`.
    """

    task_type: Annotated[Text, Field(min_length=1, max_length=64)]
    description: Description


class TaskBatchSent(Sent):
    """Up to a thousand tasks; each is read by itself, so that one that is wrong harms no other."""

    tasks: list[Any]
    source: Literal["http", "command"] = "http"
    """The entry point they came by; what is refused is kept with it."""


def batch_of(task: Any) -> type[TaskBatchSent]:
    """The model of a batch whose items have this type."""
    tasks = (list[SkipValidation[task]], Field(min_length=1, max_length=1000))
    return create_model(
        TaskBatchSent.__name__, __base__=TaskBatchSent, __doc__=TaskBatchSent.__doc__, tasks=tasks
    )


class TaskSummary(Answered):
    """A task as it stands; its times are those of its execution."""

    task_id: str
    task_type: str
    description: str | None
    status: Status
    """The lifecycle; `created` until something of it has begun."""
    state: str | None
    """The business state of an order; null for general work."""
    order_id: str | None
    priority: int
    created_by: str | None
    trace_id: str
    """What its events, log lines, webhooks and notices carry, too."""
    created_at: Moment
    updated_at: Moment
    finished_at: Moment | None
    timeout_at: Moment | None


class TaskTaken(TaskSummary, Succeeded):
    """A task that is in, as it stands."""

    verdict: Literal["accepted", "existing"]
    """`existing`: this very body was accepted before; nothing was begun twice."""


class StepView(Answered):
    """A step of a task."""

    step: str
    title: str | None
    """What people call it, where the definition says."""
    status: Literal["pending", "running", "waiting", "completed", "failed", "cancelled"]
    """`pending` is ready or has its time to come; `waiting` waits for the world or for a person."""
    started_at: Moment | None
    finished_at: Moment | None


class TaskView(TaskSummary):
    """A task in full."""

    parameters: dict[str, Any]
    """What it was begun with; phone numbers are masked."""
    result: dict[str, Any] | None
    """What the last step of completed general work returned."""
    error: dict[str, Any] | None
    """Why it failed or was cancelled: `code` and `message`."""
    steps: list[StepView]
    """The last hundred, in the order in which they were made."""


class TaskSteered(TaskView):
    """A task in full, as it stands once what was asked of it is so."""

    outcome: Literal["applied", "repeated"]
    """`repeated` when it was so before; nothing was changed."""


class ListedTask(TaskSummary):
    """A task as a list shows it."""

    live: LiveStateView | None
    """How it stands, at most some seconds old; null once it has ended."""


class TaskPage(Answered):
    """Tasks, the newest first."""

    tasks: list[ListedTask]
    next_cursor: str | None
    """What the next page is asked for with; null on the last one."""


class ItemError(Answered):
    """Why an item of a batch was rejected."""

    code: Literal["VALIDATION_FAILED", "STATE_CONFLICT", "SERVICE_UNAVAILABLE"]
    """`SERVICE_UNAVAILABLE`: too much waits before it; it was not kept, send it again."""
    message: str
    details: dict[str, Any]


class ItemTaken(Answered):
    """What became of one item of a batch."""

    index: int
    task_id: str | None
    verdict: Literal["accepted", "existing", "rejected"]
    status: Status | None
    state: str | None
    error: ItemError | None


class BatchTaken(Succeeded):
    """What became of every item of a batch, in its order."""

    accepted: int
    existing: int
    rejected: int
    results: list[ItemTaken]


class CancelAsked(Sent):
    """Why a task is cancelled."""

    reason: Annotated[Remark, Field(max_length=500)] | None = None
