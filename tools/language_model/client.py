"""Client of a language model: OpenAI's chat completions over one pooled client, with one deadline for all."""

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import httpx2

from tools.language_model.breaker import CircuitBreaker
from tools.language_model.prompt import AnswerForm, ModelQuestion, request_body
from tools.language_model.second_opinion import Discarded, SecondOpinion, read_second_opinion

DEADLINE_SECONDS: Final = 1.2
"""What all questions of a batch may take together: the tool they serve has two seconds."""

_AT_ONCE: Final = 16
_LARGEST_ANSWER_BYTES: Final = 65_536
_BAD_QUESTION: Final = frozenset({400, 422})
"""What endpoints answer that do not know `json_schema`, and those that do not like the words."""

_FAIR_SHARE: Final = 0.5
"""A question that had less than this share of the deadline left says nothing of the endpoint when it fails."""


class QuestionOutcome(StrEnum):
    """The outcome of a question; the values are those of the log line."""

    ANSWERED = "answered"
    DISCARDED = "discarded"
    """The answer was no verdict."""
    REFUSED = "refused"
    """The endpoint took the question for a bad one; its words may be the cause, so it is no failure."""
    FAILED = "failed"
    """No answer: unreachable, too slow, or an error of the endpoint."""
    LATE = "late"
    """The deadline passed before it was its turn, or while it was under way."""
    NOT_ASKED = "not_asked"
    """The endpoint had failed too often just before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinions:
    """The second opinions, question by question, `None` where there is none; with the count of each outcome."""

    opinions: Sequence[SecondOpinion | None]
    counts: Mapping[QuestionOutcome, int]


@dataclass(frozen=True, slots=True)
class _Reply:
    """A status and a body; the body may quote what a customer said, so it is not shown."""

    status: int
    body: bytes = field(repr=False)


class LanguageModel:
    """Sends questions to one model; safe to share between threads.

    Args:
        url: The endpoint without `/chat/completions`, as `https://host/v1`.
        key: Its bearer token; empty for none. Never shown.
        name: The model.
        breaker: Shared by all questions of the process.
        deadline_seconds: What all questions of one call of `ask` may take together.

    Raises:
        ValueError: `url` is no http or https address or holds a password, or `name` is empty.
    """

    def __init__(
        self,
        url: str,
        key: str,
        name: str,
        *,
        breaker: CircuitBreaker | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        address = httpx2.URL(url)
        if address.scheme not in {"http", "https"} or not address.host or address.userinfo:
            raise ValueError(
                "language_model_url must be an address as https://host/v1, without a name or password in it"
            )
        if not name:
            raise ValueError(
                "language_model_name must name one of the endpoint's models where language_model_url is set"
            )
        self._url: Final = f"{str(address).rstrip('/')}/chat/completions"
        self._name: Final = name
        self._deadline_seconds = deadline_seconds
        self._breaker: Final = breaker or CircuitBreaker()
        self._form = AnswerForm.JSON_SCHEMA
        self._client: Final = httpx2.Client(
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json",
                **({"Authorization": f"Bearer {key}"} if key else {}),
            },
            limits=httpx2.Limits(
                max_connections=_AT_ONCE, max_keepalive_connections=_AT_ONCE, keepalive_expiry=15.0
            ),
            follow_redirects=False,
            trust_env=False,
        )
        self._pool: ThreadPoolExecutor | None = None
        self._lock: Final = threading.Lock()

    def __repr__(self) -> str:
        """The endpoint and the model only."""
        return f"LanguageModel({self._url!r}, {self._name!r})"

    def ask(self, questions: Sequence[ModelQuestion]) -> Opinions:
        """Ask all questions at once, each only once; one that fails or is late has no opinion.

        Returns at the deadline at the latest.
        """
        if not questions:
            return Opinions(opinions=(), counts={})
        deadline = time.monotonic() + self._deadline_seconds
        asked = [self._threads().submit(self._ask, question, deadline) for question in questions]
        wait(asked, timeout=self._deadline_seconds)
        ended = [_ended(one) for one in asked]
        return Opinions(
            opinions=tuple(opinion for _, opinion in ended), counts=Counter(outcome for outcome, _ in ended)
        )

    def close(self) -> None:
        """Close the connections; questions under way end by their own deadline first."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def _threads(self) -> ThreadPoolExecutor:
        """The threads that ask, kept for the process."""
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="language-model")
            return self._pool

    def _ask(self, question: ModelQuestion, deadline: float) -> tuple[QuestionOutcome, SecondOpinion | None]:
        left = deadline - time.monotonic()
        if left <= 0:
            return QuestionOutcome.LATE, None
        if not self._breaker.admits():
            return QuestionOutcome.NOT_ASKED, None
        reply = self._completed(question, deadline)
        if reply is None and left < _FAIR_SHARE * self._deadline_seconds:
            return QuestionOutcome.LATE, None
        answers = reply is not None and (reply.status == httpx2.codes.OK or reply.status in _BAD_QUESTION)
        self._breaker.note(answered=answers)
        if reply is None or not answers:
            return QuestionOutcome.FAILED, None
        if reply.status in _BAD_QUESTION:
            return QuestionOutcome.REFUSED, None
        opinion = read_second_opinion(_content(reply.body), text=question.text)
        return (
            (QuestionOutcome.DISCARDED, None)
            if isinstance(opinion, Discarded)
            else (QuestionOutcome.ANSWERED, opinion)
        )

    def _completed(self, question: ModelQuestion, deadline: float) -> _Reply | None:
        """The reply, in the stricter form where the endpoint knows it; `None` when there is none in time."""
        form = self._form
        reply = self._reply(request_body(question, model=self._name, form=form), deadline)
        if form is AnswerForm.JSON_OBJECT or reply is None or reply.status not in _BAD_QUESTION:
            return reply
        # Not a repetition: the same was never asked in a form that the endpoint understands.
        plainer = AnswerForm.JSON_OBJECT
        reply = self._reply(request_body(question, model=self._name, form=plainer), deadline)
        if reply is not None and reply.status == httpx2.codes.OK:
            self._form = plainer
        return reply

    def _reply(self, body: bytes, deadline: float) -> _Reply | None:
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        try:
            with self._client.stream("POST", self._url, content=body, timeout=left) as response:
                received = bytearray()
                for chunk in response.iter_bytes():
                    received += chunk
                    if len(received) > _LARGEST_ANSWER_BYTES or time.monotonic() > deadline:
                        return None
                return _Reply(response.status_code, bytes(received))
        except (httpx2.RequestError, httpx2.InvalidURL):
            return None


def _ended(
    asked: "Future[tuple[QuestionOutcome, SecondOpinion | None]]",
) -> tuple[QuestionOutcome, SecondOpinion | None]:
    """How a question ended; one that has not ended by now is not waited for."""
    if asked.done():
        return asked.result()
    asked.cancel()
    return QuestionOutcome.LATE, None


def _content(body: bytes) -> object:
    """The content of the first choice; `None` where the body has not the form of a completion."""
    try:
        document = json.loads(body)
        return document["choices"][0]["message"]["content"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
