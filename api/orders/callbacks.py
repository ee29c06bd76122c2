"""The route for channel callbacks: verified, stored raw, answered fast (SPEC.md §8)."""

import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request, Response

from api.orders.services import GivenOrders
from api.server.errors import documented
from api.server.limits.body_limit import read_body
from api.server.refusal import unknown
from api.server.route import Route
from schemas.core.error import Code
from schemas.orders.callbacks import REPORT, CallbackReceived
from tasks.orders.inbound.callbacks import Callback
from tools.channels.callbacks import RawCallback
from tools.channels.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER

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
_PUSH: Final[dict[str, Any]] = {
    "security": [],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "array",
                    "items": {"type": "object"},
                    "description": "Reports in the provider's own form.",
                    "example": [
                        {
                            "phone_number": "1381111****",
                            "send_time": "2026-03-13 21:05:00",
                            "report_time": "2026-03-13 21:05:03",
                            "success": True,
                            "err_code": "DELIVERED",
                            "sms_size": "1",
                            "biz_id": "900619746936498440^0",
                            "out_id": "HT20260313001.1.3",
                        }
                    ],
                }
            }
        },
    },
}

Provider = Annotated[str, Path(max_length=64, description="The name of the configured provider.")]
Token = Annotated[str, Path(max_length=200, description="The secret end of the provider's address.")]


async def verified(request: Request, provider: Provider, services: GivenOrders) -> Callback:
    """What a callback reports, when it is the provider's.

    Raises:
        Refusal: no such provider (404).
        HTTPException: the body is too large (413).
        SignatureError: it is not proved as it must be, or too old.
        ReportError: it is not a report.
    """
    parts = services.parts
    reader = parts.context.callback_readers.get(provider)
    if reader is None:
        raise unknown("provider", provider)
    body = await read_body(request, reader.largest_body)
    token = str(request.path_params.get("token", ""))
    # A provider signs the address it was given, whatever became of it on the way through proxies.
    address = f"{parts.settings.callback_base_url}/webhooks/contact/{provider}{'/' if token else ''}{token}"
    reading = reader.read(
        RawCallback(
            url=f"{address}?{request.url.query}" if request.url.query else address,
            headers=request.headers,
            query=dict(request.query_params),
            body=body,
            token=token,
            sender="" if request.client is None else request.client.host,
            now=time.time(),
        )
    )
    return Callback(provider, reading, body.decode("utf-8", "replace"))


@router.post(
    "/contact/{provider}",
    summary="Report what came of a contact",
    response_model=CallbackReceived,
    openapi_extra=_BODY,
    responses=documented(Code.UNAUTHORIZED, Code.NOT_FOUND, Code.PAYLOAD_TOO_LARGE),
)
async def contact_reported(
    callback: Annotated[Callback, Depends(verified)], services: GivenOrders
) -> CallbackReceived | Response:
    """Any 200 says that the report is kept and need not be sent again; `outcome` says what became of it.

    Not called with a key: the signature is the proof. `twilio` posts its own forms here and is answered in
    its own language; what it signs is the address and the form.
    """
    return await _received(callback, services)


@router.post(
    "/contact/{provider}/{token}",
    summary="Report what came of contacts, to an address that is the proof",
    response_model=CallbackReceived,
    openapi_extra=_PUSH,
    responses=documented(Code.UNAUTHORIZED, Code.NOT_FOUND, Code.PAYLOAD_TOO_LARGE),
)
async def contacts_pushed(
    callback: Annotated[Callback, Depends(verified)],
    services: GivenOrders,
    token: Token,  # noqa: ARG001 - described here, read where it is verified
) -> CallbackReceived | Response:
    """For `aliyun`, which signs nothing: the address ends in a token agreed with it.

    Takes delivery reports, customers' replies and call records, several in one array, and answers
    `{"code": 0}`; any 200 says that all are kept.
    """
    return await _received(callback, services)


async def _received(callback: Callback, services: GivenOrders) -> CallbackReceived | Response:
    reading = callback.reading
    outcomes = await services.callbacks.submit(callback) if reading.reported else []
    if reading.reply is None:
        return CallbackReceived(outcome=outcomes[0].value)
    return Response(reading.reply.body, media_type=reading.reply.media_type)
