"""Question forms: what a product registers so that questions about its tasks are answered, at once or after a hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from engine.transaction import Transaction
from storage.core.unit_of_work import UnitOfWork
from storage.people.answers import Respondent
from storage.people.reviews import Review
from tasks.people.answers import Decided


@dataclass(frozen=True, slots=True)
class ReadyAnswer:
    """An answer that a person may give as it stands."""

    label: str
    """What it means, in Chinese, as a button shows it."""
    payload: Mapping[str, Any]


class QuestionForm(Protocol):
    """How questions about tasks of one kind are answered."""

    def answer_schema(self, review: Review, /) -> Mapping[str, Any]:
        """What the payload of an answer to a question of this form holds, as a JSON Schema."""

    def answer_within(
        self, transaction: Transaction, review: Review, payload: Mapping[str, Any], by: Respondent, /
    ) -> tuple[Decided, Review | None]:
        """Answer a locked question as a part of this transaction.

        Raises:
            InvalidAnswer: the payload is not what the question asks for.
            UnknownDecision, IllegalTransition: it cannot be decided so as things stand; nothing may be committed.
        """

    def refusal_of(
        self, work: UnitOfWork, review: Review, payload: Mapping[str, Any], by: Respondent, /
    ) -> Decided | None:
        """Why a locked question cannot be answered so by this person; `None` as far as nothing speaks against it.

        Raises:
            InvalidAnswer: the payload is not what the question asks for.
        """

    def ready_answers(self, work: UnitOfWork, review: Review, /) -> Sequence[ReadyAnswer]:
        """What answers an open question without a word of the person."""

    def seen(self, work: UnitOfWork, review: Review, /) -> int:
        """What is known of the task: another number once something has come that a person should hear first."""
