"""Client of Aliyun's SMS and voice APIs: signed requests, and the meaning of their error codes."""

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from runtime.mask import mask_text
from tools.channels.aliyun.signature import AccessKey, Operation, query_of, signed_headers
from tools.channels.contract import NotSent, Rejected, Unknown
from tools.channels.exchange import Exchange, HttpAnswer, retry_after_seconds

VERSION: Final = "2017-05-25"
"""Of both services."""

_LONGEST_EXCERPT: Final = 200
_OK: Final = "OK"
_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_ACCOUNT_SECONDS: Final = 300.0
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500

_PACED: Final = frozenset({"isv.BUSINESS_LIMIT_CONTROL", "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL"})
"""Refused by a limit a number, a minute, an hour or a day: certain not to be sent, and allowed later."""

_OF_THE_ACCOUNT: Final = frozenset(
    {
        "isv.AMOUNT_NOT_ENOUGH",
        "isv.OUT_OF_SERVICE",
        "isv.ACCOUNT_ABNORMAL",
        "isv.PRODUCT_UN_SUBSCRIPT",
        "isv.PRODUCT_UNSUBSCRIBE",
        "isv.VOICE_ROBOT_NOT_PERIOD",
        "isv.VOICE_CALL_PERIOD_ERROR",
        "isp.RAM_PERMISSION_DENY",
        "InvalidAccessKeyId.NotFound",
        "InvalidAccessKeyId.Inactive",
        "InvalidTimeStamp.Expired",
        "SignatureDoesNotMatch",
        "SignatureNonceUsed",
        "Forbidden.RAM",
    }
)
"""No fault of this contact: it was not sent, and goes once somebody has put the account in order."""

_NO_WORD: Final = frozenset(
    {"isp.SYSTEM_ERROR", "isp.GATEWAY_ERROR", "isp.UNKNOWN", "InternalError", "ServiceUnavailable"}
)
"""The service failed, and does not say how far it had come."""


class AliyunApi:
    """A client of one Aliyun service, safe to share between threads.

    Args:
        base_url: The service's address, as `https://dysmsapi.aliyuncs.com`.
        access: Whose key signs.
        setting: Where `base_url` was configured, named when it is wrong.
        max_connections: Requests that may be under way at once.
        now: The clock that dates requests.
        nonce: What makes each request different.

    Raises:
        ValueError: `base_url` is no http or https address.
    """

    def __init__(
        self,
        base_url: str,
        access: AccessKey,
        *,
        setting: str,
        max_connections: int = 32,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        nonce: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._exchange = Exchange(base_url, setting=setting, headers={}, max_connections=max_connections)
        self._access = access
        self._now = now
        self._nonce = nonce

    def __repr__(self) -> str:
        """The service's address only."""
        return f"AliyunApi({self._exchange.base_url!r})"

    def call(
        self, action: str, parameters: Mapping[str, str], *, timeout_seconds: float
    ) -> HttpAnswer | NotSent | Unknown:
        """Call one operation and return the answer, successful or not; see `Exchange.ask` for the other outcomes."""
        query = query_of(parameters)
        headers = signed_headers(
            self._access,
            Operation(action, VERSION),
            host=self._exchange.host,
            query=query,
            moment=self._now(),
            nonce=self._nonce(),
        )
        return self._exchange.ask("POST", f"/?{query}", timeout_seconds=timeout_seconds, headers=headers)

    def close(self) -> None:
        """Close the pooled connections."""
        self._exchange.close()


def succeeded(answer: HttpAnswer) -> Mapping[str, object] | None:
    """Return the JSON document of an answer with the code OK, else None."""
    document = answer.document()
    return document if document is not None and document.get("Code") == _OK else None


def refusal_of(answer: HttpAnswer, to: str) -> NotSent | Rejected | Unknown:
    """Return the send outcome that an error answer means, by its documented code.

    A limit or a throttle has sent nothing; neither has an account that may not send. The service's own
    failures leave it open. Every other code refuses this one request for good. An answer without a code was
    not given by the service.
    """
    document = answer.document() or {}
    code, message = document.get("Code"), document.get("Message")
    said = message if isinstance(message, str) else ""
    pause = retry_after_seconds(answer.retry_after)
    if not isinstance(code, str) or not code:
        reason = f"the provider answered {answer.status} without a code"
        return NotSent(reason, pause) if answer.status == _TOO_MANY_REQUESTS else Unknown(reason)
    reason = f"the provider answered {code[:_LONGEST_EXCERPT]}: {_shown(said, to)}"
    if code in _PACED or code in _OF_THE_ACCOUNT or code.startswith("Throttling"):
        return NotSent(reason, _pauses(code, said) or pause)
    if code in _NO_WORD or code == _OK or answer.status >= _SERVER_ERROR:
        return Unknown(reason)
    return Rejected(reason)


def _pauses(code: str, message: str) -> float | None:
    """How long to wait; a limit lasts as its message says (触发分钟级流控Permits:1)."""
    if code in _OF_THE_ACCOUNT:
        return _ACCOUNT_SECONDS
    if code in _PACED:
        return _MINUTE if re.search("分钟|minute", message, re.IGNORECASE) else _HOUR
    return None


def _shown(message: str, to: str) -> str:
    return mask_text(message.replace(to, "****") if to else message)[:_LONGEST_EXCERPT]
