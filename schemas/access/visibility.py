"""What of customers' data a caller may see: the one rule that every route and page asks."""

from collections.abc import Collection
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from schemas.access.scopes import Scope


class Content(StrEnum):
    """A kind of data about customers."""

    RECORDS = "records"
    """States, times, who did what, masked numbers: no words."""
    WORDS_UNDER_REVIEW = "words_under_review"
    """What a customer said in the contact that an open review asks about, numbers masked."""
    WORDS = "words"
    """What customers said in any contact."""
    NUMBERS = "numbers"
    """Numbers and other personal data in clear, each look with its reason."""


_SEEN_WITH: Final = MappingProxyType(
    {
        Scope.READ: frozenset({Content.RECORDS}),
        Scope.REVIEWS: frozenset({Content.WORDS_UNDER_REVIEW}),
        Scope.REVEAL: frozenset({Content.WORDS_UNDER_REVIEW, Content.WORDS, Content.NUMBERS}),
    }
)


def visible_to(scopes: Collection[str]) -> frozenset[Content]:
    """What somebody with these scopes may see."""
    return frozenset(content for scope, seen in _SEEN_WITH.items() if scope in scopes for content in seen)
