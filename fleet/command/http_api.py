"""The API over HTTP, by the standard library alone: what a larger client would load, every command would wait for."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

_CONNECT_SECONDS: Final = 3.0


class NoAnswer(Exception):
    """The API did not answer; whether it did anything is unknown where the request had left."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered.

    Attributes:
        status: The HTTP status.
        reason: What the status is called.
        retry_after: In how many seconds to ask again, where the API says so.
        body: JSON, where it is the API.
    """

    status: int
    reason: str
    retry_after: str | None
    body: bytes

    def document(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class WrittenText:
    """A file as it was written, and what it is."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class HttpApi:
    """The API at an address, asked with a key.

    Each request has a connection of its own: one that was kept may have been closed at the other end. No proxy of the
    environment is asked: it is for the world outside, and the API is inside.
    """

    address: str
    key: str = field(repr=False)
    language: str | None = None
    """That of sentences for people; the API's own choice where it is `None`."""

    def request(
        self, method: str, path: str, query: Mapping[str, Any], body: Any, longest_seconds: float
    ) -> Answer:
        """The answer of a route; a text goes as it was written, any other body as JSON.

        Raises:
            NoAnswer: nothing answers, or not in time; it says what happened.
        """
        at = urlsplit(self.address)
        target = f"{at.path.rstrip('/')}/{quote(path, safe='/%')}"
        if query:
            target += "?" + urlencode({name: _written(value) for name, value in query.items()}, doseq=True)
        headers = {"Authorization": f"Bearer {self.key}", "Accept": "application/json"}
        if self.language is not None:
            headers["Accept-Language"] = self.language
        content = None
        if isinstance(body, WrittenText):
            content = body.content
            headers["Content-Type"] = body.media_type
        elif body is not None:
            content = json.dumps(body, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        kind = http.client.HTTPSConnection if at.scheme == "https" else http.client.HTTPConnection
        try:
            with closing(kind(at.netloc.rpartition("@")[2], timeout=_CONNECT_SECONDS)) as connection:
                connection.connect()
                connection.sock.settimeout(longest_seconds)
                connection.request(method, target, content, headers)
                answer = connection.getresponse()
                return Answer(answer.status, answer.reason, answer.getheader("Retry-After"), answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(type(error).__name__) from error


def _written(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
