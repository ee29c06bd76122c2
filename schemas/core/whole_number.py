"""A whole number in a request: JSON's `true` and `false` are none, though Python counts with them."""

from typing import Annotated, Any

from pydantic import BeforeValidator


def _no_truth(given: Any) -> Any:
    if isinstance(given, bool):
        raise ValueError("must be a whole number, not true or false")  # noqa: TRY004 - pydantic reads ValueError
    return given


WholeNumber = Annotated[int, BeforeValidator(_no_truth)]
"""An integer; bounded where it is used."""
