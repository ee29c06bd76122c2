"""Everything a fleet lets out or keeps in clear, as text that can be searched."""

import json
import re
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psutil

from tests.support.fleet.running_fleet import RunningFleet

_OUTSIDE: Final = ("simulator.db",)
"""What in the folder is not the fleet's: the simulated customers' provider stands for a company outside."""
_TABLES: Final = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
    "AND NOT relispartition AND relname <> 'alembic_version' ORDER BY relname"
)
_FLOWER_PAGES: Final = (
    "/",
    "/workers",
    "/tasks",
    "/broker",
    "/api/workers",
    "/api/tasks?limit=10000",
    "/metrics",
)
_HEARD_BY_WHO_DECIDES: Final = "/v1/reviews/{review_id}"
"""The one answer that shows words without a reason given, on record, to the scope `reviews`: asked for without it."""
_GAP: Final = r"[\W_]{0,3}"
"""Anything but letters: whoever writes a number may part its digits as they like."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that must not be there, and around it."""

    where: str
    around: str


@dataclass(frozen=True, slots=True)
class ObservedFleet:
    """A fleet as somebody sees it who may look everywhere."""

    fleet: RunningFleet

    def emitted(self, names: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
        """Where, and what; `names` gives for each path parameter of the API the values to ask with."""
        yield from self._files()
        yield from self._arguments()
        yield from self._tables()
        yield from self._broker()
        yield from self._pages()
        yield from self._answers(names)

    def call(
        self, method: str, path: str, body: object = None, *, agent: str = "admin", **headers: str
    ) -> tuple[int, str]:
        """Ask the API, as its admin if not told otherwise; status and body."""
        document = self.fleet.document
        request = urllib.request.Request(
            f"{document['api']}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {document['keys'][agent]}",
                "Content-Type": "application/json",
                **headers,
            },
        )
        return _text_of(request)

    def _files(self) -> Iterator[tuple[str, str]]:
        for path in sorted(self.fleet.folder.rglob("*")):
            if path.is_file() and not path.name.startswith(_OUTSIDE) and path.suffix != ".aof":
                yield (
                    f"file {path.relative_to(self.fleet.folder)}",
                    path.read_bytes().decode(errors="replace"),
                )

    def _arguments(self) -> Iterator[tuple[str, str]]:
        for process in psutil.process_iter(["cmdline"]):
            yield f"process {process.pid}", " ".join(process.info["cmdline"] or ())

    def _tables(self) -> Iterator[tuple[str, str]]:
        for table in self.fleet.values(_TABLES):
            rows = self.fleet.values(f'SELECT CAST(r AS text) FROM "{table}" r')
            yield f"table {table}", "\n".join(rows)

    def _broker(self) -> Iterator[tuple[str, str]]:
        broker: Any = self.fleet.broker
        for key in broker.scan_iter(count=1000):
            match broker.type(key):
                case "string":
                    held: object = broker.get(key)
                case "list":
                    held = broker.lrange(key, 0, -1)
                case "hash":
                    held = broker.hgetall(key)
                case "set":
                    held = sorted(broker.smembers(key))
                case "zset":
                    held = broker.zrange(key, 0, -1, withscores=True)
                case _:
                    held = broker.xrange(key)
            yield f"broker {key}", f"{key} {held}"

    def _pages(self) -> Iterator[tuple[str, str]]:
        document = self.fleet.document
        login = b64encode(f"{document['flower_user']}:{document['flower_password']}".encode()).decode()
        for page in _FLOWER_PAGES:
            request = urllib.request.Request(
                document["flower"] + page, headers={"Authorization": f"Basic {login}"}
            )
            yield f"flower {page}", _text_of(request)[1]
        yield "exporter", _text_of(urllib.request.Request(document["metrics"]))[1]

    def _answers(self, names: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
        _, described = self.call("GET", "/openapi.json")
        yield "openapi", described
        for path, methods in json.loads(described)["paths"].items():
            if "get" in methods:
                agent = "audit_agent" if path == _HEARD_BY_WHO_DECIDES else "admin"
                for each in _filled(path.removeprefix("/v1"), names):
                    status, text = self.call("GET", each, agent=agent)
                    assert status < 500, (each, text)
                    yield f"GET {each}", text


def findings(texts: Iterator[tuple[str, str]], numbers: Sequence[str], marks: Sequence[str]) -> list[Found]:
    """Where any of the numbers stands, however it is written, or any of the marks, escaped or not."""
    written = [_GAP.join(number) for number in numbers] + [number.encode().hex() for number in numbers]
    for mark in marks:
        escaped = json.dumps(mark)[1:-1]
        written += [
            re.escape(form) for form in (mark, escaped, json.dumps(escaped)[1:-1], mark.encode().hex())
        ]
    sought = re.compile("|".join(written))
    return [
        Found(where, text[max(0, hit.start() - 120) : hit.end() + 40])
        for where, text in texts
        for hit in sought.finditer(text)
    ]


def _filled(path: str, names: Mapping[str, Sequence[str]]) -> list[str]:
    """The path with every value of its parameter; without one, as it stands. Events come as a page, not a stream."""
    path += "?format=json" if path.endswith("/events") else ""
    parameter = re.search(r"\{(\w+)\}", path)
    if parameter is None:
        return [path]
    return [path.replace(parameter[0], value) for value in names.get(parameter[1], ())]


def _text_of(request: urllib.request.Request) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(request, timeout=180) as response:
            return response.status, response.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")
