"""A Feishu app (自建应用): messages to members of the tenant and to groups, one for each key within an hour."""

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from tools.channels.contract import NotSent as NothingLeft
from tools.channels.contract import Unknown
from tools.channels.exchange import HttpAnswer
from tools.im.contract import ANSWER
from tools.notices.contract import (
    DEADLINE_SECONDS,
    Notice,
    NoticeFailure,
    NoticeNotSent,
    NoticeOutcome,
    NoticeSent,
    NoticeUnclear,
)
from tools.notices.provider_response import Codes, code_of, document_of, open_exchange, post

_TOKEN_PATH: Final = "/open-apis/auth/v3/tenant_access_token/internal"  # noqa: S105 - an address
_LIMITS: Final = {99991400: 10.0, 11232: 60.0, 230020: 10.0}
"""Requests of the app, messages of the tenant, messages to one person or group."""

_STALE_TOKEN: Final = frozenset({99991661, 99991663, 99991664, 99991668, 99991671})
"""Before it has done anything: the token is missing, unknown or over."""

_MARGIN_SECONDS: Final = 60.0
"""A token is not used in its last minute."""

_LONGEST_UUID: Final = 50


@dataclass(frozen=True, slots=True)
class FeishuAccount:
    """The app, and the kind of user id: `open_id`, `user_id`, `union_id`, `email` or `chat_id`."""

    app_id: str
    app_secret: str = field(repr=False)
    named_by: str


class FeishuApp:
    """A `NoticeGateway` of the app's bot; caches the access token until it expires.

    Args:
        base_url: Feishu's address, or Lark's.
        account: The app.
        setting: Where `base_url` was configured, named when it is wrong.
    """

    def __init__(self, base_url: str, account: FeishuAccount, *, setting: str) -> None:
        self._exchange = open_exchange(base_url, setting)
        self._account = account
        self._codes = Codes("code", "msg", _LIMITS, (account.app_secret,))
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0

    def __repr__(self) -> str:
        """The provider's address and the app."""
        return f"FeishuApp({self._exchange.base_url!r}, {self._account.app_id!r})"

    def send(self, notice: Notice) -> NoticeOutcome:
        """Send the notice; Feishu accepts one message per key, and answers a repetition like the first."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        token = self._fresh_token(deadline)
        if not isinstance(token, str):
            return token
        answer = self._ask(notice, token, deadline)
        if isinstance(answer, HttpAnswer) and code_of(answer, self._codes) in _STALE_TOKEN:
            self._forget(token)
            token = self._fresh_token(deadline)
            if not isinstance(token, str):
                return token
            answer = self._ask(notice, token, deadline)
        said = document_of(answer, self._codes)
        if not isinstance(said, dict):
            return said
        data = said.get("data")
        message_id = data.get("message_id") if isinstance(data, dict) else None
        return (
            NoticeSent(message_id)
            if isinstance(message_id, str)
            else NoticeUnclear("an answer without a message_id")
        )

    def close(self) -> None:
        """Close the pooled connections."""
        self._exchange.close()

    def _ask(self, notice: Notice, token: str, deadline: float) -> HttpAnswer | NothingLeft | Unknown:
        document = {
            "receive_id": notice.to,
            "msg_type": "interactive" if notice.is_card else "text",
            "content": json.dumps(card_of(notice) if notice.is_card else {"text": notice.words}),
            "uuid": uuid_of(notice.key),
        }
        return post(
            self._exchange,
            _path("open_id" if notice.is_card else self._account.named_by),
            document,
            timeout_seconds=_left(deadline),
            headers={"Authorization": f"Bearer {token}"},
        )

    def _fresh_token(self, deadline: float) -> str | NoticeFailure:
        # Others wait here for the one who asks, which is bounded by that one's own deadline.
        if not self._lock.acquire(timeout=max(deadline - time.monotonic(), 0)):
            return NoticeNotSent("no token within the deadline")
        try:
            if time.monotonic() < self._good_until:
                return self._token
            return self._new_token(deadline)
        finally:
            self._lock.release()

    def _new_token(self, deadline: float) -> str | NoticeFailure:
        asked_at = time.monotonic()
        document = {"app_id": self._account.app_id, "app_secret": self._account.app_secret}
        answer = post(self._exchange, _TOKEN_PATH, document, timeout_seconds=_left(deadline))
        said = document_of(answer, self._codes)
        if isinstance(said, NoticeUnclear):
            return NoticeNotSent(f"no token: {said.reason}")  # No notice has left.
        if not isinstance(said, dict):
            return said
        token, seconds = said.get("tenant_access_token"), said.get("expire")
        if not isinstance(token, str) or not token or not isinstance(seconds, int):
            return NoticeNotSent("no token: the provider answered without one")
        self._token, self._good_until = token, asked_at + seconds - _MARGIN_SECONDS
        return token

    def _forget(self, token: str) -> None:
        with self._lock:
            if self._token == token:
                self._good_until = 0.0


def card_of(notice: Notice) -> Mapping[str, object]:
    """Return the card that a notice is: its words, and a button for each answer; everybody's copy changes at once."""
    shown: list[Mapping[str, object]] = [{"tag": "div", "text": _plain(notice.words)}]
    if notice.buttons:
        buttons = [
            {"tag": "button", "text": _plain(button.label), "value": {ANSWER: button.value}}
            for button in notice.buttons
        ]
        shown.append({"tag": "action", "actions": buttons})
    return {"config": {"update_multi": True}, "elements": shown}


def uuid_of(key: str) -> str:
    """Return the key in Feishu's form: unchanged where it is short enough, else its digest."""
    return key if len(key) <= _LONGEST_UUID else hashlib.sha256(key.encode()).hexdigest()[:_LONGEST_UUID]


def _plain(words: str) -> Mapping[str, str]:
    return {"tag": "plain_text", "content": words}


def _path(named_by: str) -> str:
    return f"/open-apis/im/v1/messages?{urlencode({'receive_id_type': named_by})}"


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.01)
