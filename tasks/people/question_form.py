"""Question forms: what a product registers so that questions about its tasks are answered, at once or after a hold."""

from collections.abc import Mapping
from typing import Any, Protocol

from engine.engine import Engine
from engine.transaction import Transaction
from storage.core.unit_of_work import UnitOfWork
from storage.people.answers import Respondent
from storage.people.reviews import Review
from tasks.people.answers import Decided


class QuestionForm(Protocol):
    """How questions about tasks of one kind are answered."""

    def answer_schema(self, review: Review, /) -> Mapping[str, Any]:
        """What the payload of an answer to a question of this form holds, as a JSON Schema."""

    def answer(
        self, engine: Engine, review: Review, payload: Mapping[str, Any], by: Respondent, /
    ) -> tuple[Decided, Review | None]:
        """Answer a question about a task of this form.

        Raises:
            InvalidAnswer: the payload is not what the question asks for.
        """

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

    def seen(self, work: UnitOfWork, review: Review, /) -> int:
        """What is known of the task: another number once something has come that a person should hear first."""
