"""What a route raises to refuse: the code programs read, the words people read."""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.core.error import Code
from statemachine.orders.states import State
from tasks.orders.rules.transitions import transitions_from


class Refusal(Exception):
    """The request is answered with this error; nothing was changed.

    Attributes:
        code: The code; its HTTP status is in `api.server.errors`.
        details: What programs may need to go on; never a phone number, never a secret.
        headers: Headers that go with the answer.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = dict(details or {})
        self.headers = dict(headers or {})


def unknown(what: str, name: str) -> Refusal:
    """There is no such thing."""
    return Refusal(Code.NOT_FOUND, f"there is no {what} '{name}'", details={f"{what}_id": name})


def conflict(current: State, requested: State | None, message: str | None = None, **more: object) -> Refusal:
    """The order's state does not allow what was asked, in the seed's words (seed 000 section 九)."""
    wanted = f"Cannot transition from '{current}' to '{requested}'" if requested else "Cannot transition"
    return Refusal(
        Code.STATE_CONFLICT, message or wanted, details=transitions_from(current, requested) | more
    )


def invalid(problems: Sequence[tuple[str, str]]) -> Refusal:
    """Fields that cannot be taken as they are: each with what is wrong with it, never with its value."""
    return Refusal(
        Code.VALIDATION_FAILED,
        "the request was understood and cannot be taken: see details.fields",
        details={"fields": [{"field": field, "message": message} for field, message in problems]},
    )
