"""The route for the one-time addresses of HTTP steps."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Path, Request

from api.server.errors import documented
from api.server.limits.body_limit import read_body
from api.server.refusal import Refusal
from api.server.route import Route
from api.server.services import GivenParts
from schemas.core.error import Code
from schemas.flows.http_callbacks import HttpCallbackReceived
from tasks.flows.http_steps.http_callbacks import call_back
from tools.http_requests.content import LARGEST_BODY, UnfitContent, read_json

router = APIRouter(prefix="/callbacks", tags=["callbacks"], route_class=Route)

_BODY: Final[dict[str, Any]] = {
    "security": [],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "description": "Any JSON; it becomes `callback` in what the step returns.",
                    "example": {"paid": True},
                }
            }
        },
    },
}

Token = Annotated[
    str, Path(min_length=1, max_length=64, description="The end of the address that the request was given.")
]


async def sent_json(request: Request) -> str:
    """The body, as JSON text.

    Raises:
        HTTPException: it is too large (413).
        Refusal: it is no JSON that can be kept (400).
    """
    try:
        return orjson.dumps(read_json(await read_body(request, LARGEST_BODY))).decode()
    except UnfitContent as error:
        raise Refusal(Code.BAD_REQUEST, f"send a body of JSON: {error}") from error


@router.post(
    "/http/{token}",
    summary="Call back the step that made a request",
    openapi_extra=_BODY,
    responses=documented(Code.NOT_FOUND, Code.PAYLOAD_TOO_LARGE),
)
def http_step_called_back(
    token: Token, body: Annotated[str, Depends(sent_json)], parts: GivenParts
) -> HttpCallbackReceived:
    """Not called with a key: the address is the proof. It was sent as `Unpend-Callback` with a step's request.

    The first call lets the step go on. Any 200 says that the call need not be made again.
    """
    result = call_back(parts.engine, token, body)
    if result is None:
        raise Refusal(Code.NOT_FOUND, "there is no such callback address")
    return HttpCallbackReceived(outcome=result.value)
