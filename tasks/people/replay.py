"""What people do about refused input: correct it and send it in again, or dismiss it; once, and on record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.engine import Engine
from runtime.mask import mask_text
from runtime.personal import PersonalFields
from schemas.core.problems import Problem
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.people.rejects import Reject, Rejects
from tasks.forms import Acceptance, EntryPoint, ReadTask, Sender, TaskForms
from tasks.people.payload import with_what_came


class RejectResult(StrEnum):
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
    """The result, with the reject and its problems."""

    outcome: RejectResult
    reject: Reject | None = None
    problems: Sequence[Problem] = ()
    acceptance: Acceptance | None = None
    """What became of the task, where one could be read."""


def replay(
    engine: Engine,
    forms: TaskForms,
    personal: PersonalFields,
    reject_id: str,
    corrected: Mapping[str, Any] | None,
    *,
    by: str,
    request_id: str | None = None,
    trace_id: str | None = None,
) -> Handling:
    """Submit a reject again, corrected or unchanged, by the entry point and in the circumstances of the first time.

    A corrected payload whose `phone` or personal field is masked as `shown` has it keeps the value that came.

    Args:
        engine: Begins what can be begun.
        forms: What refused inputs may be.
        personal: Which fields are personal.
        reject_id: Which one.
        corrected: What to send instead; `None` for what came.
        by: The owner of the key it is done with.
        request_id: What the steps are logged under.
        trace_id: The trace of that request.
    """
    with engine.transaction() as transaction:
        work = transaction.work
        reject = Rejects(work).lock(reject_id)
        if reject is None:
            return Handling(RejectResult.UNKNOWN)
        if reject.state != "open":
            return Handling(RejectResult.BEFORE, reject)
        entry_point, sender = EntryPoint(reject.source), _sender(reject, request_id, trace_id)
        if corrected is None:
            read = forms.read_text(engine, reject.payload, entry_point, sender)
        else:
            document = with_what_came(corrected, reject.payload, personal)
            read = forms.read_document(engine, document, entry_point, sender)
        if not isinstance(read, ReadTask):
            return Handling(RejectResult.INVALID, reject, read)
        (receipt,) = read.form.accept_within(transaction, [read.submission], entry_point)
        if receipt.result is Acceptance.INVALID or receipt.task_id is None:
            return Handling(RejectResult.INVALID, reject, receipt.problems)
        if receipt.problems:
            return Handling(RejectResult.REFUSED, reject, receipt.problems, receipt.result)
        now = Rejects(work).mark_replayed(reject_id, receipt.task_id, by=by)
        detail = {
            "reject_id": reject_id,
            "task_id": receipt.task_id,
            "corrected": corrected is not None,
            "verdict": receipt.result.value,
        }
        SystemAudit(work).write(by, "reject_replayed", detail)
        return Handling(RejectResult.REPLAYED, now, acceptance=receipt.result)


def dismiss(database: Database, reject_id: str, *, by: str, reason: str) -> Handling:
    """Dismiss a reject, with the reason on record."""
    with database.transaction() as work:
        reject = Rejects(work).lock(reject_id)
        if reject is None:
            return Handling(RejectResult.UNKNOWN)
        if reject.state != "open":
            return Handling(RejectResult.BEFORE, reject)
        now = Rejects(work).mark_dismissed(reject_id, by=by)
        detail = {"reject_id": reject_id, "reason": mask_text(reason)}
        SystemAudit(work).write(by, "reject_dismissed", detail)
        return Handling(RejectResult.DISMISSED, now)


def _sender(reject: Reject, request_id: str | None, trace_id: str | None) -> Sender:
    """Whoever sent the input at first, with what came beside it."""
    envelope = reject.envelope
    return Sender(
        agent_id=envelope.created_by,
        request_id=request_id,
        trace_id=trace_id,
        default_mode=envelope.default_mode,
        timeout_seconds=envelope.timeout_seconds,
        description=envelope.description,
    )
