"""What people do about refused input: correct it and send it in again, or let it be; once, and on record."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from engine.engine import Engine
from engine.transaction import Transaction
from runtime.mask import mask_phone, mask_text
from schemas.core.problems import Problem, problems_of
from schemas.flows.tasks import GeneralTask
from schemas.orders.intake import TaskCreated
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.people.rejects import Reject, Rejects
from tasks.flows import general
from tasks.flows.general import NewTask, begin_all
from tasks.orders.intake.intake import Door, Submission, Verdict, accept_within
from tasks.orders.intake.task_batch import TASK, Item, Sender, item_of
from tasks.orders.rules.context import Context

_PHONE: Final = re.compile(r'(\\?"phone\\?"\s*:\s*\\?")([^"\\]*)')
"""The customer's number even in what is no JSON, or JSON within JSON."""
_ORDER: Final[TypeAdapter[GeneralTask | TaskCreated]] = TypeAdapter(TaskCreated)
"""An order, as messages and files hold it."""


class Handled(StrEnum):
    """What became of a refused input."""

    REPLAYED = "replayed"
    INVALID = "invalid"
    """It is no valid task; `problems` say why. Nothing was changed."""
    REFUSED = "refused"
    """It is a valid task that cannot be taken in; `problems` say why. Nothing was changed."""
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
    agent: str | None = None,
    request_id: str | None = None,
) -> Handling:
    """Send a refused input in again, as corrected or as it was, under the door and in the envelope it came in.

    A corrected payload whose `phone` is the masked number as `shown` has it keeps the number that came.

    Args:
        engine: Begins what can be begun.
        context: What the work needs of the world.
        reject_id: Which one.
        corrected: What to send instead; `None` for what came.
        by: Who does this, as they say.
        agent: The agent whose key they say it with.
        request_id: What the steps are logged under.
    """
    with engine.transaction() as transaction:
        work = transaction.work
        reject = Rejects(work).lock(reject_id)
        if reject is None:
            return Handling(Handled.UNKNOWN)
        if reject.state != "open":
            return Handling(Handled.BEFORE, reject)
        sender = Sender(reject.envelope.created_by or by, request_id, reject.envelope.default_mode)
        item = _read(engine, reject, corrected, sender)
        taken = _take(transaction, context, Door(reject.source), item, sender)
        if taken.verdict is None:
            return Handling(Handled.INVALID, reject, taken.problems)
        if taken.problems:
            return Handling(Handled.REFUSED, reject, taken.problems, taken.verdict)
        now = Rejects(work).mark_replayed(reject_id, taken.task_id, by=by, agent=agent)
        detail = {
            "reject_id": reject_id,
            "task_id": taken.task_id,
            "corrected": corrected is not None,
            "verdict": taken.verdict.value,
        }
        SystemAudit(work).write(by, "reject_replayed", detail | _with(agent))
        return Handling(Handled.REPLAYED, now, verdict=taken.verdict)


def dismiss(
    database: Database, reject_id: str, *, by: str, reason: str, agent: str | None = None
) -> Handling:
    """Let a refused input be: nothing will be made of it, and the record says why."""
    with database.transaction() as work:
        reject = Rejects(work).lock(reject_id)
        if reject is None:
            return Handling(Handled.UNKNOWN)
        if reject.state != "open":
            return Handling(Handled.BEFORE, reject)
        now = Rejects(work).mark_dismissed(reject_id, by=by, agent=agent)
        detail = {"reject_id": reject_id, "reason": mask_text(reason)}
        SystemAudit(work).write(by, "reject_dismissed", detail | _with(agent))
        return Handling(Handled.DISMISSED, now)


def shown(payload: str) -> str:
    """A refused payload as it may be shown: every phone number masked, and encodable whatever came."""
    try:
        document = json.loads(payload)
        text = json.dumps(_masked(document), ensure_ascii=False)
    except (ValueError, RecursionError):
        text = _masked_text(payload)
    return text.encode(errors="backslashreplace").decode()


@dataclass(frozen=True, slots=True)
class _Taken:
    """What came of an input that was sent in again; without a verdict it is none that could be taken in."""

    verdict: Verdict | None
    task_id: str
    problems: Sequence[Problem]


def _read(engine: Engine, reject: Reject, corrected: Mapping[str, Any] | None, sender: Sender) -> Item:
    """The task as its door reads it, in the envelope it came in; or what is wrong with it."""
    form = TASK if reject.source == Door.HTTP else _ORDER
    try:
        if corrected is None:
            body = form.validate_json(reject.payload)
        else:
            body = form.validate_python(_with_number(corrected, _number_of(reject.payload)))
    except ValidationError as error:
        return tuple(problems_of(error))
    item, envelope = item_of(engine, body, sender), reject.envelope
    if not isinstance(item, Submission):
        return item
    return replace(
        item,
        created_by=envelope.created_by,
        timeout_seconds=item.timeout_seconds or envelope.timeout_seconds,
        description=item.description or envelope.description,
    )


def _take(transaction: Transaction, context: Context, door: Door, item: Item, sender: Sender) -> _Taken:
    if isinstance(item, Submission):
        (received,) = accept_within(transaction, context, [item], door)
        return _Taken(
            received.verdict, received.task_id, () if received.problem is None else (received.problem,)
        )
    if not isinstance(item, NewTask):
        return _Taken(None, "", item)
    (taken,) = begin_all(transaction, [item], by=sender.agent_id, request_id=sender.request_id)
    if taken.verdict is general.Verdict.INVALID or taken.task_id is None:
        return _Taken(None, "", taken.problems)
    return _Taken(Verdict(taken.verdict.value), taken.task_id, taken.problems)


def _with(agent: str | None) -> dict[str, object]:
    return {} if agent is None else {"agent": agent}


def _with_number(corrected: Any, number: str | None, name: str = "") -> Any:
    """The corrected document with the number that came wherever it was left as it was shown."""
    match corrected:
        case Mapping():
            return {key: _with_number(inner, number, str(key)) for key, inner in corrected.items()}
        case str() if name == "phone" and number is not None and corrected == _mask(number):
            return number
        case _:
            return corrected


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
            return _mask(value) if name == "phone" else _masked_text(value)
        case bool() | None:
            return value
        case int():
            digits = _mask(str(value)) if name == "phone" else mask_text(str(value))
            return value if digits == str(value) else digits
        case _:
            return value


def _masked_text(text: str) -> str:
    return mask_text(_PHONE.sub(lambda found: found[1] + _mask(found[2]), text))


def _mask(number: str) -> str:
    """A number that is masked already stays as it is."""
    return number if "*" in number else mask_phone(number)
