"""Accepts a batch of `task.created` payloads from the stream or the queue, or keeps each with the reason."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import ValidationError

from runtime.logs import logger
from schemas.core.problems import Problem, as_records, problems_of
from schemas.orders.intake import TaskCreated
from storage.people.rejects import NewReject
from tasks.forms import EntryPoint
from tasks.orders.intake.intake import Submission, accept
from workers.process import Process

LARGEST: Final = 1024 * 1024
"""Bytes a payload may have; an order needs a few hundred."""

LARGEST_BATCH: Final = 8 * 1024 * 1024
"""Bytes that are taken at once, and one message more; several times that is needed while they are read."""

_KEPT_OF_LARGE: Final = 64 * 1024
"""Bytes that are kept of a payload that is larger than that."""

_ID: Final = r'\\?"{}\\?"\s*:\s*\\?"([A-Za-z0-9_.:-]{{1,32}})\\?"'
_TASK_ID: Final = re.compile(_ID.format("task_id"))
_ORDER_ID: Final = re.compile(_ID.format("order_id"))
"""Find the ids even in what is no JSON, or JSON within JSON, so that a person can look the order up."""
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it arrived; `fault` is what was found wrong while reading it."""

    payload: bytes = field(repr=False)
    request_id: str | None = None
    fault: Problem | None = None


def admit(process: Process, arrivals: Sequence[Arrival], entry_point: EntryPoint) -> Mapping[str, int]:
    """Accept what is valid and keep what is not, in one transaction, with an alert for all that was refused.

    When this returns, everything is committed and the messages may be acknowledged. Admitting a message again
    makes no second order.

    Returns:
        How many messages came to which result, `malformed` for those that are no order.

    Raises:
        StorageUnavailable: PostgreSQL is away; all of it may be admitted again.
    """
    submissions: list[Submission] = []
    malformed: list[NewReject] = []
    for arrival in arrivals:
        read = _read(arrival)
        if isinstance(read, Submission):
            submissions.append(read)
        else:
            malformed.append(_refused(arrival, read, entry_point))
    received = accept(process.engine, process.context, submissions, entry_point, malformed)
    results = Counter(answer.result.value for answer in received)
    if malformed:
        results["malformed"] = len(malformed)
    _log.info("orders taken in", entry_point=entry_point.value, **results)
    return results


def request_id_of(given: object) -> str | None:
    """The producer's request id, where it is one that can be logged and stored."""
    text = given.decode(errors="replace") if isinstance(given, bytes) else given
    return text if isinstance(text, str) and _REQUEST_ID.fullmatch(text) else None


def _read(arrival: Arrival) -> Submission | list[Problem]:
    problems = [] if arrival.fault is None else [arrival.fault]
    if len(arrival.payload) > LARGEST:
        problems.append(
            Problem(
                field="body",
                message=f"has {len(arrival.payload):,} bytes, more than the {LARGEST:,} a message may have; "
                f"its first {_KEPT_OF_LARGE:,} are kept",
            )
        )
    if problems:
        return problems
    try:
        body = TaskCreated.model_validate_json(arrival.payload)
    except ValidationError as error:
        return problems_of(error)
    return Submission(body, request_id=arrival.request_id)


def _refused(arrival: Arrival, problems: Sequence[Problem], entry_point: EntryPoint) -> NewReject:
    payload = arrival.payload
    kept = payload if len(payload) <= LARGEST else payload[:_KEPT_OF_LARGE]
    text = kept.decode(errors="backslashreplace")
    return NewReject(
        source=entry_point,
        task_id=_named(_TASK_ID, text),
        order_id=_named(_ORDER_ID, text),
        payload=text,
        problems=as_records(problems),
    )


def _named(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None
