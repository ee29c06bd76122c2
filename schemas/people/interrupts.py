"""Request and response bodies of the routes of interrupts: what a run asks of people, whose it is, their answers."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from schemas.access.person import PersonName
from schemas.core.form import Answered, Moment, Remark, Sent, Succeeded, Text, storable
from schemas.core.free_json import require_bounded

LARGEST_PAYLOAD: Final = 65_536
"""Bytes that an answer may have as JSON."""


def _storable_answer(value: dict[str, Any]) -> dict[str, Any]:
    """The JSON object, when PostgreSQL can hold it and it is of a reasonable size, depth and width.

    Raises:
        ValueError: it is too large, too deep or too wide, or a text or number in it cannot be stored.
    """
    require_bounded(value)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if "\\u0000" in text:
        raise ValueError("holds a character that cannot be stored")
    if len(storable(text).encode()) > LARGEST_PAYLOAD:
        raise ValueError(f"may have {LARGEST_PAYLOAD} bytes as JSON")
    return value


FormGiven = Annotated[dict[str, Any], AfterValidator(_storable_answer)]
"""What an answer carries; the question's own schema says what it may be."""


class AnswerPayload(Sent):
    """What is answered to a question of general work."""

    decision: Text = Field(min_length=1, max_length=128)
    """One of the question's decisions."""
    note: Remark | None = Field(default=None, min_length=1, max_length=500)
    """Why."""
    form: FormGiven = Field(default_factory=dict)
    """What the question asks for beside the decision, where it has a form."""


def answer_schema(decisions: Sequence[str], form: Mapping[str, Any] | None) -> dict[str, Any]:
    """What an answer holds, as a JSON Schema: one of these decisions, and this form."""
    properties: dict[str, Any] = {
        "decision": {"enum": list(decisions)},
        "note": {"type": ["string", "null"], "minLength": 1, "maxLength": 500},
    }
    if form is not None:
        properties["form"] = dict(form)
    return {
        "type": "object",
        "properties": properties,
        "required": ["decision"] if form is None else ["decision", "form"],
        "additionalProperties": False,
    }


class Assignee(Answered):
    """Whose a question is."""

    roles: list[str]
    """Any of these may answer; those that an escalation added among them. No role and no person: anybody who may
    answer at all."""
    person: str | None
    """This person may answer."""
    not_by: list[str]
    """`starter`, and human steps of the run whose answerers may not answer this one."""
    quorum: int
    """How many people must give the same answer."""


class EscalationView(Answered):
    """A role that may answer from a moment on."""

    role: str
    at: Moment
    has_come: bool


class AnswerView(Answered):
    """What one person answers; a second answer replaces it until the question is decided."""

    by: str
    decision: str
    note: str | None
    form: dict[str, Any]
    """Phone numbers masked, private texts not shown."""
    at: Moment


class InterruptSummary(Answered):
    """A question that holds a step of a run."""

    interrupt_id: str
    """The review's id, under which `/v1/reviews` has it, too."""
    type: Literal["review", "form"]
    """`form` where an answer carries more than a decision and a note."""
    task_id: str | None
    """The task that it is about, where a product has one."""
    execution_id: str
    workflow: str
    step: str
    reason: str
    question: str
    decisions: list[str]
    who: Assignee
    state: Literal["open", "decided", "cancelled"]
    opened_at: Moment
    deadline_at: Moment | None
    answered_by: str | None
    """Whose answer decided it."""
    answered_at: Moment | None
    claimed_by: str | None
    """Who has taken it; a claim ends after 30 minutes unless it is renewed."""
    claimed_at: Moment | None


class InterruptView(InterruptSummary):
    """A question with what must be known to answer it."""

    context: dict[str, Any]
    """The input of the step."""
    on_deadline: Literal["wait", "fail"]
    """What becomes of it when the deadline passes unanswered: it waits on, or its step fails with the code
    `timeout`."""
    answer_schema: dict[str, Any]
    """What the payload of an answer must be, as a JSON Schema (draft 2020-12)."""
    escalations: list[EscalationView]
    answers: list[AnswerView]
    """What people have answered so far, the oldest first; each person's last."""


class InterruptList(Answered):
    """Questions, the longest waiting first."""

    interrupts: list[InterruptSummary]
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""


class AnswerSent(Sent):
    """A person answers a question."""

    payload: FormGiven
    """As the question's `answer_schema` has it."""
    by: PersonName | None = None
    """A label beside the key; who answers is the key's owner."""


class AnswerTaken(Succeeded):
    """An answer that stands."""

    outcome: Literal["applied", "counted", "repeated"]
    """`applied` when the run goes on by it; `counted` while more people must answer the same; `repeated` when the
    same was answered before, and nothing was done twice."""
    interrupt: InterruptView


class InterruptClaimed(Succeeded):
    """A claim, or its end, that stands."""

    outcome: Literal["applied", "repeated"]
    """`repeated` when it was so before; a claim made again is renewed."""
    interrupt: InterruptSummary
