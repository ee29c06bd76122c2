"""A local endpoint that speaks OpenAI's chat completions, well or badly as a test wants it."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any

from tests.support.listening import ListeningServer

PATIENCE_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it arrived."""

    path: str
    headers: Mapping[str, str]
    document: Mapping[str, Any]

    @property
    def form(self) -> str:
        return str(self.document["response_format"]["type"])

    @property
    def system(self) -> str:
        return str(self.document["messages"][0]["content"])

    @property
    def words(self) -> Mapping[str, Any]:
        """The data in the user's message."""
        data: Mapping[str, Any] = json.loads(self.document["messages"][1]["content"])
        return data

    @property
    def text(self) -> str:
        return str(self.words["customer_words"])


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer: `content` of the one choice, or a whole `body`; `drop` breaks the connection instead."""

    content: object = None
    status: int = 200
    body: bytes | None = None
    drop: bool = False
    after: threading.Event | None = None
    """Answers only when it is set."""
    drips: bool = False
    """Sends a byte now and then, and never ends."""


Behaviour = Callable[[Asked], Reply]


def says(intent: str, evidence: str | None = None) -> Behaviour:
    """A model that reads this intent everywhere; in all that was said, unless the evidence is named."""

    def answer(asked: Asked) -> Reply:
        found = asked.text if evidence is None else evidence
        return Reply(json.dumps({"intent": intent, "evidence": found}, ensure_ascii=False))

    return answer


def always(reply: Reply) -> Behaviour:
    """The same answer to everything."""
    return lambda _: reply


class LanguageModelServer(ListeningServer):
    """Listens on a free port; what is asked is kept in the order it came."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.asked: list[Asked] = []
        self.ended = threading.Event()
        super().__init__(self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        super().__exit__(kind, error, trace)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        completions = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 5

            def do_POST(self) -> None:
                document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.path, headers, document)
                completions.asked.append(asked)
                reply = completions.behaviour(asked)
                if reply.after is not None:
                    reply.after.wait(PATIENCE_SECONDS)
                try:
                    self._answer(reply)
                except OSError:
                    self.close_connection = True  # whoever asked has gone

            def _answer(self, reply: Reply) -> None:
                if reply.drop:
                    self.close_connection = True
                    return
                body = completion(reply.content) if reply.body is None else reply.body
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body) + (PATIENCE_SECONDS * 100 * reply.drips)))
                self.end_headers()
                self.wfile.write(body)
                for _ in range(PATIENCE_SECONDS * 100 * reply.drips):
                    if completions.ended.wait(0.01):
                        return
                    self.wfile.write(b" ")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


def completion(content: object) -> bytes:
    """The body of a completion with one choice."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"id": "c1", "object": "chat.completion", "choices": [choice]}).encode()
