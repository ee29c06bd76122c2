"""What the task routes are sent and answer: general work in seed 003's form, orders in the form of `task.created`."""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, SkipValidation, Tag, WrapValidator

from schemas.core.form import Answered, Moment, Remark, Sent, Succeeded, Text, storable_object
from schemas.core.whole_number import WholeNumber
from schemas.orders.intake import Identifier, TaskCreated

LONGEST_TIMEOUT: Final = 31 * 24 * 3600
"""Seconds a task may be given."""

Status = Literal["created", "running", "paused", "completed", "failed", "cancelled"]
"""The lifecycle of a task, whatever it is about (seed 003)."""


class GeneralTask(Sent):
    """Work of any registered kind (seed 003).

    `task_type` names a workflow, or an action such as `audit.generate_report`; `parameters` are checked against
    what it takes. For `pending_task` they are the body of `task.created`.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "task_type": "triage.classify_text",
                    "description": "读懂客户的短信",
                    "parameters": {"text": "配件还没到，等配件到了再说"},
                    "priority": 5,
                    "timeout_seconds": 60,
                }
            ]
        },
    )

    task_type: Annotated[Text, Field(min_length=1, max_length=64)]
    description: Annotated[Text, Field(min_length=1, max_length=500)]
    parameters: Annotated[dict[str, Any], AfterValidator(storable_object)] = Field(default_factory=dict)
    priority: WholeNumber = Field(default=1, ge=1, le=10)
    """10 is the most urgent."""
    timeout_seconds: WholeNumber | None = Field(default=None, ge=1, le=LONGEST_TIMEOUT)
    """From its acceptance; what is not done by then has failed."""
    task_id: Identifier | None = None
    """The caller's own id: the same body under it again is answered with the task as it stands."""


def _form_of(value: object) -> str:
    if isinstance(value, GeneralTask) or (isinstance(value, dict) and "task_type" in value):
        return "task"
    return "order"


def _read(value: Any, _: Callable[[Any], Any]) -> GeneralTask | TaskCreated:
    # Told apart before it is read, so that an error names the fields of the form that was meant.
    form: type[GeneralTask | TaskCreated] = GeneralTask if _form_of(value) == "task" else TaskCreated
    return form.model_validate(value)


TaskSent = Annotated[
    Annotated[
        Annotated[GeneralTask, Tag("task")] | Annotated[TaskCreated, Tag("order")], Discriminator(_form_of)
    ],
    WrapValidator(_read),
]
"""A task in either form: with a `task_type` it is general work, without one an order."""


class TaskBatchSent(Sent):
    """Up to a thousand tasks; each is read by itself, so that one that is wrong harms no other."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "tasks": [
                        {"task_id": "HT20260313001", "order_id": "SO20260313001", "order_type": "未上门"},
                        {
                            "task_type": "audit.generate_report",
                            "description": "三月日报",
                            "parameters": {"from": "2026-03-01", "to": "2026-03-31"},
                        },
                    ]
                }
            ]
        },
    )

    tasks: list[SkipValidation[TaskSent]] = Field(min_length=1, max_length=1000)
    source: Literal["http", "command"] = "http"
    """The entry point they came by; what is refused is kept with it."""


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
    created_at: Moment
    updated_at: Moment
    finished_at: Moment | None
    timeout_at: Moment | None


_SUMMARY: Final[dict[str, Any]] = {
    "task_id": "exec_019ce6b1f2a0c3d4e5f60718293",
    "task_type": "triage.classify_text",
    "description": "读懂客户的短信",
    "status": "created",
    "state": None,
    "order_id": None,
    "priority": 5,
    "created_by": "orchestrator",
    "created_at": "2026-03-13T21:00:00.000Z",
    "updated_at": "2026-03-13T21:00:00.000Z",
    "finished_at": None,
    "timeout_at": "2026-03-13T21:01:00.000Z",
}


class TaskTaken(TaskSummary, Succeeded):
    """A task that is in, as it stands."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"examples": [{"success": True, "verdict": "accepted", **_SUMMARY}]},
    )

    verdict: Literal["accepted", "existing"]
    """`existing`: this very body was accepted before; nothing was begun twice."""


class StepView(Answered):
    """A step of a task."""

    step: str
    status: Literal["pending", "running", "waiting", "completed", "failed", "cancelled"]
    """`pending` is ready or has its time to come; `waiting` waits for the world or for a person."""
    started_at: Moment | None
    finished_at: Moment | None


_TASK: Final[dict[str, Any]] = {
    **_SUMMARY,
    "status": "completed",
    "updated_at": "2026-03-13T21:00:00.412Z",
    "finished_at": "2026-03-13T21:00:00.412Z",
    "parameters": {"text": "配件还没到，等配件到了再说"},
    "result": {
        "classification": {
            "level1_intent": "暂缓",
            "level2_intent": "配件未到",
            "confidence": 0.95,
            "requires_human_review": False,
        },
        "suggested_action": "schedule_followup",
        "followup_days": 3,
        "flags": [],
        "reasons": [],
    },
    "error": None,
    "steps": [
        {
            "step": "classify_text",
            "status": "completed",
            "started_at": "2026-03-13T21:00:00.310Z",
            "finished_at": "2026-03-13T21:00:00.412Z",
        }
    ],
}


class TaskView(TaskSummary):
    """A task in full."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [_TASK]})

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

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{**_TASK, "outcome": "applied"}]})

    outcome: Literal["applied", "repeated"]
    """`repeated` when it was so before; nothing was changed."""


class TaskPage(Answered):
    """Tasks, the newest first."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"examples": [{"tasks": [_SUMMARY], "next_cursor": None}]},
    )

    tasks: list[TaskSummary]
    next_cursor: str | None
    """What the next page is asked for with; null on the last one."""


class ItemError(Answered):
    """Why an item of a batch was rejected."""

    code: Literal["VALIDATION_FAILED", "STATE_CONFLICT"]
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

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "accepted": 1,
                    "existing": 0,
                    "rejected": 1,
                    "results": [
                        {
                            "index": 0,
                            "task_id": "HT20260313001",
                            "verdict": "accepted",
                            "status": "running",
                            "state": "contacting",
                            "error": None,
                        },
                        {
                            "index": 1,
                            "task_id": None,
                            "verdict": "rejected",
                            "status": None,
                            "state": None,
                            "error": {
                                "code": "VALIDATION_FAILED",
                                "message": "task_type: field required",
                                "details": {"fields": [{"field": "task_type", "message": "field required"}]},
                            },
                        },
                    ],
                }
            ]
        },
    )

    accepted: int
    existing: int
    rejected: int
    results: list[ItemTaken]


class CancelAsked(Sent):
    """Why a task is cancelled."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"reason": "客户已在别处报修"}]}
    )

    reason: Annotated[Remark, Field(max_length=500)] | None = None
