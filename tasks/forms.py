"""Task forms: what a product registers so that its tasks are taken in, listed, shown, steered and replayed.

No product is named here. `tasks.registry` composes them; the routes of tasks and refused input serve them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol

from pydantic import BaseModel, TypeAdapter, ValidationError

from engine.engine import Engine
from engine.transaction import Transaction
from schemas.core.alternatives import Alternative, one_of
from schemas.core.problems import Problem, problems_of
from storage.core.unit_of_work import UnitOfWork
from storage.engine.subjects import SubjectTable
from storage.people.reviews import Review
from tasks.people.question_form import QuestionForm
from tasks.verbs import Verb, VerbResult


class EntryPoint(StrEnum):
    """Where a task came in."""

    HTTP = "http"
    STREAM = "stream"
    QUEUE = "queue"
    COMMAND = "command"
    TRIGGER = "trigger"
    """What came or happened, and a workflow's trigger for it."""


class Acceptance(StrEnum):
    """What became of a task that was submitted."""

    ACCEPTED = "accepted"
    EXISTING = "existing"
    """The same task_id with the same body: nothing was begun twice."""
    INVALID = "invalid"
    """It cannot be read, or names what there is not."""
    UNSTORABLE = "unstorable"
    """It is in order as far as can be seen, and cannot be stored: a fault of ours; kept as rejected."""
    OTHER_BODY = "other_body"
    """The same task_id with another body: refused, and kept as rejected."""
    OVERLOADED = "overloaded"
    """Too many wait before it: nothing was begun or kept, it is to be sent again later."""
    SUBJECT_BUSY = "order_busy"
    """What it is about has another open task: refused, and kept as rejected."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose key tasks are sent with, under which request, and what holds for those that do not say."""

    agent_id: str | None = None
    request_id: str | None = None
    default_mode: str = "auto"
    """The mode of a task that names none: its key's."""
    timeout_seconds: int | None = None
    description: str | None = None
    trace_id: str | None = None
    """The trace of that request; a new one where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A request for general work; `task_type` names a workflow or an action."""

    task_type: str
    """A workflow, or an action that may be called alone."""
    description: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 1
    timeout_seconds: int | None = None
    task_id: str | None = None
    """The caller's own id: sent again with the same body, the task is begun once."""
    version: str | None = None
    """An active version of the workflow; `None`: the current one."""
    priority_given: bool = True
    """Whether the caller named the priority."""
    sender: Sender = Sender()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReceipt:
    """The answer to one task that was submitted."""

    result: Acceptance
    task_id: str | None
    run_id: str | None = None
    state: str | None = None
    """The business state, where its product has one."""
    has_begun: bool = False
    """Whether it is known to be under way; otherwise its lifecycle is to be looked up."""
    problems: tuple[Problem, ...] = ()

    @property
    def message(self) -> str:
        """Why it was refused, in words."""
        names_field = self.result not in (Acceptance.SUBJECT_BUSY, Acceptance.OVERLOADED)
        return "; ".join(f"{p.field} {p.message}" if names_field else p.message for p in self.problems)

    @property
    def details(self) -> Mapping[str, Any]:
        """Why it was refused, for programs."""
        return {"task_id": self.task_id, "fields": [problem.model_dump() for problem in self.problems]}


class TaskForm(QuestionForm, Protocol):
    """The tasks of one kind: how they are read, accepted and steered."""

    @property
    def product(self) -> str:
        """The name of the product; as its `SubjectTable` has it, where there is one."""

    @property
    def body(self) -> type[BaseModel]:
        """The model of a body of this form."""

    def recognises(self, sent: Mapping[str, Any]) -> bool:
        """Whether an object is meant as a body of this form, valid or not."""

    def read(self, body: Any, sender: Sender, /) -> Any:
        """The submission that a body of this form is; of the general form a `NewTask`."""

    def accept(
        self, engine: Engine, submissions: Sequence[Any], entry_point: EntryPoint, /
    ) -> Sequence[TaskReceipt]:
        """Accept submissions in one transaction, each once; one receipt each, in their order.

        What is refused for another task's sake is kept as rejected, in the same transaction.
        """

    def accept_within(
        self, transaction: Transaction, submissions: Sequence[Any], entry_point: EntryPoint, /
    ) -> Sequence[TaskReceipt]:
        """Accept submissions as a part of this transaction; what is refused changes nothing and is not kept."""

    def steer(self, engine: Engine, task_id: str, verb: Verb, *, by: str, reason: str | None) -> VerbResult:
        """Carry a verb out on a task of this form; `UNKNOWN` for one that is not."""

    def transitions(self, state: str, verb: Verb, /) -> Mapping[str, Any]:
        """Where a task is that refused a verb, where it was to go, and where it may go; for programs.

        `state` is the business state of a product's task, the lifecycle of general work.
        """


