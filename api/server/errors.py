"""How exceptions are answered: tables of exceptions, one form for all (seed 000 section 九, SPEC.md §6)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.routing import Match

from api.server.coalescer import CoalescerClosed
from api.server.middleware.request_id import HEADER, request_id_of
from api.server.refusal import Refusal, invalid
from engine.publisher import WireUnavailable
from runtime.logs import logger
from runtime.mask import mask_text
from schemas.core.error import Code, ErrorBody, ErrorDetail
from schemas.core.problems import message_of
from statemachine.workflow.planner import UnknownDecision
from storage.core.unavailable import StorageUnavailable

_log = logger(__name__)

Faults = Mapping[type[Exception], Callable[[Any], Refusal]]
"""By exception, what is answered; an exception in no table is a bug and answers 500."""

STATUS: Final[Mapping[Code, int]] = MappingProxyType(
    {
        Code.BAD_REQUEST: 400,
        Code.UNAUTHORIZED: 401,
        Code.FORBIDDEN: 403,
        Code.NOT_FOUND: 404,
        Code.METHOD_NOT_ALLOWED: 405,
        Code.STATE_CONFLICT: 409,
        Code.PAYLOAD_TOO_LARGE: 413,
        Code.UNSUPPORTED_MEDIA_TYPE: 415,
        Code.RANGE_NOT_SATISFIABLE: 416,
        Code.VALIDATION_FAILED: 422,
        Code.RATE_LIMITED: 429,
        Code.INTERNAL_ERROR: 500,
        Code.SERVICE_UNAVAILABLE: 503,
    },
)
"""The HTTP status of every code."""

_CODES: Final = MappingProxyType({status: code for code, status in STATUS.items()})
_RETRY_AFTER: Final = MappingProxyType({"Retry-After": "1"})
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_MOST_FIELDS: Final = 20
_LONGEST_FIELD: Final = 100
_LONGEST_MASKED: Final = 1000
"""Far more than is shown: half a number, where a name is cut before it is masked, would not be masked."""
_DEEPEST_FIELD: Final = 20
_SAID: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "the request cannot be read: its body is not what its headers say",
        404: "there is no such route; see /v1/openapi.json",
        405: "this route does not take this method; see the Allow header",
        415: "the body must be JSON: send Content-Type: application/json",
    },
)


def _refused(refusal: Refusal) -> Refusal:
    return refusal


def _of_http(error: HTTPException) -> Refusal:
    """What FastAPI and Starlette raise themselves."""
    code = _CODES.get(error.status_code, Code.BAD_REQUEST)
    return Refusal(code, _SAID.get(error.status_code, str(error.detail)), headers=error.headers)


def _of_validation(error: RequestValidationError) -> Refusal:
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return Refusal(Code.BAD_REQUEST, "the body is not JSON")
    return invalid(
        [(_field(fault["loc"]), message_of(fault, "this request")) for fault in faults[:_MOST_FIELDS]]
    )


def _of_absence(_: ClientDisconnect) -> Refusal:
    """The client is gone and gets no answer; it is counted, and not as a fault of ours."""
    return Refusal(Code.BAD_REQUEST, "the connection ended before the body did")


def _of_decision(error: UnknownDecision) -> Refusal:
    return invalid([("decision", str(error))])


def _of_outage(_: Exception) -> Refusal:
    return Refusal(
        Code.SERVICE_UNAVAILABLE,
        "a server this needs does not answer; whether anything was done is unknown: send it again",
        headers=_RETRY_AFTER,
    )


FAULTS: Final[Faults] = MappingProxyType(
    {
        Refusal: _refused,
        HTTPException: _of_http,
        ClientDisconnect: _of_absence,
        RequestValidationError: _of_validation,
        UnknownDecision: _of_decision,
        StorageUnavailable: _of_outage,
        WireUnavailable: _of_outage,
        CoalescerClosed: _of_outage,
    },
)
"""Every exception that any route may end in, and its answer; contexts have tables of their own (`Registration`)."""


def install(app: FastAPI, *further: Faults) -> None:
    """Answer every exception of these tables, and any other, in the one form."""
    faults = dict(FAULTS)
    for table in further:
        faults.update(table)
    app.state.faults = faults
    for kind, refusal_of in faults.items():
        app.add_exception_handler(kind, _handler(refusal_of))
    app.add_exception_handler(Exception, _unexpected)


def documented(*codes: Code) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may end in these codes."""
    return {
        STATUS[code]: {"model": ErrorBody, "description": f"{code.value} in the form of every error."}
        for code in codes
    }


def faults_of(request: HTTPConnection) -> Faults:
    """Every exception that the app of this request answers in a way of its own."""
    faults: Faults = request.app.state.faults
    return faults


def answer_of(request: HTTPConnection, error: Exception) -> Response:
    """What is answered to an exception of `faults_of`, for whoever must hold the answer before it is sent."""
    faults = faults_of(request)
    refusal_of = next(faults[kind] for kind in type(error).__mro__ if kind in faults)
    return _answered(request, error, refusal_of)


def _handler(refusal_of: Callable[[Any], Refusal]) -> Callable[[Request, Exception], Any]:
    async def answer(request: Request, error: Exception) -> Response:
        return _answered(request, error, refusal_of)

    return answer


def _answered(request: HTTPConnection, error: Exception, refusal_of: Callable[[Any], Refusal]) -> Response:
    refusal = refusal_of(error)
    if refusal.code is Code.SERVICE_UNAVAILABLE:
        _log.warning("unavailable", path=_shown_path(request), error=f"{type(error).__name__}: {error}")
    if refusal.code is Code.METHOD_NOT_ALLOWED:
        refusal.headers["Allow"] = _allowed_methods(request)
    return _response(request, refusal)


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("request failed", method=request.method, path=_shown_path(request), exc_info=error)
    return _response(
        request, Refusal(Code.INTERNAL_ERROR, "something went wrong here; the request id leads to the log")
    )


def _allowed_methods(request: HTTPConnection) -> str:
    """The methods of the request's path over every route that has it; the framework names those of one route only."""
    routes = request.app.router.routes
    taken = {
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    }
    if "GET" in taken:
        taken.add("HEAD")
    return ", ".join(method for method in _METHODS if method in taken)


def _response(request: HTTPConnection, refusal: Refusal) -> Response:
    """The refusal in the one form of every error."""
    request_id = request_id_of(request.scope)
    body = ErrorBody(
        error=ErrorDetail(code=refusal.code, message=refusal.message, details=refusal.details),
        request_id=request_id,
        timestamp=datetime.now(UTC),
    )
    return Response(
        body.model_dump_json(),
        status_code=STATUS[refusal.code],
        headers={HEADER: request_id, **refusal.headers},
        media_type="application/json",
    )


def _shown_path(request: HTTPConnection) -> str:
    """The path as it may be logged: the token that ends a provider's address is a secret."""
    token = str(request.path_params.get("token", ""))
    return request.url.path.replace(token, "****") if token else request.url.path


def _field(location: tuple[int | str, ...]) -> str:
    """The field's path within its part of the request; a caller may have named it, so it is masked."""
    inner = location[1:] if len(location) > 1 else location
    named = ".".join(str(part)[:_LONGEST_MASKED] for part in inner[:_DEEPEST_FIELD])
    return mask_text(named[:_LONGEST_MASKED])[:_LONGEST_FIELD]
