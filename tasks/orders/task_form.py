"""Orders as a task form: how they are read, accepted, shown and steered among the tasks of every product."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from engine.engine import Engine
from engine.transaction import Transaction
from schemas.core.problems import Problem, problems_of
from schemas.orders.intake import TaskCreated
from schemas.orders.reviews import DecisionMade, order_answer_schema
from statemachine.orders.states import State
from storage.core.unit_of_work import UnitOfWork
from storage.engine.subjects import SubjectTable
from storage.orders.contacts.contacts import Contacts
from storage.orders.orders import Orders
from storage.orders.subject_table import ORDERS
from storage.people.answers import Respondent
from storage.people.reviews import Review
from tasks.forms import EntryPoint, NewTask, Sender
from tasks.orders.intake import intake
from tasks.orders.intake.intake import TRIGGER, OrderReceipt, Submission
from tasks.orders.people import intervention
from tasks.orders.people.deciding import Decision, decide_within, refusal
from tasks.orders.people.ready_answers import ready_answers
from tasks.orders.rules.context import Context
from tasks.orders.rules.transitions import transitions_from
from tasks.people.answers import Decided, InvalidAnswer, require_decision, require_form
from tasks.people.question_form import ReadyAnswer
from tasks.verbs import NO_REASON, Verb, VerbResult

_MESSAGES: Final = frozenset({EntryPoint.STREAM, EntryPoint.QUEUE, EntryPoint.COMMAND})


@dataclass(frozen=True, slots=True)
class OrderForm:
    """The tasks that are suspended orders."""

    context: Callable[[], Context]
    """What the work needs of the world, made when it is first used."""

    product: str = ORDERS.product
    body: type[BaseModel] = TaskCreated
    entry_points: frozenset[EntryPoint] = _MESSAGES
    subjects: SubjectTable = ORDERS
    states: type[StrEnum] = State

    def recognises(self, sent: Mapping[str, Any]) -> bool:
        """Whether this is meant as an order: all that names no type of task is."""
        return "task_type" not in sent

    def owns(self, engine: Engine, task_type: str) -> bool:
        """Whether tasks of this type are orders, whichever form they are asked for in."""
        return any(workflow.name == task_type for workflow in engine.triggered_by(TRIGGER))

    def read(self, body: TaskCreated, sender: Sender) -> Submission:
        """An order as its sender submits it."""
        return Submission(
            body,
            sender.request_id,
            timeout_seconds=sender.timeout_seconds,
            description=sender.description,
            created_by=sender.agent_id,
            default_mode=sender.default_mode,
            trace_id=sender.trace_id,
        )

    def read_general(self, task: NewTask) -> Submission | tuple[Problem, ...]:
        """The order that the parameters of a task describe, or what is wrong with them."""
        order = _order_in(task)
        if not isinstance(order, TaskCreated):
            return order
        return Submission(
            order,
            task.sender.request_id,
            timeout_seconds=task.timeout_seconds or task.sender.timeout_seconds,
            description=task.description or task.sender.description,
            created_by=task.sender.agent_id,
            default_mode=task.sender.default_mode,
            trace_id=task.sender.trace_id,
        )

    def accept(
        self, engine: Engine, submissions: Sequence[Submission], entry_point: EntryPoint
    ) -> list[OrderReceipt]:
        """Accept orders in one transaction; see `tasks.orders.intake.intake.accept`."""
        return intake.accept(engine, self.context(), submissions, entry_point)

    def accept_within(
        self, transaction: Transaction, submissions: Sequence[Submission], entry_point: EntryPoint
    ) -> list[OrderReceipt]:
        """Accept orders as a part of this transaction; what is refused changes nothing and is not kept."""
        return intake.accept_within(transaction, self.context(), submissions, entry_point)

    def has(self, work: UnitOfWork, task_id: str) -> bool:
        """Whether there is an order of this task_id."""
        return task_id in Orders(work).find([task_id])

    def answer_within(
        self, transaction: Transaction, review: Review, payload: Mapping[str, Any], by: Respondent
    ) -> tuple[Decided, Review | None]:
        """Answer a locked question as a part of this transaction."""
        return decide_within(transaction, self.context(), review, _decision(payload, by))

    def refusal_of(
        self, work: UnitOfWork, review: Review, payload: Mapping[str, Any], by: Respondent
    ) -> Decided | None:
        """Why a locked question cannot be decided so by this person; what its order allows shows when it is applied."""
        decision = _decision(payload, by)
        require_decision(review, decision.decision)
        require_form(review, decision.form)
        return Decided.OTHERWISE if review.state != "open" else refusal(work, review, decision)

    def ready_answers(self, work: UnitOfWork, review: Review) -> list[ReadyAnswer]:
        """What is suggested, with its date, and each decision that needs nothing else."""
        return ready_answers(work, self.context(), review)

    def seen(self, work: UnitOfWork, review: Review) -> int:
        """How often the customer has turned to us about the order."""
        return 0 if review.task_id is None else Contacts(work).inbound_of_task(review.task_id)

    def answer_schema(self, review: Review) -> dict[str, Any]:
        """A decision with what an order needs to go on; see `tasks.orders.people.deciding`."""
        return order_answer_schema(review.decisions, review.form)

    def given(self, work: UnitOfWork, task_id: str) -> dict[str, Any]:
        """What an order came with, as far as it is kept; its number and personal fields are masked in its metadata."""
        order = Orders(work).find([task_id])[task_id]
        return {
            "task_id": order.task_id,
            "order_id": order.order_id,
            "order_type": order.order_type,
            "priority": order.priority,
            "mode": order.mode,
            "metadata": self.context().personal.mask(order.metadata),
        }

    def steer(self, engine: Engine, task_id: str, verb: Verb, *, by: str, reason: str | None) -> VerbResult:
        """Carry a verb out on an order.

        Raises:
            IllegalTransition: the order's state does not allow it; nothing was changed.
        """
        match verb:
            case Verb.CANCEL:
                return intervention.cancel(engine, task_id, by=by, reason=reason or NO_REASON)[0]
            case Verb.PAUSE:
                return intervention.pause(engine, task_id, by=by, reason=reason)[0]
            case Verb.RESUME:
                return intervention.resume(engine, task_id, by=by, reason=reason)[0]
            case Verb.RETRY:
                return intervention.retry(engine, self.context(), task_id, by=by, reason=reason)[0]

    def transitions(self, state: str, verb: Verb) -> dict[str, Any]:
        """Where an order is, where the verb would have led it, and where it may go."""
        return transitions_from(State(state), State.CLOSED if verb is Verb.CANCEL else None)


def _decision(payload: Mapping[str, Any], by: Respondent) -> Decision:
    """The decision that a payload is.

    Raises:
        InvalidAnswer: it is something else.
    """
    try:
        return Decision.of(DecisionMade.model_validate(dict(payload)), by)
    except ValidationError as error:
        raise InvalidAnswer(problems_of(error, "an answer")) from error


def _order_in(task: NewTask) -> TaskCreated | tuple[Problem, ...]:
    try:
        body = TaskCreated.model_validate(dict(task.parameters))
    except ValidationError as error:
        return tuple(
            Problem(
                field="parameters" if each.field == "body" else f"parameters.{each.field}",
                message=each.message,
            )
            for each in problems_of(error)
        )
    if task.task_id is not None and task.task_id != body.task_id:
        return (Problem(field="task_id", message="is not the task_id in parameters; leave one of them out"),)
    # The task's own priority counts where the order names none.
    if not task.priority_given or body.priority == task.priority:
        return body
    if "priority" in body.model_fields_set:
        return (
            Problem(field="priority", message="is not the priority in parameters; leave one of them out"),
        )
    return body.model_copy(update={"priority": task.priority})
