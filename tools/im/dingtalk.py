"""A DingTalk app (企业内部应用): card callbacks and messages to its bot, by HTTP, each signed in a way of its own.

https://open.dingtalk.com/document/development/event-callback-card (cards: `x-ddpaas-signature`, HMAC-SHA256 of the
timestamp under the secret that the address was registered with; an answer within 2 seconds) ·
https://open.dingtalk.com/document/orgapp/receive-message (messages: `sign`, HMAC-SHA256 of timestamp, line feed and
app secret). Neither signature covers the body, so one signature is taken once: see `CardPressed.event_id`.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

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

_NOTHING: Final = ImReply("{}")
_MILLISECONDS: Final = 1_000


@dataclass(frozen=True, slots=True)
class DingtalkCallbacks:
    """An `ImReader` of one app."""

    app_secret: str = field(repr=False)
    card_secret: str = field(repr=False)
    """The `apiSecret` that the address of card callbacks was registered with."""
    corp_id: str

    def read(self, request: ImRequest) -> ImReading:
        """Check the signature, and say what it is."""
        is_card = "x-ddpaas-signature" in request.headers
        if is_card:
            stamped = request.headers.get("x-ddpaas-signature-timestamp", "")
            given = request.headers.get("x-ddpaas-signature", "")
            expected = _signed(self.card_secret, stamped)
        else:
            stamped, given = request.headers.get("timestamp", ""), request.headers.get("sign", "")
            expected = _signed(self.app_secret, f"{stamped}\n{self.app_secret}")
        moment = seconds_of(stamped, per_second=_MILLISECONDS)
        if moment is None or not is_same(given, expected):
            return CallbackFault.NOT_SIGNED
        if not is_recent(moment, request.now):
            return CallbackFault.TOO_OLD
        document = _object_in(request.body)
        if document is None:
            return CallbackFault.NOT_READABLE
        return self._pressed(document, stamped) if is_card else self._written(document)

    def greet(self, _: ImRequest) -> None:
        """DingTalk asks for no proof of the address."""

    def answer_press(self, _: CardPressed, text: str, *, is_settled: bool) -> ImReply:
        """The card's variable `result`, and `state` where the question is settled: for everybody then."""
        shown: dict[str, Any] = {
            "cardParamMap": {"result": text, "state": "settled" if is_settled else "open"}
        }
        answer = {
            "cardUpdateOptions": {"updateCardDataByKey": True, "updatePrivateDataByKey": True},
            "cardData" if is_settled else "userPrivateData": shown,
        }
        return ImReply(json.dumps(answer, ensure_ascii=False))

    def answer_message(self, *_: object) -> ImReply:
        """The answer of a callback writes nothing to anybody."""
        return _NOTHING

    def _pressed(self, document: Mapping[str, object], stamped: str) -> ImReading:
        if document.get("corpId") != self.corp_id:
            return CallbackFault.FOREIGN
        if document.get("type") != "actionCallback":
            return _NOTHING
        operator, content = id_in(document, "userId"), document.get("content")
        inner = _object_in(content.encode()) if isinstance(content, str) else None
        value = at(inner, "cardPrivateData", "params", ANSWER)
        if operator is None or not isinstance(value, str):
            return CallbackFault.NOT_READABLE
        return CardPressed(stamped, operator, value)

    def _written(self, document: Mapping[str, object]) -> ImReading:
        if document.get("senderCorpId") != self.corp_id:
            return CallbackFault.FOREIGN
        operator, words = id_in(document, "senderStaffId"), at(document, "text", "content")
        if operator is None or not isinstance(words, str):
            return _NOTHING
        return MessageWritten(operator, words)


def _signed(secret: str, words: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), words.encode(), hashlib.sha256)).decode()


def _object_in(body: bytes) -> Mapping[str, object] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
