"""General work as a task form: any registered workflow or action, asked for by its name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from engine.engine import Engine
from engine.transaction import Transaction
from schemas.flows.tasks import GeneralTask
from schemas.people.interrupts import answer_schema
from statemachine.workflow.states import RunState
from storage.core.unit_of_work import UnitOfWork
from storage.people.answers import Respondent
from storage.people.reviews import Review
from tasks.flows import general, verbs
from tasks.forms import EntryPoint, NewTask, Sender, TaskReceipt
from tasks.people.answering import answer_within
from tasks.people.answers import Decided, given_answer, refusal, require_decision, require_form
from tasks.people.question_form import ReadyAnswer
from tasks.verbs import ALLOWED, STATE_AFTER, Verb, VerbResult


@dataclass(frozen=True, slots=True)
class GeneralForm:
    """The tasks that no product owns: runs about nothing but themselves."""

    product: str = "flows"
    body: type[BaseModel] = GeneralTask

    def recognises(self, sent: Mapping[str, Any]) -> bool:
        """Whether this names a type of task."""
        return "task_type" in sent

    def read(self, body: GeneralTask, sender: Sender) -> NewTask:
        """The task that is asked for."""
        return NewTask(**body.model_dump(), priority_given="priority" in body.model_fields_set, sender=sender)

    def accept(
        self, engine: Engine, submissions: Sequence[NewTask], entry_point: EntryPoint
    ) -> list[TaskReceipt]:
        """Accept tasks in one transaction; one that is known with another body is kept as rejected."""
        return general.accept(engine, submissions, entry_point)

    def accept_within(
        self, transaction: Transaction, submissions: Sequence[NewTask], _: EntryPoint, /
    ) -> list[TaskReceipt]:
        """Accept tasks as a part of this transaction; nothing is kept of what is refused."""
        return general.accept_within(transaction, submissions)

    def steer(self, engine: Engine, task_id: str, verb: Verb, *, by: str, reason: str | None) -> VerbResult:
        """Carry a verb out on general work."""
        return verbs.steer(engine, task_id, verb, by=by, reason=reason)

    def answer_schema(self, review: Review) -> dict[str, Any]:
        """A decision, a note, and the form where the question has one."""
        return answer_schema(review.decisions, review.form)

    def answer_within(
        self, transaction: Transaction, review: Review, payload: Mapping[str, Any], by: Respondent
    ) -> tuple[Decided, Review | None]:
        """Answer a locked question as a part of this transaction."""
        return answer_within(transaction, review, given_answer(payload, by))

    def refusal_of(
        self, work: UnitOfWork, review: Review, payload: Mapping[str, Any], by: Respondent
    ) -> Decided | None:
        """Why a locked question cannot be answered so by this person."""
        given = given_answer(payload, by)
        require_decision(review, given.decision)
        require_form(review, given.form)
        return Decided.OTHERWISE if review.state != "open" else refusal(work, review, by)

    def ready_answers(self, _: UnitOfWork, review: Review, /) -> list[ReadyAnswer]:
        """Each decision, where the question has no form."""
        offered = review.decisions if review.form is None else ()
        return [ReadyAnswer(each, {"decision": each}) for each in offered]

    def seen(self, *_: object) -> int:
        """Nothing comes of its own to general work that would change a person's mind."""
        return 0

    def transitions(self, state: str, verb: Verb) -> dict[str, Any]:
        """The lifecycle of a run that refused a verb, and where it may go."""
        return {
            "current_state": state,
            "requested_state": STATE_AFTER[verb].value,
            "allowed_transitions": [
                {"event": each.value, "to_state": STATE_AFTER[each].value}
                for each in ALLOWED[RunState(state)]
            ],
        }
