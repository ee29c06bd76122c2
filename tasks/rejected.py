"""What people do about refused input: correct it and send it in again, or let it be; once, and on record."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError

from engine.engine import Engine
from runtime.mask import mask_phone, mask_text
from schemas.intake import Problem, TaskCreated, problems_of
from storage.database import Database
from storage.rejects import Reject
from tasks.context import Context
from tasks.intake import Door, Submission, Verdict, accept_within

_PHONE: Final = re.compile(r'("phone"\s*:\s*")([^"]*)(")')
"""The customer's number even in what is no JSON."""


class Handled(StrEnum):
    """What became of a refused input."""

    REPLAYED = "replayed"
    INVALID = "invalid"
    """It is no valid order; `problems` say why. Nothing was changed."""
    REFUSED = "refused"
    """It is a valid order that cannot be taken in; `problems` say why. Nothing was changed."""
    DISMISSED = "dismissed"
    BEFORE = "before"
    """Somebody has dealt with it before; nothing was changed."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Handling:
    """The outcome, with the refused input as it stands and what is wrong with it where something is."""

    outcome: Handled
    reject: Reject | None = None
    problems: Sequence[Problem] = ()
    verdict: Verdict | None = None


def replay(
    engine: Engine,
    context: Context,
    reject_id: str,
    corrected: Mapping[str, Any] | None,
    *,
    by: str,
    request_id: str | None = None,
) -> Handling:
    """Send a refused input in again, as corrected or as it was, under the door it came by.

    A corrected payload whose `metadata.phone` is the masked number as `shown` has it keeps the number that came.
    """
    with engine.transaction() as transaction:
        work = transaction.work
        reject = work.rejects.lock(reject_id)
        if reject is None:
            return Handling(Handled.UNKNOWN)
        if reject.state != "open":
            return Handling(Handled.BEFORE, reject)
        try:
            body = _body(reject, corrected)
        except ValidationError as error:
            return Handling(Handled.INVALID, reject, problems_of(error))
        submission = Submission(body, request_id=request_id)
        (received,) = accept_within(transaction, context, [submission], Door(reject.source))
        if received.problem is not None:
            return Handling(Handled.REFUSED, reject, [received.problem], received.verdict)
        now = work.rejects.mark_replayed(reject_id, body.task_id, by=by)
        detail = {
            "reject_id": reject_id,
            "task_id": body.task_id,
            "corrected": corrected is not None,
            "verdict": received.verdict.value,
        }
        work.system_audit.write(by, "reject_replayed", detail)
        return Handling(Handled.REPLAYED, now, verdict=received.verdict)


def dismiss(database: Database, reject_id: str, *, by: str, reason: str) -> Handling:
    """Let a refused input be: nothing will be made of it, and the record says why."""
    with database.transaction() as work:
        reject = work.rejects.lock(reject_id)
        if reject is None:
            return Handling(Handled.UNKNOWN)
        if reject.state != "open":
            return Handling(Handled.BEFORE, reject)
        now = work.rejects.mark_dismissed(reject_id, by=by)
        work.system_audit.write(by, "reject_dismissed", {"reject_id": reject_id, "reason": mask_text(reason)})
        return Handling(Handled.DISMISSED, now)


def shown(payload: str) -> str:
    """A refused payload as it may be shown: every phone number masked, and encodable whatever came."""
    try:
        document = json.loads(payload)
        text = json.dumps(_masked(document), ensure_ascii=False)
    except (ValueError, RecursionError):
        text = mask_text(_PHONE.sub(lambda found: found[1] + _mask(found[2]) + found[3], payload))
    return text.encode(errors="backslashreplace").decode()


def _body(reject: Reject, corrected: Mapping[str, Any] | None) -> TaskCreated:
    if corrected is None:
        return TaskCreated.model_validate_json(reject.payload)
    metadata, number = corrected.get("metadata"), _number_of(reject.payload)
    if isinstance(metadata, Mapping) and number is not None and metadata.get("phone") == _mask(number):
        corrected = {**corrected, "metadata": {**metadata, "phone": number}}
    return TaskCreated.model_validate(corrected)


def _number_of(payload: str) -> str | None:
    """The customer's number as it came, even in what is no JSON."""
    try:
        number = json.loads(payload)["metadata"]["phone"]
    except (ValueError, TypeError, KeyError, RecursionError):
        found = _PHONE.search(payload)
        return found[2] if found else None
    return str(number) if isinstance(number, (str, int)) else None


def _masked(value: Any, name: str = "") -> Any:
    match value:
        case dict():
            return {mask_text(key): _masked(inner, key) for key, inner in value.items()}
        case list():
            return [_masked(inner, name) for inner in value]
        case str():
            return _mask(value) if name == "phone" else mask_text(value)
        case bool() | None:
            return value
        case int():
            digits = _mask(str(value)) if name == "phone" else mask_text(str(value))
            return value if digits == str(value) else digits
        case _:
            return value


def _mask(number: str) -> str:
    """A number that is masked already stays as it is."""
    return number if "*" in number else mask_phone(number)
