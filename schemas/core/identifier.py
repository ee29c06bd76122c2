"""An id that a caller may choose: of a task, an order, an agent's role."""

from typing import Annotated

from pydantic import Field

from runtime.names import FORM, LONGEST

Identifier = Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=rf"^{FORM}$")]
"""The form of every id in a request."""
