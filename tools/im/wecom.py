"""A WeCom app (企业微信自建应用): its events and messages, encrypted XML with a signature in the query.

https://developer.work.weixin.qq.com/document/path/90930 (GET with `echostr` proves the address; what comes again for
want of an answer is the same event) · https://developer.work.weixin.qq.com/document/path/90240
(`template_card_event`) · https://developer.work.weixin.qq.com/document/path/90241 (answers: `update_button`, `text`)
"""

import secrets
import time
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from tools.im.contract import (
    CallbackFault,
    CardPressed,
    ImReading,
    ImReply,
    ImRequest,
    MessageWritten,
    id_in,
    is_recent,
    is_same,
    seconds_of,
)
from tools.im.wecom_cipher import WecomCipher

_XML: Final = "application/xml"
_NOTHING: Final = ImReply("", "text/plain")


@dataclass(frozen=True, slots=True)
class WecomCallbacks:
    """An `ImReader` of one app."""

    cipher: WecomCipher = field(repr=False)
    corp_id: str

    def read(self, request: ImRequest) -> ImReading:
        """Check the signature, decrypt, and say what it is."""
        encrypted = (_fields(request.body) or {}).get("Encrypt", "")
        opened = self._opened(request, encrypted)
        if isinstance(opened, CallbackFault):
            return opened
        fields = _fields(opened) or {}
        operator, made = id_in(fields, "FromUserName"), seconds_of(fields.get("CreateTime"))
        if operator is None or made is None:
            return CallbackFault.NOT_READABLE
        return _of_event(fields, operator) if is_recent(made, request.now) else CallbackFault.TOO_OLD

    def greet(self, request: ImRequest) -> ImReply | CallbackFault:
        """The decrypted `echostr`, as it stands."""
        opened = self._opened(request, request.query.get("echostr", ""))
        return opened if isinstance(opened, CallbackFault) else ImReply(opened.decode(), "text/plain")

    def answer_press(self, pressed: CardPressed, text: str, *, is_settled: bool) -> ImReply:  # noqa: ARG002
        """The buttons of whoever pressed become this text; a member's card is a copy of their own."""
        return self._reply(pressed.reply_to["to"], "update_button", ("Button", "ReplaceName"), text)

    def answer_message(self, written: MessageWritten, text: str | None) -> ImReply:
        """A message to whoever wrote."""
        if text is None:
            return _NOTHING
        return self._reply(written.reply_to["to"], "text", ("Content",), text)

    def _opened(self, request: ImRequest, encrypted: str) -> bytes | CallbackFault:
        """The message in a signed text that is meant for this company."""
        stamped, nonce = request.query.get("timestamp", ""), request.query.get("nonce", "")
        signature = self.cipher.signature(stamped, nonce, encrypted)
        moment = seconds_of(stamped)
        if moment is None or not encrypted or not is_same(request.query.get("msg_signature", ""), signature):
            return CallbackFault.NOT_SIGNED
        if not is_recent(moment, request.now):
            return CallbackFault.TOO_OLD
        envelope = self.cipher.decrypt(encrypted)
        if envelope is None:
            return CallbackFault.NOT_READABLE
        return envelope.message if envelope.receiver == self.corp_id else CallbackFault.FOREIGN

    def _reply(self, to: str, kind: str, place: tuple[str, ...], text: str) -> ImReply:
        """A passive reply in an envelope of its own."""
        stamped, nonce = str(int(time.time())), secrets.token_hex(8)
        inner = _document(
            {"ToUserName": to, "FromUserName": self.corp_id, "CreateTime": stamped, "MsgType": kind}
        )
        at_place = inner
        for name in place:
            at_place = SubElement(at_place, name)
        at_place.text = text
        encrypted = self.cipher.encrypt(tostring(inner, encoding="unicode"), self.corp_id)
        outer = _document(
            {
                "Encrypt": encrypted,
                "MsgSignature": self.cipher.signature(stamped, nonce, encrypted),
                "TimeStamp": stamped,
                "Nonce": nonce,
            }
        )
        return ImReply(tostring(outer, encoding="unicode"), _XML)


def _document(fields: dict[str, str]) -> Element:
    root = Element("xml")
    for name, value in fields.items():
        SubElement(root, name).text = value
    return root


def _fields(document: bytes) -> dict[str, str] | None:
    """The elements of an XML document by name; `None` where it is none, or holds what none of WeCom's does."""
    try:
        root = fromstring(document, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        return None
    return {child.tag: child.text or "" for child in root}


def _of_event(fields: dict[str, str], operator: str) -> ImReading:
    """What somebody did; an event is named by who did it, when, and about which card."""
    reply_to = {"to": operator}
    if fields.get("MsgType") == "text":
        return MessageWritten(operator, fields.get("Content", ""), reply_to)
    if fields.get("Event") != "template_card_event":
        return _NOTHING
    event_id = "/".join((operator, fields.get("CreateTime", ""), id_in(fields, "TaskId") or ""))
    return CardPressed(event_id, operator, fields.get("EventKey", ""), reply_to)
