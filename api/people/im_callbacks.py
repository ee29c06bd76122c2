"""The route for callbacks of messengers: verified, answered within 3 seconds with what the card then shows."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Path, Request, Response

from api.server.errors import documented
from api.server.limits.body_limit import read_body
from api.server.parts import Parts
from api.server.refusal import Refusal, unknown
from api.server.route import Route
from api.server.services import ContextServices, kept
from api.task_intake import TaskIntake
from schemas.access.im import ImProvider
from schemas.core.error import Code
from tasks.im.bindings import bind, has_code
from tasks.im.presses import CardPresses, Press
from tasks.im.tokens import CardTokens
from tasks.people.continuing import continue_with
from tools.im.contract import CallbackFault, CardPressed, ImReader, ImReply, ImRequest, MessageWritten
from tools.im.readers import open_im_readers

router = APIRouter(prefix="/im", tags=["people"], route_class=Route)

_LARGEST: Final = 65_536
"""Bytes a callback may have."""
_BOUND: Final = "已绑定：您在这里的回答记在 {name} 名下"
_NOT_BOUND: Final = "没有绑定：绑定码无效或已过期，请重新取得"
_BODY: Final[dict[str, Any]] = {
    "security": [],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "description": "As the messenger documents it; WeCom sends XML.",
                    "example": {"encrypt": "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="},
                }
            }
        },
    },
}
_ECHO: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The text that was asked for.",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": "1616140317555161061"}},
    }
}
_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "What the messenger then shows, in its own form: JSON, of WeCom encrypted XML or nothing.",
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {"toast": {"type": "success", "content": "王芳 已决定：重新联系客户"}},
            },
            "application/xml": {"schema": {"type": "string"}},
            "text/plain": {"schema": {"type": "string"}},
        },
    }
}

Provider = Annotated[ImProvider, Path(description="The messenger: `feishu`, `wecom` or `dingtalk`.")]


@dataclass(frozen=True, slots=True)
class ImCallbacks(ContextServices):
    """The messengers of this installation, and what becomes of what they send."""

    readers: Mapping[str, ImReader]
    parts: Parts
    presses: CardPresses

    @classmethod
    def over(cls, parts: Parts, intake: TaskIntake) -> Self:
        """Over these parts; a messenger whose secrets are not set is unknown."""
        presses = CardPresses(
            parts.database,
            CardTokens.of_settings(parts.settings),
            lambda interrupt_id, payload, by, seen: continue_with(
                parts.engine, intake.forms, interrupt_id, payload, by, seen=seen
            ),
        )
        return cls(open_im_readers(parts.settings), parts, presses)

    def reader(self, provider: str) -> ImReader:
        """What reads this messenger's callbacks.

        Raises:
            Refusal: it is not set up here (404).
        """
        reader = self.readers.get(provider)
        if reader is None:
            raise unknown("provider", provider)
        return reader

    def answer(self, provider: str, reader: ImReader, read: CardPressed | MessageWritten) -> ImReply:
        """Do what was pressed or written, and say what came of it."""
        if isinstance(read, MessageWritten):
            return reader.answer_message(read, self._bound(provider, read))
        press = Press(
            provider=provider, event_id=read.event_id, operator_id=read.operator_id, value=read.value
        )
        answer = self.presses.answer(press, time.time())
        return reader.answer_press(read, answer.text, is_settled=answer.is_settled)

    def _bound(self, provider: str, written: MessageWritten) -> str | None:
        """What came of a message; `None` where it holds no code and is none of ours."""
        if not has_code(written.words):
            return None
        owner = bind(self.parts.database, provider, written.operator_id, written.words)
        return _NOT_BOUND if owner is None else _BOUND.format(name=owner.name)

    def end(self) -> None:
        """Nothing goes on by itself."""

    async def close(self) -> None:
        """Nothing was opened."""


GivenCallbacks = Annotated[ImCallbacks, kept(ImCallbacks)]


@router.get(
    "/{provider}/callback",
    summary="Prove the address to a messenger",
    response_class=Response,
    openapi_extra={"security": []},
    responses=_ECHO | documented(Code.UNAUTHORIZED, Code.NOT_FOUND),
)
async def im_address_asked(provider: Provider, request: Request, callbacks: GivenCallbacks) -> Response:
    """Answers what WeCom asks when the address is entered there: the decrypted `echostr`."""
    greeting = callbacks.reader(provider).greet(_asked(request, b""))
    if greeting is None:
        raise unknown("provider", provider)
    return _answered(greeting)


@router.post(
    "/{provider}/callback",
    summary="Report what somebody did in a messenger",
    response_class=Response,
    openapi_extra=_BODY,
    responses=_ANSWER | documented(Code.UNAUTHORIZED, Code.NOT_FOUND, Code.PAYLOAD_TOO_LARGE),
)
async def im_reported(provider: Provider, request: Request, callbacks: GivenCallbacks) -> Response:
    """A button that was pressed, or a message to the bot; answered in the messenger's own form.

    Not called with a key: the signature is the proof. The same event again is answered as it was, and does
    nothing. A code in a message binds the account to its owner; any other message is let be.
    """
    reader = callbacks.reader(provider)
    read = reader.read(_asked(request, await read_body(request, _LARGEST)))
    if isinstance(read, CardPressed | MessageWritten):
        read = await asyncio.to_thread(callbacks.answer, provider, reader, read)
    return _answered(read)


def _asked(request: Request, body: bytes) -> ImRequest:
    return ImRequest(request.headers, dict(request.query_params), body, time.time())


def _answered(reading: ImReply | CallbackFault) -> Response:
    """The answer to a messenger.

    Raises:
        Refusal: the callback counts for nothing (401).
    """
    if isinstance(reading, CallbackFault):
        raise Refusal(Code.UNAUTHORIZED, f"the callback is refused: {reading.value}")
    return Response(reading.body, media_type=reading.media_type)
