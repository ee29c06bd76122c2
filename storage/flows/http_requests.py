"""HTTP requests of steps that are made once, or called back: the intent is committed before anything leaves."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from sqlalchemy import text

from runtime.cipher import Cipher
from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.flows.tables import http_requests as http_requests_table

RequestState = Literal["sending", "answered", "unsent"]
"""Nobody knows yet; what was answered is known; nothing was done that may not be repeated."""

_INTEND = BulkInsert(
    http_requests_table, ("step_id", "delivery", "run_id", "tries", "token_hash"), on_conflict=" "
)
_OF_STEPS = text(
    "SELECT step_id, delivery, tries, state, answer, callback FROM http_requests WHERE step_id = ANY(:ids) "
    "ORDER BY step_id, delivery"
)
_CONCLUDE = text(
    "UPDATE http_requests SET state = :state, answer = :answer WHERE step_id = :step_id AND delivery = :delivery"
)
_OF_TOKEN = text("SELECT step_id, delivery FROM http_requests WHERE token_hash = :token_hash")
_KEEP_CALLBACK = text(
    "UPDATE http_requests SET callback = :callback WHERE step_id = :step_id AND delivery = :delivery "
    "AND callback IS NULL RETURNING 1"
)


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request that is about to be sent."""

    step_id: int
    delivery: int
    run_id: str
    tries: int
    token_hash: bytes | None


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request as it is known; what was said is JSON text, opened."""

    delivery: int
    tries: int
    state: RequestState
    answer: str | None = field(repr=False)
    callback: str | None = field(repr=False)


class RequestKey(NamedTuple):
    """Which request it is."""

    step_id: int
    delivery: int


@dataclass(frozen=True, slots=True)
class HttpRequests(Repository):
    """The only code that writes `http_requests`, but for what removes and erases."""

    def intend(self, requests: Sequence[NewRequest]) -> None:
        """Note that these are about to be sent; one that was noted already stays as it is."""
        _INTEND(
            self.connection,
            [(each.step_id, each.delivery, each.run_id, each.tries, each.token_hash) for each in requests],
        )

    def of_steps(self, step_ids: Collection[int]) -> Mapping[int, Sequence[StoredRequest]]:
        """What is known of the requests of these steps, the oldest first; only steps that have any."""
        found: defaultdict[int, list[StoredRequest]] = defaultdict(list)
        for row in self.connection.execute(_OF_STEPS, {"ids": list(step_ids)}):
            found[row.step_id].append(
                StoredRequest(
                    delivery=row.delivery,
                    tries=row.tries,
                    state=row.state,
                    answer=_opened(self.cipher, row.answer, "answer", row.step_id, row.delivery),
                    callback=_opened(self.cipher, row.callback, "callback", row.step_id, row.delivery),
                )
            )
        return found

    def conclude(self, key: RequestKey, state: RequestState, answer: str | None = None) -> None:
        """Note what became of a request, with the answer where there was one."""
        sealed = None if answer is None else self.cipher.encrypt(answer, _place("answer", *key))
        self.connection.execute(_CONCLUDE, {"state": state, "answer": sealed, **key._asdict()})

    def of_token(self, token_hash: bytes) -> RequestKey | None:
        """The request whose callback address has this end."""
        row = self.connection.execute(_OF_TOKEN, {"token_hash": token_hash}).one_or_none()
        return None if row is None else RequestKey(row.step_id, row.delivery)

    def keep_callback(self, key: RequestKey, body: str) -> bool:
        """Keep what was sent to a callback address; `False` when it was called before. Its step is locked."""
        sealed = self.cipher.encrypt(body, _place("callback", *key))
        row = self.connection.execute(_KEEP_CALLBACK, {"callback": sealed, **key._asdict()})
        return row.one_or_none() is not None


def _place(column: str, step_id: int, delivery: int) -> str:
    return f"http_requests.{column}.{step_id}.{delivery}"


def _opened(cipher: Cipher, sealed: bytes | None, column: str, step_id: int, delivery: int) -> str | None:
    return None if sealed is None else cipher.decrypt(bytes(sealed), _place(column, step_id, delivery))
