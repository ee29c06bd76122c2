"""The HTTP client by which commands speak to the running fleet, and how its refusals end a command."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fleet.command.failure import NO_FLEET, CommandError
from fleet.command.location import Fleet, find

if TYPE_CHECKING:
    from fleet.command.http_api import Answer, HttpApi
    from fleet.direct import DirectApi

OPERATOR: Final = "operator"
ADMIN: Final = "admin"

_LONGEST_PAGE: Final = 200
"""Rows that every list of the API gives in one page."""
_ANSWER_SECONDS: Final = 120.0
_PROBE_SECONDS: Final = 5.0
_MOST_WAITS: Final = 20
"""How often a command waits because its key has asked too often."""
_RATE_LIMITED: Final = 429
_FIRST_ERROR: Final = 400
CONFLICT: Final = 409
NOT_FOUND: Final = 404
_NO_ACCESS: Final = (401, 403)


class ApiRefused(CommandError):
    """The API refused a request; the message is the API's own.

    Attributes:
        status: The HTTP status.
        details: What the API says of it for programs, and its message.
    """

    def __init__(self, status: int, message: str, details: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.details = {"message": message, **details}

    @property
    def field(self) -> str | None:
        """The first field that cannot be taken, where that is why."""
        fields = self.details.get("fields") or ()
        return str(fields[0]["field"]) if fields else None


class ApiUnreachable(CommandError):
    """The API did not answer; whether it did anything is unknown where the request had left."""

    def __init__(self, message: str) -> None:
        super().__init__(message, NO_FLEET)


class Client:
    """The API as a command calls it; every call returns what the API answers with, read from JSON."""

    def __init__(self, sender: HttpApi | DirectApi, address: str) -> None:
        self._sender = sender
        self._address = address

    def get(self, path: str, **query: Any) -> Any:
        """Look at something."""
        return self._call("GET", path, query, None)

    def content(self, path: str, **query: Any) -> bytes:
        """Look at something that is no JSON: a file, a picture."""
        answer = self._send("GET", path, query, None)
        if answer.status >= _FIRST_ERROR:
            self._read(answer)
        return answer.body

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """Do something."""
        return self._call("POST", path, query, body)

    def put(self, path: str, body: Any, **query: Any) -> Any:
        """Set something."""
        return self._call("PUT", path, query, body)

    def patch(self, path: str, body: Any, **query: Any) -> Any:
        """Change something."""
        return self._call("PATCH", path, query, body)

    def delete(self, path: str, **query: Any) -> Any:
        """Remove something."""
        return self._call("DELETE", path, query, None)

    def rows(self, path: str, name: str, limit: int, **query: Any) -> list[dict[str, Any]]:
        """So many rows of a list, read page by page; `name` is the field that holds them."""
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self.get(path, **query, limit=min(limit - len(found), _LONGEST_PAGE), cursor=cursor)
            found += page[name]
            cursor = page["next_cursor"]
            if cursor is None or len(found) >= limit:
                return found

    def is_served(self) -> bool:
        """Whether the API answers soon, and takes the key."""
        from fleet.command.http_api import NoAnswer

        try:
            answer = self._sender.request("GET", "contact/stops", {"limit": 1}, None, _PROBE_SECONDS)
        except NoAnswer:
            return False
        return answer.status < _FIRST_ERROR

    def _call(self, method: str, path: str, query: Mapping[str, Any], body: Any) -> Any:
        given = {name: value for name, value in query.items() if value is not None}
        for _ in range(_MOST_WAITS):
            answer = self._send(method, path, given, body)
            if answer.status != _RATE_LIMITED:
                return self._read(answer)
            time.sleep(min(float(answer.retry_after or "1"), 5.0))
        return self._read(self._send(method, path, given, body))

    def _send(self, method: str, path: str, query: Mapping[str, Any], body: Any) -> Answer:
        from fleet.command.http_api import NoAnswer

        try:
            return self._sender.request(method, path.lstrip("/"), query, body, _ANSWER_SECONDS)
        except NoAnswer as error:
            raise ApiUnreachable(
                f"the API at {self._address} does not answer ({error}); `unpend status` says more"
            ) from error

    def _read(self, answer: Answer) -> Any:
        try:
            document = answer.document()
        except ValueError as error:
            raise ApiUnreachable(f"what answers at {self._address} is not the API of unpend") from error
        if answer.status >= _FIRST_ERROR:
            raise _refusal(answer, document)
        return document


def _refusal(answer: Answer, document: Any) -> ApiRefused:
    failure = document.get("error") or {} if isinstance(document, dict) else {}
    details = failure.get("details") or {}
    fields = [f"{field['field']}: {field['message']}" for field in details.get("fields") or ()]
    message = "; ".join(fields) or str(failure.get("message", answer.reason))
    refused = ApiRefused(answer.status, message, details)
    if answer.status in _NO_ACCESS:
        refused.code = NO_FLEET
        refused.args = (f"the API does not take the key of this command: {refused}",)
    return refused


@contextmanager
def connected(named: Path | None, owner: str = OPERATOR, *, language: str | None = None) -> Iterator[Client]:
    """The API of the running fleet, called with the key of this owner; `language` is that of sentences for people.

    Raises:
        CommandError: no fleet runs there, or nothing says where its API is; exit code 3.
    """
    fleet = find(named)
    if fleet.api is None:
        raise CommandError(
            "only the servers of this fleet are known, not its API: name it in UNPEND_API_URL "
            "(such as http://127.0.0.1:8080/v1), with a key of it in UNPEND_API_KEY",
            NO_FLEET,
        )
    yield _client_of(fleet, owner, language)


@contextmanager
def connected_or_direct(named: Path | None, owner: str = OPERATOR) -> Iterator[Client]:
    """The same; where the API does not serve, its routes are run here, on the database of the fleet.

    For the few commands that people need most when the API is down.
    """
    fleet = find(named)
    with ExitStack() as stack:
        if fleet.api is not None:
            client = _client_of(fleet, owner)
            if client.is_served() or not fleet.knows_servers:
                yield client
                return
        from fleet.direct import serve_here

        sender = stack.enter_context(serve_here(fleet.settings()))
        yield Client(sender, "the database")


def _client_of(fleet: Fleet, owner: str, language: str | None = None) -> Client:
    from fleet.command.http_api import HttpApi

    address = str(fleet.api)
    return Client(HttpApi(address, fleet.key_of(owner), language), address)


@contextmanager
def refusals(
    *, not_found: str | None = None, conflict: Callable[[Mapping[str, Any]], str] | None = None
) -> Iterator[None]:
    """Say in the command's own words what the API refuses: what is not there, and what is in the way."""
    try:
        yield
    except ApiRefused as error:
        if error.status == NOT_FOUND and not_found is not None:
            raise CommandError(not_found) from error
        if error.status == CONFLICT and conflict is not None:
            raise CommandError(conflict(error.details)) from error
        raise


def segment(name: str) -> str:
    """A name as a part of a path."""
    from urllib.parse import quote

    return quote(name, safe="")


def moment(written: Any) -> Any:
    """A moment of an answer."""
    from datetime import datetime

    return None if written is None else datetime.fromisoformat(written)
