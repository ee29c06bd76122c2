"""What a person is asked by a review, in their language."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from schemas.core.language import Language
from schemas.people.why import Why, why_asked
from schemas.people.wording import question_of
from storage.people.reviews import Review


def _as_kept(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class ReviewQuestion:
    """Why a person is asked, and the question that says so."""

    why: tuple[Why, ...]
    text: str = field(repr=False)

    @classmethod
    def of(cls, review: Review, language: Language, quoted: Callable[[Any], Any] = _as_kept) -> Self:
        """The question of a review; one that has no codes is its author's own, in whatever language that is.

        `quoted` puts a customer's words in the places that a text or a parameter names, for who may know them.
        """
        why = tuple(Why(each.code, quoted(each.params)) for each in why_asked(review.context))
        return cls(why, question_of(why, language) or str(quoted(review.question)))
