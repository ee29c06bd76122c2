"""The route for webhooks of others that begin runs: the signature is the proof."""

import asyncio
import time
from collections.abc import Mapping
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Path, Request
from pydantic import SecretStr

from api.flows.inbox import take
from api.server.errors import documented
from api.server.limits.body_limit import read_body
from api.server.parts import Parts
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import GivenParts, TraceName
from engine.triggers.starting import fitting
from runtime.logs import logger
from runtime.settings import WEBHOOK_SECRET
from schemas.core.error import Code
from schemas.core.form import storable_payload
from schemas.flows.inbox import EntryTaken
from statemachine.workflow.options.sizes import LARGEST_OUTPUT
from statemachine.workflow.options.triggers import TriggerKind
from storage.engine.triggers.inbox import NewInboxEntry
from tools.webhooks.signature import UnverifiedWebhook, verified_id

router = APIRouter(prefix="/hooks", tags=["triggers"], route_class=Route)

_log = logger(__name__)

_BODY: Final[dict[str, Any]] = {
    "security": [],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"description": "Any JSON.", "example": {"order": "SO20260313001", "sum": 12.5}}
            }
        },
    },
    "parameters": [
        {
            "name": name,
            "in": "header",
            "required": True,
            "description": meaning,
            "schema": {"type": "string"},
        }
        for name, meaning in (
            ("webhook-id", "The sender's id of the message; the same again begins nothing twice."),
            ("webhook-timestamp", "Unix seconds at which it was signed, within 5 minutes of now."),
            ("webhook-signature", "As Standard Webhooks has it: `v1,` and base64, several with blanks."),
        )
    ],
}


@router.post(
    "/{path}",
    status_code=202,
    summary="Begin what has a trigger for this webhook",
    openapi_extra=_BODY,
    responses=documented(Code.UNAUTHORIZED, Code.NOT_FOUND, Code.PAYLOAD_TOO_LARGE),
)
async def receive_webhook(
    path: Annotated[str, Path(max_length=64, description="The path that the workflow's trigger has.")],
    request: Request,
    parts: GivenParts,
    trace_id: TraceName,
) -> EntryTaken:
    """Not called with a key: it is signed as Standard Webhooks has it, with the secret that the trigger names.

    Any 202 says that it is kept and need not be sent again.
    """
    name = await asyncio.to_thread(_secret_name, parts, path)
    secret = secret_of(parts.settings.webhook_secrets, name)
    body = await read_body(request, LARGEST_OUTPUT)
    try:
        message_id = verified_id(secret, request.headers, body, time.time())
    except UnverifiedWebhook as error:
        raise Refusal(Code.UNAUTHORIZED, f"the webhook is not signed as it must be: {error}") from error
    try:
        payload = storable_payload(orjson.loads(body))
    except ValueError as error:
        raise invalid([("body", f"cannot be taken: {error}")]) from error
    entry = NewInboxEntry(
        kind=TriggerKind.WEBHOOK,
        name=path,
        payload=payload,
        source_id=message_id,
        sent_by=f"webhook {path}"[:64],
        trace_id=trace_id,
    )
    return await asyncio.to_thread(take, parts, entry)


def secret_of(secrets: Mapping[str, SecretStr], name: str) -> str:
    """The secret of this name.

    Raises:
        Refusal: it is not set here (503): whoever runs the installation is to see to that.
    """
    variable = f"{WEBHOOK_SECRET}{name}"
    found = secrets.get(variable)
    if found is None:
        _log.error("the secret of a webhook is not set", variable=variable)
        raise Refusal(
            Code.SERVICE_UNAVAILABLE, "this webhook cannot be verified at the moment; send it again"
        )
    return found.get_secret_value()


def _secret_name(parts: Parts, path: str) -> str:
    with parts.database.looks() as work:
        active = parts.engine.catalogue.active(work)
    for each in fitting(active, TriggerKind.WEBHOOK, path):
        if each.trigger.secret is not None:
            return each.trigger.secret
    raise unknown("webhook", path)
