"""Where channels report: verified by signature, stored raw, answered fast (SPEC.md §8)."""

import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request

from api.body_limit import read_body
from api.errors import documented
from api.refusal import unknown
from api.route import Route
from api.services import GivenServices
from runtime.settings import Settings
from schemas.http.error import Code
from schemas.http.webhooks import REPORT, CallbackHeard
from tasks.callbacks import Callback
from tools.channels.contract import ContactReport
from tools.channels.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, parse_report, verify

LARGEST_CALLBACK: Final = 65_536
"""Bytes a callback may have."""

router = APIRouter(prefix="/webhooks", tags=["webhooks"], route_class=Route)

_BODY: Final[dict[str, Any]] = {
    "security": [],
    "requestBody": {"required": True, "content": {"application/json": {"schema": REPORT}}},
    "parameters": [
        {
            "name": name,
            "in": "header",
            "required": True,
            "description": meaning,
            "schema": {"type": "string"},
        }
        for name, meaning in (
            (TIMESTAMP_HEADER, "Unix seconds at which the callback was signed, within 5 minutes of now."),
            (
                SIGNATURE_HEADER,
                "`v1=` and the HMAC-SHA256 of `timestamp.body` under the callback secret, in hex.",
            ),
        )
    ],
}


async def verified(
    request: Request,
    provider: Annotated[str, Path(max_length=64, description="The name of the configured provider.")],
    services: GivenServices,
) -> Callback:
    """The report, when it is the provider's.

    Raises:
        Refusal: no such provider (404).
        HTTPException: the body is too large (413).
        SignatureError: it is not signed as it must be, or too old.
        ReportError: it is not a report.
    """
    settings = services.door.parts.settings
    if provider != settings.channel_provider:
        raise unknown("provider", provider)
    body = await read_body(request, LARGEST_CALLBACK)
    return Callback(_report(request, settings, body), body.decode("utf-8", "replace"))


@router.post(
    "/contact/{provider}",
    summary="Report what came of a contact",
    openapi_extra=_BODY,
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT, Code.PAYLOAD_TOO_LARGE),
)
async def contact_reported(
    callback: Annotated[Callback, Depends(verified)], services: GivenServices
) -> CallbackHeard:
    """Any 200 says that the report is kept and need not be sent again; `outcome` says what became of it.

    Not called with a key: the signature is the proof.
    """
    heard = await services.callbacks.submit(callback)
    return CallbackHeard(outcome=heard.value)


def _report(request: Request, settings: Settings, body: bytes) -> ContactReport:
    verify(
        [settings.callback_secret.get_secret_value()],
        timestamp=request.headers.get(TIMESTAMP_HEADER, ""),
        signature=request.headers.get(SIGNATURE_HEADER, ""),
        body=body,
        now=time.time(),
    )
    return parse_report(body)
