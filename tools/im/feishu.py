"""A Feishu app (自建应用): its card callbacks and messages, encrypted and signed with the app's Encrypt Key.

https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/event-subscription-guide/callback-subscription/receive-and-handle-callbacks
(signature, AES-256-CBC, `url_verification`, an answer within 3 seconds) ·
https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-callback-communication (`card.action.trigger`) ·
https://open.feishu.cn/document/server-docs/im-v1/message/events/receive (`im.message.receive_v1`)
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from tools.im.contract import (
    ANSWER,
    CallbackFault,
    CardPressed,
    ImReading,
    ImReply,
    ImRequest,
    MessageWritten,
    at,
    id_in,
    is_recent,
    is_same,
    seconds_of,
)

_BLOCK: Final = 16
_NOTHING: Final = ImReply("{}")
_MICROSECONDS: Final = 1_000_000
_MILLISECONDS: Final = 1_000
_FIRST_MICROSECOND: Final = 10**14
"""Callbacks count microseconds and events milliseconds; no moment of our days is written alike in both."""


@dataclass(frozen=True, slots=True)
class FeishuCallbacks:
    """An `ImReader` of one app."""

    encrypt_key: str = field(repr=False)
    verification_token: str = field(repr=False)

    def read(self, request: ImRequest) -> ImReading:
        """Check the signature, decrypt, and say what it is.

        The signature covers the encrypted body. The request that only asks whether the address is ours may come
        without one; it must hold the app's token then, and is answered with its own challenge.
        """
        signature = request.headers.get("x-lark-signature")
        if signature is not None and not is_same(signature, self._signature(request)):
            return CallbackFault.NOT_SIGNED
        document = self._decrypted(request.body)
        if document is None:
            return CallbackFault.NOT_READABLE if signature is not None else CallbackFault.NOT_SIGNED
        if document.get("type") == "url_verification":
            return self._greeted(document)
        if signature is None:
            return CallbackFault.NOT_SIGNED
        return self._read(document, request)

    def greet(self, _: ImRequest) -> None:
        """Feishu asks with POST."""

    def answer_press(self, _: CardPressed, text: str, *, is_settled: bool) -> ImReply:
        """A toast for whoever pressed; where the question is settled, everybody's card is replaced."""
        answer: dict[str, Any] = {"toast": {"type": "success" if is_settled else "warning", "content": text}}
        if is_settled:
            card = {
                "config": {"update_multi": True},
                "elements": [{"tag": "div", "text": {"tag": "plain_text", "content": text}}],
            }
            answer["card"] = {"type": "raw", "data": card}
        return ImReply(json.dumps(answer, ensure_ascii=False))

    def answer_message(self, *_: object) -> ImReply:
        """The answer of an event writes nothing to anybody."""
        return _NOTHING

    def _signature(self, request: ImRequest) -> str:
        stamped = request.headers.get("x-lark-request-timestamp", "")
        nonce = request.headers.get("x-lark-request-nonce", "")
        return hashlib.sha256(f"{stamped}{nonce}{self.encrypt_key}".encode() + request.body).hexdigest()

    def _decrypted(self, body: bytes) -> Mapping[str, object] | None:
        try:
            encrypted = at(json.loads(body), "encrypt")
            sealed = base64.b64decode(encrypted if isinstance(encrypted, str) else "", validate=True)
            if len(sealed) < 2 * _BLOCK:
                return None
            key = hashlib.sha256(self.encrypt_key.encode()).digest()
            opened = Cipher(AES(key), CBC(sealed[:_BLOCK])).decryptor()
            padded = opened.update(sealed[_BLOCK:]) + opened.finalize()
            unpadder = PKCS7(8 * _BLOCK).unpadder()
            document = json.loads(unpadder.update(padded) + unpadder.finalize())
        except (ValueError, binascii.Error, RecursionError):
            return None
        return document if isinstance(document, dict) else None

    def _greeted(self, document: Mapping[str, object]) -> ImReading:
        challenge = document.get("challenge")
        if not self._is_of_the_app(document.get("token")) or not isinstance(challenge, str):
            return CallbackFault.FOREIGN
        return ImReply(json.dumps({"challenge": challenge}))

    def _is_of_the_app(self, token: object) -> bool:
        return isinstance(token, str) and is_same(token, self.verification_token)

    def _read(self, document: Mapping[str, object], request: ImRequest) -> ImReading:
        if not self._is_of_the_app(at(document, "header", "token")):
            return CallbackFault.FOREIGN
        moments = _moments(document, request)
        if not moments or not all(is_recent(moment, request.now) for moment in moments):
            return CallbackFault.TOO_OLD
        match at(document, "header", "event_type"):
            case "card.action.trigger":
                return _pressed(document)
            case "im.message.receive_v1":
                return _written(document)
            case _:
                return _NOTHING


def _moments(document: Mapping[str, object], request: ImRequest) -> list[float]:
    """When it was signed, and when it was made: both are covered by the signature.

    The header is not always in Unix seconds, so what it says counts only where it is.
    """
    signed = seconds_of(request.headers.get("x-lark-request-timestamp"))
    ticks = seconds_of(at(document, "header", "create_time"))
    made = (
        None if ticks is None else ticks / (_MICROSECONDS if ticks >= _FIRST_MICROSECOND else _MILLISECONDS)
    )
    return [moment for moment in (signed, made) if moment is not None]


def _pressed(document: Mapping[str, object]) -> ImReading:
    event_id, operator = (
        id_in(document, "header", "event_id"),
        id_in(document, "event", "operator", "open_id"),
    )
    value = at(document, "event", "action", "value", ANSWER)
    if event_id is None or operator is None or not isinstance(value, str):
        return CallbackFault.NOT_READABLE
    return CardPressed(event_id, operator, value)


def _written(document: Mapping[str, object]) -> ImReading:
    operator = id_in(document, "event", "sender", "sender_id", "open_id")
    content = at(document, "event", "message", "content")
    if operator is None or not isinstance(content, str):
        return _NOTHING
    try:
        words = at(json.loads(content), "text")
    except (ValueError, RecursionError):
        return _NOTHING
    return MessageWritten(operator, words) if isinstance(words, str) else _NOTHING
