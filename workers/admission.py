"""What the doors for messages share: a batch of `task.created` payloads in, each accepted or kept with the reason."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import ValidationError

from runtime.logs import logger
from schemas.effects import AlertRaised
from schemas.intake import Problem, TaskCreated, as_records, problems_of
from storage.rejects import NewReject
from tasks.intake import Door, Submission, accept
from workers.process import Process

LARGEST: Final = 1024 * 1024
"""Bytes a payload may have; an order needs a few hundred."""

_KEPT_OF_LARGE: Final = 64 * 1024
"""Bytes that are kept of a payload that is larger than that."""

_TASK_ID: Final = re.compile(r'"task_id"\s*:\s*"([A-Za-z0-9_.:-]{1,32})"')
"""Finds the id even in what is no JSON, so that a person can look the order up."""
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came; `fault` is what its door found wrong with it already."""

    payload: bytes = field(repr=False)
    request_id: str | None = None
    fault: Problem | None = None


def admit(process: Process, arrivals: Sequence[Arrival], door: Door) -> Mapping[str, int]:
    """Accept what is valid in one transaction, keep what is not, raise one alert for all that was refused.

    When this returns, everything is committed and the messages may be acknowledged. Admitting a message again
    makes no second order.

    Returns:
        How many messages came to which verdict, `malformed` for those that are no order.

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
            malformed.append(_refused(arrival, read, door))
    received = accept(process.engine, process.context, submissions, door) if submissions else []
    verdicts = Counter(answer.verdict.value for answer in received)
    if malformed:
        verdicts["malformed"] = len(malformed)
    refused = len(malformed) + sum(answer.problem is not None for answer in received)
    if refused:
        with process.database.transaction() as work:
            work.rejects.keep(malformed)
            work.alerts.raise_all([_alert(refused, door)])
    _log.info("orders taken in", door=door.value, **verdicts)
    return verdicts


def request_id_of(given: object) -> str | None:
    """The producer's request id, where it is one that can be logged and stored."""
    text = given.decode(errors="replace") if isinstance(given, bytes) else given
    return text if isinstance(text, str) and _REQUEST_ID.fullmatch(text) else None


def _read(arrival: Arrival) -> Submission | list[Problem]:
    if arrival.fault is not None:
        return [arrival.fault]
    if len(arrival.payload) > LARGEST:
        return [
            Problem(
                field="body",
                message=f"has {len(arrival.payload):,} bytes, more than the {LARGEST:,} a message may have; "
                f"its first {_KEPT_OF_LARGE:,} are kept",
            )
        ]
    try:
        body = TaskCreated.model_validate_json(arrival.payload)
    except ValidationError as error:
        return problems_of(error)
    return Submission(body, request_id=arrival.request_id)


def _refused(arrival: Arrival, problems: Sequence[Problem], door: Door) -> NewReject:
    payload = arrival.payload
    kept = payload if len(payload) <= LARGEST else payload[:_KEPT_OF_LARGE]
    text = kept.decode(errors="backslashreplace")
    named = _TASK_ID.search(text)
    return NewReject(
        source=door,
        task_id=named.group(1) if named else None,
        payload=text,
        problems=as_records(problems),
    )


def _alert(count: int, door: Door) -> AlertRaised:
    return AlertRaised(
        alert_type="intake_rejected",
        severity="warning",
        message=f"{count} 条 task.created 消息无效, 已保留待更正",
        escalated_to="operations",
        metadata={"count": count, "source": door.value},
    )
