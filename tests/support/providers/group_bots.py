"""The bots of WeCom and DingTalk: one group each; DingTalk checks its signature with code of its own."""

import base64
import hashlib
import hmac
import json
import time
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.support.providers.server import Answered, Asked, Fault

KEY = "693a91f6-key"
TOKEN, SECRET = "token of the bot", "SEC0123456789"


def said(code: int, message: str = "refused", *, status: int = 200) -> Answered:
    """An answer as both give it: errors too with HTTP 200."""
    return Answered(status, json.dumps({"errcode": code, "errmsg": message}).encode())


@dataclass(slots=True)
class Wecom:
    """A group with a bot."""

    in_group: list[str] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)

    def answer(self, asked: Asked) -> Answered:
        """Say it, when the key is right."""
        url = urlsplit(asked.target)
        if (url.path, parse_qs(url.query)) != ("/cgi-bin/webhook/send", {"key": [KEY]}):
            return said(93000, "invalid webhook url")
        body = json.loads(asked.body)
        if len(body["text"]["content"].encode()) > 2048:
            return said(40058, "text.content exceed max length 2048")
        self.in_group.append(body["text"]["content"])
        return said(0, "ok")


@dataclass(slots=True)
class Dingtalk:
    """A group with a bot that wants signatures, and takes so many messages before it falls silent."""

    most: int = 20
    in_group: list[str] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)

    def answer(self, asked: Asked) -> Answered:
        """Say it, when the token and the signature are right."""
        url = urlsplit(asked.target)
        query = {name: value[0] for name, value in parse_qs(url.query).items()}
        if url.path != "/robot/send" or query.get("access_token") != TOKEN:
            return said(300001, "token is not exist")
        timestamp = query.get("timestamp", "0")
        digest = hmac.new(SECRET.encode(), f"{timestamp}\n{SECRET}".encode(), hashlib.sha256).digest()
        fresh = abs(time.time() * 1000 - int(timestamp)) < 3_600_000
        if not fresh or query.get("sign") != base64.b64encode(digest).decode():
            return said(310000, "sign not match")
        if len(self.in_group) >= self.most:
            return said(130101, "send too fast, exceed 20 times per minute")
        self.in_group.append(json.loads(asked.body)["text"]["content"])
        return said(0, "ok")
