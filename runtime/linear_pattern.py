"""Matches patterns that others wrote, in time proportional to the text, whatever the pattern.

What Python's own `re` needs can double with every character; the engine used here never goes back in the text.
"""

from functools import lru_cache
from typing import Final

from pydantic_core import SchemaError, SchemaValidator, core_schema

_KEPT: Final = 256
"""Patterns a process keeps."""


class NotLinear(ValueError):
    """It is no pattern, or one that cannot be matched in linear time: it looks around, or refers back."""


class LinearPattern:
    """A regular expression without look-around and references back."""

    def __init__(self, pattern: str) -> None:
        """Take the pattern.

        Raises:
            NotLinear: it is malformed, larger than is reasonable, or needs to go back in the text.
        """
        try:
            self._form = SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
        except SchemaError as error:
            raise NotLinear(
                "is no pattern that is matched in time proportional to the text: it is malformed, looks around, "
                "refers back, or is too large"
            ) from error

    def found_in(self, text: str) -> bool:
        """Whether the pattern matches anywhere in the text."""
        return self._form.isinstance_python(text)


@lru_cache(maxsize=_KEPT)
def linear_pattern(pattern: str) -> LinearPattern:
    """The pattern, compiled once.

    Raises:
        NotLinear: see `LinearPattern`.
    """
    return LinearPattern(pattern)
