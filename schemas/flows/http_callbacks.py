"""The answer to a call of a step's one-time address."""

from typing import Literal

from schemas.core.form import Succeeded


class HttpCallbackReceived(Succeeded):
    """The call was taken; it need not be made again."""

    outcome: Literal["applied", "early", "late"]
    """`late`: the step has ended, or its address was called before; nothing was changed."""
