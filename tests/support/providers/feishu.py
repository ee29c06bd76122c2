"""Feishu: an app with its tokens and keys, and a custom bot that checks its signature with code of its own."""

import base64
import hashlib
import hmac
import json
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.providers.server import Answered, Asked, Fault

APP_ID, APP_SECRET = "cli_a1b2c3", "the secret of the app"
HOOK, HOOK_SECRET = "11111111-2222-hook", "the secret of the hook"


def said(code: int, message: str = "refused", *, status: int = 200, **further: Any) -> Answered:
    """An answer as Feishu gives it: errors too, mostly, with HTTP 200."""
    return Answered(status, json.dumps({"code": code, "msg": message, **further}).encode())


@dataclass(slots=True)
class Feishu:
    """A tenant: what was said in it, and what goes wrong."""

    expire: int = 7200
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By uuid: Feishu takes one message for each."""
    in_group: list[str] = field(default_factory=list)
    named_by: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    over: set[str] = field(default_factory=set)
    faults: deque[Fault] = field(default_factory=deque)
    message_faults: deque[Fault] = field(default_factory=deque)
    """For messages of the app only; a fault of `faults` may hit the request for a token."""

    def answer(self, asked: Asked) -> Answered:
        """Do what the address says."""
        url = urlsplit(asked.target)
        body = json.loads(asked.body)
        if url.path == "/open-apis/auth/v3/tenant_access_token/internal":
            return self._token(body)
        if url.path == "/open-apis/im/v1/messages":
            return self._message(asked, parse_qs(url.query), body)
        if url.path == f"/open-apis/bot/v2/hook/{HOOK}":
            return self._bot(body)
        return said(19001, "param invalid: incoming webhook access token invalid")

    def _token(self, body: dict[str, Any]) -> Answered:
        if body != {"app_id": APP_ID, "app_secret": APP_SECRET}:
            return said(10014, f"app secret invalid: {body['app_secret']}")
        self.tokens.append(f"t-{len(self.tokens)}")
        return said(0, "ok", tenant_access_token=self.tokens[-1], expire=self.expire)

    def _message(self, asked: Asked, query: dict[str, list[str]], body: dict[str, Any]) -> Answered:
        fault = self.message_faults.popleft() if self.message_faults else Fault()
        if fault.instead:
            return fault.instead
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens or token in self.over:
            return said(99991663, "Invalid access token for authorization", status=400)
        if len(body["uuid"]) > 50:
            return said(99992402, "field validation failed", status=400)
        self.named_by += query["receive_id_type"]
        content = json.loads(body["content"])
        if body["msg_type"] == "interactive":
            assert content["config"] == {"update_multi": True}
            words, *further = content["elements"]
            message = {
                "to": body["receive_id"],
                "text": words["text"]["content"],
                "buttons": {
                    button["text"]["content"]: button["value"]["answer"]
                    for element in further
                    for button in element["actions"]
                },
            }
        else:
            assert body["msg_type"] == "text"
            message = {"to": body["receive_id"], "text": content["text"]}
        first = self.messages.setdefault(body["uuid"], message | {"id": f"om_{len(self.messages)}"})
        return said(0, "success", data={"message_id": first["id"]})

    def _bot(self, body: dict[str, Any]) -> Answered:
        timestamp = body.get("timestamp", "0")
        key = (timestamp + "\n" + HOOK_SECRET).encode()
        wanted = base64.b64encode(hmac.new(key, digestmod=hashlib.sha256).digest()).decode()
        if body.get("sign") != wanted or abs(time.time() - int(timestamp)) > 3600:
            return said(19021, "sign match fail or timestamp is not within one hour from current time")
        self.in_group.append(body["content"]["text"])
        return said(0, "success", data={})
