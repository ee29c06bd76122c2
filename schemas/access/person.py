"""A person, as requests name one: who took a question, who decided it, who looked at an alert."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from schemas.core.form import storable

PersonName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=32, pattern=r"\S"),
    AfterValidator(storable),
]
"""A name as history keeps it."""
