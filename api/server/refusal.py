"""Refusals of routes: a code for programs, a message for people."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from schemas.core.error import Code

_OVERLOAD_SECONDS: Final = 5
"""When a caller who was refused for overload may ask again."""


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


def overloaded(message: str) -> Refusal:
    """Too much waits already: nothing was done, and it may be sent again after a while."""
    return Refusal(
        Code.SERVICE_UNAVAILABLE, f"overloaded: {message}", headers={"Retry-After": str(_OVERLOAD_SECONDS)}
    )


def invalid(problems: Sequence[tuple[str, str]]) -> Refusal:
    """Fields that cannot be taken as they are: each with what is wrong with it, never with its value."""
    return Refusal(
        Code.VALIDATION_FAILED,
        "the request was understood and cannot be taken: see details.fields",
        details={"fields": [{"field": field, "message": message} for field, message in problems]},
    )
