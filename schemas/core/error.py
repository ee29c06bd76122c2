"""The one form of every error (seed 000 section 九)."""

from enum import StrEnum
from typing import Any, Literal

from schemas.core.form import Answered, Moment


class Code(StrEnum):
    """What went wrong, as programs read it. The last four are ours (SPEC.md §6)."""

    BAD_REQUEST = "BAD_REQUEST"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    STATE_CONFLICT = "STATE_CONFLICT"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    RATE_LIMITED = "RATE_LIMITED"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    RANGE_NOT_SATISFIABLE = "RANGE_NOT_SATISFIABLE"


class ErrorDetail(Answered):
    """What went wrong, for programs and for people."""

    code: Code
    message: str
    details: dict[str, Any]


class ErrorBody(Answered):
    """The body of every answer that is no success."""

    success: Literal[False] = False
    error: ErrorDetail
    request_id: str
    timestamp: Moment
