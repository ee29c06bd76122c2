"""A DingTalk custom bot (自定义机器人): one group, a token in its address, signed in the query."""

import base64
import hashlib
import hmac
import time
from typing import Final
from urllib.parse import urlencode

from tools.notices.contract import DEADLINE_SECONDS, Notice, NoticeOutcome, NoticeSent
from tools.notices.provider_response import Codes, document_of, open_exchange, post

_LIMITS: Final = {130101: 600.0, 302033: 600.0, 90030: 600.0, -1: 10.0}
"""After more than 20 messages in a minute a bot is silenced for ten; -1 says the system is busy."""


def sign(secret: str, timestamp: int) -> str:
    """Return the signature at this time (Unix milliseconds): `timestamp`, newline, secret under the secret."""
    signed = f"{timestamp}\n{secret}".encode()
    return base64.b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256)).decode()


class DingtalkBot:
    """A `NoticeGateway` to the bot's group. It keeps no keys: a repeated notice is a second message.

    Args:
        base_url: DingTalk's address.
        token: The `access_token` of the bot's address.
        secret: The signing secret (加签); None where the bot's safety is keywords or addresses.
        setting: Where `base_url` was configured, named when it is wrong.
    """

    def __init__(self, base_url: str, token: str, secret: str | None, *, setting: str) -> None:
        self._exchange = open_exchange(base_url, setting)
        self._token = token
        self._secret = secret
        self._codes = Codes("errcode", "errmsg", _LIMITS, tuple(s for s in (token, secret) if s))

    def __repr__(self) -> str:
        """The provider's address only."""
        return f"DingtalkBot({self._exchange.base_url!r})"

    def send(self, notice: Notice) -> NoticeOutcome:
        """Send the notice to the group."""
        query = {"access_token": self._token}
        if self._secret is not None:
            timestamp = int(time.time() * 1000)
            query |= {"timestamp": str(timestamp), "sign": sign(self._secret, timestamp)}
        document = {"msgtype": "text", "text": {"content": notice.words}}
        path = f"/robot/send?{urlencode(query)}"
        answer = post(self._exchange, path, document, timeout_seconds=DEADLINE_SECONDS)
        said = document_of(answer, self._codes)
        return NoticeSent("") if isinstance(said, dict) else said

    def close(self) -> None:
        """Close the pooled connections."""
        self._exchange.close()
