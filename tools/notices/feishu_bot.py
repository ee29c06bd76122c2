"""A Feishu custom bot (自定义机器人): a hook of one group, signed in the body."""

import base64
import hashlib
import hmac
import time
from typing import Final
from urllib.parse import quote

from tools.notices.contract import DEADLINE_SECONDS, Notice, NoticeOutcome, NoticeSent
from tools.notices.provider_response import Codes, document_of, open_exchange, post

_LIMITS: Final = {11232: 60.0}
"""100 messages a minute and 5 a second."""


def sign(secret: str, timestamp: int) -> str:
    """Return the signature: the empty message under the key `timestamp`, newline, secret (Unix seconds)."""
    key = f"{timestamp}\n{secret}".encode()
    return base64.b64encode(hmac.digest(key, b"", hashlib.sha256)).decode()


class FeishuBot:
    """A `NoticeGateway` to the bot's group. It keeps no keys: a repeated notice is a second message.

    Args:
        base_url: Feishu's address, or Lark's.
        hook: The last part of the hook's address, which is a secret.
        secret: The signing secret (签名校验); None where the bot's safety is keywords or addresses.
        setting: Where `base_url` was configured, named when it is wrong.
    """

    def __init__(self, base_url: str, hook: str, secret: str | None, *, setting: str) -> None:
        self._exchange = open_exchange(base_url, setting)
        self._path = f"/open-apis/bot/v2/hook/{quote(hook, safe='')}"
        self._secret = secret
        self._codes = Codes("code", "msg", _LIMITS, tuple(s for s in (hook, secret) if s))

    def __repr__(self) -> str:
        """The provider's address only."""
        return f"FeishuBot({self._exchange.base_url!r})"

    def send(self, notice: Notice) -> NoticeOutcome:
        """Send the notice to the group."""
        document: dict[str, object] = {"msg_type": "text", "content": {"text": notice.words}}
        if self._secret is not None:
            timestamp = int(time.time())
            document |= {"timestamp": str(timestamp), "sign": sign(self._secret, timestamp)}
        answer = post(self._exchange, self._path, document, timeout_seconds=DEADLINE_SECONDS)
        said = document_of(answer, self._codes)
        return NoticeSent("") if isinstance(said, dict) else said

    def close(self) -> None:
        """Close the pooled connections."""
        self._exchange.close()