class ProductForm(TaskForm, Protocol):
    """The tasks of a product whose runs are about subjects of its own."""

    @property
    def entry_points(self) -> frozenset[EntryPoint]:
        """Where bodies of this form come in and of no other."""

    @property
    def subjects(self) -> SubjectTable:
        """The table of what its tasks are about."""

    @property
    def states(self) -> type[StrEnum]:
        """The business states its tasks can be listed by."""

    def owns(self, engine: Engine, task_type: str, /) -> bool:
        """Whether tasks of this type are of this form, however they are asked for."""

    def read_general(self, task: NewTask) -> Any | tuple[Problem, ...]:
        """The submission that a task of a type this form owns is, or what is wrong with its parameters."""

    def has(self, work: UnitOfWork, task_id: str, /) -> bool:
        """Whether there is a subject of this id."""

    def given(self, work: UnitOfWork, task_id: str) -> Mapping[str, Any]:
        """What one of its subjects was submitted with, as far as it may be shown."""


@dataclass(frozen=True, slots=True)
class ReadTask:
    """A task that could be read, and whose it is."""

    form: TaskForm
    submission: Any


Problems = tuple[Problem, ...]
_NO_VERSION = (Problem(field="version", message="is not chosen for this type of task"),)


@dataclass(frozen=True)
class TaskForms:
    """The forms that are registered."""

    general: TaskForm
    """The form that names a task's type; its own tasks are those of a type that no product owns."""
    products: tuple[ProductForm, ...]
    """In the order in which a body is tried; the last takes what none recognises."""

    @property
    def all(self) -> tuple[TaskForm, ...]:
        """Every form, those of products first."""
        return (*self.products, self.general)

    @cached_property
    def body(self) -> Any:
        """The type of a body in any form, as it is sent over HTTP."""
        return one_of(
            [Alternative(each.product, each.body, each.recognises) for each in (self.general, *self.products)]
        )

    @property
    def subjects(self) -> tuple[SubjectTable, ...]:
        """The tables of what tasks are about."""
        return tuple(form.subjects for form in self.products)

    @property
    def states(self) -> tuple[type[StrEnum], ...]:
        """The business states that tasks can be listed by."""
        return tuple(form.states for form in self.products)

    def product(self, name: str) -> ProductForm:
        """The form of this product's tasks."""
        return next(form for form in self.products if form.product == name)

    def form_of(self, work: UnitOfWork, review: Review) -> TaskForm:
        """The form of the task that a question is about."""
        of_product = (form for form in self.products if review.task_id and form.has(work, review.task_id))
        return next(of_product, self.general)

    def read(self, engine: Engine, sent: Any, sender: Sender) -> ReadTask | Problems:
        """One task as it was sent over HTTP, or what is wrong with it."""
        try:
            body = self._adapters[EntryPoint.HTTP].validate_python(sent)
        except ValidationError as error:
            return tuple(problems_of(error, "a task"))
        return self.read_body(engine, body, sender)

    def read_text(
        self, engine: Engine, text: str, entry_point: EntryPoint, sender: Sender
    ) -> ReadTask | Problems:
        """One task out of the text that came in here, or what is wrong with it."""
        try:
            body = self._adapters[entry_point].validate_json(text)
        except ValidationError as error:
            return tuple(problems_of(error))
        return self.read_body(engine, body, sender)

    def read_document(
        self, engine: Engine, document: Any, entry_point: EntryPoint, sender: Sender
    ) -> ReadTask | Problems:
        """One task out of a document such as would come in here, or what is wrong with it."""
        try:
            body = self._adapters[entry_point].validate_python(document)
        except ValidationError as error:
            return tuple(problems_of(error))
        return self.read_body(engine, body, sender)

    def read_body(self, engine: Engine, body: BaseModel, sender: Sender) -> ReadTask | Problems:
        """A valid body as the submission it is, or what is wrong with its parameters."""
        for form in self.products:
            if isinstance(body, form.body):
                return ReadTask(form, form.read(body, sender))
        task: NewTask = self.general.read(body, sender)
        return self.read_general(engine, task)

    def read_general(self, engine: Engine, task: NewTask) -> ReadTask | Problems:
        """A task that is asked for by its type as the submission of whoever owns that."""
        for form in self.products:
            if form.owns(engine, task.task_type):
                submission = form.read_general(task) if task.version is None else _NO_VERSION
                return submission if isinstance(submission, tuple) else ReadTask(form, submission)
        return ReadTask(self.general, task)

    def steer(self, engine: Engine, task_id: str, verb: Verb, *, by: str, reason: str | None) -> VerbResult:
        """Carry a verb out on the task of this id, whosever it is."""
        for form in self.all:
            result = form.steer(engine, task_id, verb, by=by, reason=reason)
            if result is not VerbResult.UNKNOWN:
                return result
        return VerbResult.UNKNOWN

    @cached_property
    def _adapters(self) -> Mapping[EntryPoint, TypeAdapter[Any]]:
        """What reads the bodies that come in at each entry point."""
        any_form = TypeAdapter(self.body)
        own = {point: TypeAdapter(form.body) for form in self.products for point in form.entry_points}
        return {point: own.get(point, any_form) for point in EntryPoint}
