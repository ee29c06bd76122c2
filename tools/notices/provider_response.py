"""Interprets the responses of chat providers, which report errors as HTTP 200 with a code in the body."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx2

from runtime.mask import mask_text
from tools.channels.contract import NotSent as NothingLeft
from tools.channels.contract import Unknown
from tools.channels.exchange import Exchange, HttpAnswer, retry_after_seconds
from tools.notices.contract import NoticeFailure, NoticeNotSent, NoticeRefused, NoticeUnclear

MOST_CONNECTIONS: Final = 8

_LIMITED_SECONDS: Final = 60.0
_LONGEST_EXCERPT: Final = 200


@dataclass(frozen=True, slots=True)
class Codes:
    """The fields and codes in a provider's responses.

    Attributes:
        code: The field that is 0 for success.
        message: The field that explains.
        limits: The codes for too many messages, each with the seconds to wait.
        secrets: What no reason may hold, should the provider repeat it.
    """

    code: str
    message: str
    limits: Mapping[int, float]
    secrets: Collection[str] = field(default=(), repr=False)


def open_exchange(base_url: str, setting: str) -> Exchange:
    """Create the exchange with a provider; nothing is connected yet.

    Raises:
        ValueError: `base_url` is no address; the message names `setting`.
    """
    return Exchange(base_url, setting=setting, headers={}, max_connections=MOST_CONNECTIONS)


def post(
    exchange: Exchange,
    path: str,
    document: Mapping[str, object],
    *,
    timeout_seconds: float,
    headers: Mapping[str, str] | None = None,
) -> HttpAnswer | NothingLeft | Unknown:
    """Send a JSON document and return the answer to it."""
    return exchange.ask(
        "POST",
        path,
        timeout_seconds=timeout_seconds,
        body=json.dumps(document).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )


def document_of(
    answer: HttpAnswer | NothingLeft | Unknown, codes: Codes
) -> dict[str, object] | NoticeFailure:
    """Return the document of a successful response; else the failure that it means."""
    if not isinstance(answer, HttpAnswer):
        return (
            NoticeNotSent(answer.reason) if isinstance(answer, NothingLeft) else NoticeUnclear(answer.reason)
        )
    document = answer.document() or {}
    code = code_of(answer, codes)
    reason = f"the provider answered {answer.status}{_explained(document, code, codes)}"
    asked_to_wait = retry_after_seconds(answer.retry_after)
    if code is not None and code in codes.limits:
        return NoticeNotSent(reason, max(codes.limits[code], asked_to_wait or 0.0))
    if answer.status == httpx2.codes.TOO_MANY_REQUESTS:
        return NoticeNotSent(reason, _LIMITED_SECONDS if asked_to_wait is None else asked_to_wait)
    if answer.status >= httpx2.codes.INTERNAL_SERVER_ERROR:
        return NoticeUnclear(reason)
    if not httpx2.codes.is_success(answer.status) or code:
        return NoticeRefused(reason)
    return dict(document) if code == 0 else NoticeUnclear(f"{reason} without {codes.code}")


def code_of(answer: HttpAnswer, codes: Codes) -> int | None:
    """Return the provider's own code, None where there is none."""
    code = (answer.document() or {}).get(codes.code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _explained(document: Mapping[str, object], code: int | None, codes: Codes) -> str:
    if not code:
        return ""
    message = document.get(codes.message)
    if not isinstance(message, str) or not message:
        return f", {codes.code} {code}"
    for secret in codes.secrets:
        message = message.replace(secret, "****")
    return f", {codes.code} {code}: {mask_text(message)[:_LONGEST_EXCERPT]}"
