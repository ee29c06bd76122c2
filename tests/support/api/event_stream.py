"""A client of server-sent events, as browsers are one."""

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.support.api.client import key_of
from tests.support.waiting import wait_until

PATIENCE = 180


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it was received."""

    id: str
    type: str
    data: dict[str, Any]


@dataclass(slots=True)
class Stream:
    """A stream that is read in the background, until it ends or its reader leaves."""

    response: httpx2.Response
    told: list[Told] = field(default_factory=list)
    last_id: str = ""
    ended: bool = False

    def read(self) -> None:
        """Read until the end."""
        try:
            for one in blocks(self.response.iter_lines()):
                self.last_id = one.get("id", self.last_id)
                if "data" in one:
                    self.told.append(Told(one["id"], one["event"], json.loads(one["data"])))
        except httpx2.HTTPError:
            pass  # closed under the reader: that is how one leaves
        self.ended = True

    def titles(self, number: int) -> list[str]:
        """The titles of so many events, waited for."""
        wait_until(lambda: len(self.told) >= number, seconds=PATIENCE)
        return [told.data["title"] for told in self.told]


def blocks(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """The blocks of a stream, each as its fields; comments are left out."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if not line:
            yield fields
            fields = {}
        elif name and not name.startswith(":"):
            fields[name] = value


@contextmanager
def listening(address: str, path: str, *, agent: str = "operator", **headers: str) -> Iterator[Stream]:
    """A stream that was opened; leaving the context closes the connection under it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with (
        httpx2.Client(base_url=address, trust_env=False, timeout=PATIENCE) as client,
        client.stream("GET", path, headers={"Authorization": f"Bearer {key_of(agent)}"} | named) as response,
    ):
        stream = Stream(response)
        reader = threading.Thread(target=stream.read)
        if response.status_code == 200:
            reader.start()
            wait_until(lambda: stream.last_id != "" or stream.ended)
        yield stream
        if not stream.ended and response.status_code == 200:
            # Wakes the reader: closing a socket that another thread reads from does not.
            response.extensions["network_stream"].get_extra_info("socket").shutdown(2)
            reader.join(PATIENCE)
            assert not reader.is_alive()
