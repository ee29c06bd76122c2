"""A person at the console of a measured fleet."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

import httpx2

from bench.fleet import MeasuredFleet
from console.server.cookie import NAME
from schemas.access.roles import Role
from storage.access.console_sessions import ConsoleSessions
from storage.access.users import Users

_SECONDS: Final = 60.0


class Person:
    """Somebody who is logged in with every role; their password was not compared."""

    def __init__(self, fleet: MeasuredFleet, login: str) -> None:
        """Let them in."""
        self.login = login
        cookie = secrets.token_urlsafe(32)
        with fleet.process.database.transaction() as work:
            user = Users(work).add(login, login, [role.value for role in Role])
            assert user is not None, "nobody is called so yet"
            ConsoleSessions(work).begin(user.user_id, cookie)
        self._client = httpx2.Client(base_url=fleet.console, cookies={NAME: cookie}, timeout=_SECONDS)

    def __enter__(self) -> Self:
        """Use the person's connection."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._client.close()

    def seconds_of(self, path: str) -> float:
        """How long a page takes, with what it leads to.

        Raises:
            RuntimeError: it is answered with an error.
        """
        began = time.perf_counter()
        answer = self._client.get(path, follow_redirects=True)
        seconds = time.perf_counter() - began
        if answer.status_code >= 400:  # noqa: PLR2004 - HTTP's first error
            raise RuntimeError(f"{path} answers {answer.status_code}")
        return seconds

    @contextmanager
    def listening(self) -> Iterator[Iterator[dict[str, Any]]]:
        """What is told on the stream, as it comes."""
        with self._client.stream("GET", "/live") as answer:
            yield self._pulses(answer)

    @staticmethod
    def _pulses(answer: httpx2.Response) -> Iterator[dict[str, Any]]:
        name = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: ") and name == "pulse":
                yield json.loads(line.removeprefix("data: "))
