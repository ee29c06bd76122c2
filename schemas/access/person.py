"""The name that a caller gives beside their key; history keeps it as a label (SPEC.md §6)."""

from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

from schemas.core.form import storable

LONGEST_NAME: Final = 32
"""Characters a label may have."""

PersonName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME, pattern=r"\S"),
    AfterValidator(storable),
]
"""A name as history keeps it."""
