"""A WeCom group bot (群机器人): one group, known by the key in its address."""

from typing import Final
from urllib.parse import urlencode

from tools.notices.contract import DEADLINE_SECONDS, Notice, NoticeOutcome, NoticeSent
from tools.notices.provider_response import Codes, document_of, open_exchange, post

_LIMITS: Final = {45009: 60.0, 45033: 10.0, -1: 10.0}
"""20 messages a minute; too many at once; the system is busy and asks to be asked again."""


class WecomBot:
    """A `NoticeGateway` to the bot's group. It keeps no keys: a repeated notice is a second message.

    Args:
        base_url: WeCom's address.
        key: The key of the bot's address, which is a secret.
        setting: Where `base_url` was configured, named when it is wrong.
    """

    def __init__(self, base_url: str, key: str, *, setting: str) -> None:
        self._exchange = open_exchange(base_url, setting)
        self._path = f"/cgi-bin/webhook/send?{urlencode({'key': key})}"
        self._codes = Codes("errcode", "errmsg", _LIMITS, (key,))

    def __repr__(self) -> str:
        """The provider's address only."""
        return f"WecomBot({self._exchange.base_url!r})"

    def send(self, notice: Notice) -> NoticeOutcome:
        """Send the notice to the group."""
        document = {"msgtype": "text", "text": {"content": notice.words}}
        answer = post(self._exchange, self._path, document, timeout_seconds=DEADLINE_SECONDS)
        said = document_of(answer, self._codes)
        return NoticeSent("") if isinstance(said, dict) else said

    def close(self) -> None:
        """Close the pooled connections."""
        self._exchange.close()
