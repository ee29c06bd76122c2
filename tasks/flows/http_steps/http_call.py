"""An HTTP request as the parameters of a step have it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from schemas.flows.general_steps import CALLBACK_SECONDS
from tasks.flows.parameters import InvalidInput
from tools.http_requests.sender import ONCE, OutgoingRequest

KEY_HEADER: Final = "idempotency-key"
CALLBACK_HEADER: Final = "unpend-callback"

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS: Final = frozenset(
    {
        "accept-encoding", "connection", "content-encoding", "content-length", "expect", "host", "keep-alive",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "user-agent",
        KEY_HEADER, CALLBACK_HEADER,
    }
)  # fmt: skip
"""Headers that a step may not give."""
_SECONDS: Final = 10.0
_HUNDRED: Final = 100


@dataclass(frozen=True, slots=True)
class HttpCall:
    """A request, and what is to become of its answer."""

    request: OutgoingRequest
    ok: frozenset[int | str]
    once: bool
    """Whether it is never sent again while nobody knows what became of it."""
    deadline_seconds: int

    @property
    def callback(self) -> bool:
        """Whether the step waits, after a good answer, until its address is called."""
        return self.request.callback

    @property
    def is_kept(self) -> bool:
        """Whether it has a row before it is sent."""
        return self.once or self.callback

    def takes(self, status: int) -> bool:
        """Whether an answer of this status is a good one."""
        return status in self.ok or f"{status // _HUNDRED}xx" in self.ok


def read_call(given: Mapping[str, Any], key: str) -> HttpCall:
    """The request of these parameters, which fit the schema, under its key.

    Raises:
        InvalidInput: it could not be sent as it is written.
    """
    wanted = given["request"]
    method = wanted.get("method", "GET")
    body, content_type = _body_of(wanted.get("body"))
    headers = {**content_type, **_headers_of(wanted.get("headers", {})), KEY_HEADER: key}
    ok = frozenset(wanted.get("ok", ("2xx",)))
    return HttpCall(
        request=OutgoingRequest(
            method=method,
            url=_url_of(wanted["url"], wanted.get("query", {})),
            headers=headers,
            body=body,
            seconds=float(wanted.get("seconds", _SECONDS)),
            followed=not any(str(each).startswith("3") for each in ok),
            callback=given.get("callback", False),
        ),
        ok=ok,
        once=method in ONCE and not given.get("idempotent", False),
        deadline_seconds=given.get("deadline_seconds", CALLBACK_SECONDS),
    )


def _headers_of(given: Mapping[str, str]) -> Mapping[str, str]:
    headers = {}
    for name, value in given.items():
        if not _TOKEN.fullmatch(name):
            raise InvalidInput("input.request.headers: a name has characters that HTTP does not allow")
        if name.lower() in _OURS:
            raise InvalidInput(f"input.request.headers.{name}: cannot be given, it is set by the worker")
        if not (value.isascii() and value.isprintable()):
            raise InvalidInput(f"input.request.headers.{name}: must be printable ASCII, without line breaks")
        headers[name.lower()] = value.strip()
    return headers


def _url_of(url: str, query: Mapping[str, Any]) -> str:
    if not query:
        return url
    values = {
        name: [_word(each) for each in value] if isinstance(value, list) else _word(value)
        for name, value in query.items()
    }
    return f"{url}{'&' if '?' in url else '?'}{urlencode(values, doseq=True)}"


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _body_of(body: object) -> tuple[bytes, Mapping[str, str]]:
    """The bytes of a body and its type: a text as it is, everything else as JSON."""
    if body is None:
        return b"", {}
    if isinstance(body, str):
        return body.encode("utf-8", "replace"), {"content-type": "text/plain; charset=utf-8"}
    return json.dumps(body, ensure_ascii=False).encode(), {"content-type": "application/json"}
