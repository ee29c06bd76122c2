"""The provider's wire protocol: JSON over HTTP/1.1, on Starlette."""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fleet.simulator.connection import drop
from fleet.simulator.contact import CallBody, contact_of
from fleet.simulator.delivery import CallbackDelivery
from fleet.simulator.faults import ArmedFault, FaultBoard, Faults, parse_faults
from fleet.simulator.group_commit import GroupCommit
from fleet.simulator.ledger import (
    ProviderLedger,
    ReceiveOutcome,
    RequestConflicts,
    RequestReceived,
    RequestRefused,
)
from schemas.orders.contact import Channel
from tools.channels.simulated.personas import draw
from tools.channels.simulated.simulation import Reaction, ScriptError, parse_entry

_LARGEST_BODY_BYTES: Final = 65_536
_Endpoint = Callable[[Request], Awaitable[Response]]
_Body = TypeVar("_Body", bound=BaseModel)


class _ProblemError(Exception):
    """What is answered instead of what was asked for."""

    def __init__(
        self,
        status: HTTPStatus,
        message: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.field = field
        self.headers = headers
        self.extra = extra or {}


class Simulator:
    """One provider: its ledger, its faults and its callbacks.

    Args:
        state: The SQLite file; made when absent.
        token: The bearer token that requests must carry.
        secret: Signs the callbacks.
        seed: Draws the customers of orders without a script.
    """

    def __init__(self, state: Path, *, token: str, secret: str, seed: str = "unpend") -> None:
        self._ledger = ProviderLedger(state)
        self._commit = GroupCommit(self._ledger)
        self._delivery = CallbackDelivery(self._ledger, self._commit, secret)
        self._faults = FaultBoard()
        self._token = token.encode()
        self._seed = seed

    def application(self) -> Starlette:
        """The ASGI application; to be served with `DroppableConnection`, by one process."""
        return Starlette(
            routes=[
                Route("/v1/calls", self._guarded(partial(self._contact, Channel.PHONE)), methods=["POST"]),
                Route("/v1/sms", self._guarded(partial(self._contact, Channel.SMS)), methods=["POST"]),
                Route("/v1/im", self._guarded(partial(self._contact, Channel.IM)), methods=["POST"]),
                Route("/v1/contacts/{key:path}", self._guarded(self._found), methods=["GET"]),
                Route("/v1/ledger", self._guarded(self._summary), methods=["GET"]),
                Route("/v1/ledger/{key:path}", self._guarded(self._entry), methods=["GET"]),
                Route("/v1/faults", self._guarded(self._arm), methods=["POST"]),
                Route("/v1/faults", self._guarded(self._disarm), methods=["DELETE"]),
                Route("/health", _health, methods=["GET"]),
            ],
            exception_handlers={_ProblemError: _problem_answer, HTTPException: _http_problem_answer},
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self._delivery.start()
        yield
        await self._delivery.stop()
        self._ledger.close()

    def _guarded(self, endpoint: _Endpoint) -> _Endpoint:
        async def guarded(request: Request) -> Response:
            given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
            if not hmac.compare_digest(given, self._token):
                raise _ProblemError(HTTPStatus.UNAUTHORIZED, "the bearer token is missing or wrong")
            return await endpoint(request)

        return guarded

    async def _contact(self, channel: Channel, request: Request) -> Response:
        body = await _read(request, CallBody)
        if request.headers.get("Idempotency-Key") != body.key:
            raise _ProblemError(HTTPStatus.BAD_REQUEST, "must equal the body's key", field="Idempotency-Key")
        reaction, scripted = self._reaction(body, channel)
        armed = self._faults.take({"key": body.key, "task_id": body.task_id, "channel": channel})
        contact = contact_of(body, channel, reaction, scripted.joined(armed))
        outcome = await self._commit.submit(partial(self._ledger.receive, contact, time.time()))
        return await self._answer(request, body.key, outcome, contact.faults)

    def _reaction(self, body: CallBody, channel: Channel) -> tuple[Reaction, Faults]:
        if body.simulation is None:
            return draw(self._seed, body.task_id, body.key, channel), Faults()
        try:
            reaction = parse_entry(body.simulation)
            return reaction, parse_faults(reaction.fault)
        except ScriptError as error:
            raise _ProblemError(
                HTTPStatus.BAD_REQUEST, str(error), field=f"simulation.{error.field}"
            ) from None

    async def _answer(self, request: Request, key: str, outcome: ReceiveOutcome, faults: Faults) -> Response:
        match outcome:
            case RequestConflicts():
                raise _ProblemError(
                    HTTPStatus.CONFLICT, "the key was used for another recipient or channel", field="key"
                )
            case RequestRefused(status, retry_after_seconds):
                raise _ProblemError(
                    HTTPStatus(status),
                    "refused by a fault; nothing was sent",
                    headers={"Retry-After": str(retry_after_seconds)},
                )
            case RequestReceived(provider_id, duplicate=True):
                return JSONResponse({"provider_id": provider_id, "key": key, "duplicate": True})
            case RequestReceived(provider_id, callbacks=callbacks):
                for callback in callbacks:
                    if faults.callback_before_response:
                        await self._delivery.attempt(callback)
                    else:
                        self._delivery.schedule(callback)
                if faults.slow_seconds:
                    await asyncio.sleep(faults.slow_seconds)
                if faults.accept_then_drop:
                    drop(request)
                return JSONResponse(
                    {"provider_id": provider_id, "key": key, "duplicate": False}, HTTPStatus.ACCEPTED
                )

    async def _found(self, request: Request) -> Response:
        key = request.path_params["key"]
        contact = self._ledger.contact(key, time.time())
        if contact is None:
            # The key is echoed, so that no other 404 is taken for "never received".
            raise _ProblemError(HTTPStatus.NOT_FOUND, "no contact has this key", extra={"key": key})
        return JSONResponse(contact)

    async def _summary(self, _: Request) -> Response:
        return JSONResponse(self._ledger.summary())

    async def _entry(self, request: Request) -> Response:
        entry = self._ledger.entry(request.path_params["key"])
        if entry is None:
            raise _ProblemError(HTTPStatus.NOT_FOUND, "no request had this key")
        return JSONResponse(entry)

    async def _arm(self, request: Request) -> Response:
        armed = await _read(request, ArmedFault)
        try:
            self._faults.arm(armed)
        except ScriptError as error:
            raise _ProblemError(HTTPStatus.BAD_REQUEST, str(error), field="fault") from None
        return JSONResponse({"armed": True}, HTTPStatus.CREATED)

    async def _disarm(self, _: Request) -> Response:
        return JSONResponse({"disarmed": self._faults.disarm()})


async def _read(request: Request, model: type[_Body]) -> _Body:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY_BYTES:
            raise _ProblemError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {_LARGEST_BODY_BYTES} bytes"
            )
    try:
        return model.model_validate_json(bytes(body))
    except ValidationError as error:
        # The offending value stays out of the answer: it may be a phone number.
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        raise _ProblemError(HTTPStatus.BAD_REQUEST, first["msg"], field=field) from None


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _error(
    status: HTTPStatus,
    message: str,
    field: str | None = None,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, object] | None = None,
) -> Response:
    error = {"code": status.name, "message": message, "field": field}
    return JSONResponse({**(extra or {}), "error": error}, status, headers)


async def _problem_answer(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, _ProblemError)
    return _error(problem.status, str(problem), problem.field, problem.headers, problem.extra)


async def _http_problem_answer(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return _error(HTTPStatus(problem.status_code), problem.detail, headers=problem.headers)
