"""Accepts many tasks at once: each is read, accepted or rejected by itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from engine.engine import Engine
from schemas.core.identifier import Identifier
from schemas.core.problems import as_records
from statemachine.workflow.states import RunState
from storage.flows.task_list import TaskList
from storage.people.rejects import Envelope, NewReject
from tasks.forms import Acceptance, EntryPoint, ReadTask, Sender, TaskForms, TaskReceipt
from tasks.people.rejects import keep

_ID: Final[TypeAdapter[str]] = TypeAdapter(Identifier)


@dataclass(frozen=True, slots=True)
class BatchItemResult:
    """What became of one item, and the lifecycle of its task where there is one."""

    receipt: TaskReceipt
    status: RunState | None


def accept_batch(
    engine: Engine, forms: TaskForms, sent: Sequence[Any], sender: Sender, entry_point: EntryPoint
) -> list[BatchItemResult]:
    """Accept what can be accepted of these tasks, as they were sent; one result each, in their order.

    The tasks of products are committed first, general work last: a caller who got no answer and sends the batch again
    begins nothing twice, but for general work that names no task_id of its own.
    """
    reads = [forms.read(engine, each, sender) for each in sent]
    receipts: dict[int, TaskReceipt] = {
        index: TaskReceipt(
            result=Acceptance.INVALID, task_id=_id_in(sent[index], "task_id"), problems=problems
        )
        for index, problems in enumerate(reads)
        if not isinstance(problems, ReadTask)
    }
    for form in forms.all:
        own = {
            index: read.submission
            for index, read in enumerate(reads)
            if isinstance(read, ReadTask) and read.form is form
        }
        if own:
            accepted = form.accept(engine, list(own.values()), entry_point)
            receipts |= zip(own, accepted, strict=True)
    invalid = [
        _reject(sent[index], receipt, sender, entry_point)
        for index, receipt in sorted(receipts.items())
        if receipt.result is Acceptance.INVALID
    ]
    statuses = _settled(engine, forms, invalid, list(receipts.values()))
    return [
        BatchItemResult(
            receipt, RunState.RUNNING if receipt.has_begun else statuses.get(receipt.task_id or "")
        )
        for _, receipt in sorted(receipts.items(), key=lambda item: item[0])
    ]


def _settled(
    engine: Engine, forms: TaskForms, invalid: Sequence[NewReject], receipts: Sequence[TaskReceipt]
) -> Mapping[str, RunState]:
    """Keep what could not be read, and look the lifecycles up that are not known yet, by task."""
    runs = [each.run_id for each in receipts if each.run_id and not each.has_begun]
    if not invalid and not runs:
        return {}
    with engine.database.transaction() as work:
        if invalid:
            keep(work, invalid)
        return TaskList(work, forms.subjects).statuses(runs)


def _reject(sent: Any, receipt: TaskReceipt, sender: Sender, entry_point: EntryPoint) -> NewReject:
    return NewReject(
        source=entry_point,
        task_id=receipt.task_id,
        order_id=_id_in(sent, "order_id"),
        # Half a character cannot be encrypted as it is; everything else is kept as people wrote it.
        payload=json.dumps(sent, ensure_ascii=False).encode(errors="backslashreplace").decode(),
        problems=as_records(receipt.problems),
        trace_id=sender.trace_id,
        envelope=Envelope(created_by=sender.agent_id, default_mode=sender.default_mode),
    )


def _id_in(sent: Any, name: str) -> str | None:
    """An id in something malformed, in the parameters of a general task too, where it is one that can be shown."""
    if not isinstance(sent, dict):
        return None
    within = sent.get("parameters")
    given = sent.get(name) or (within.get(name) if isinstance(within, dict) else None)
    try:
        return _ID.validate_python(given)
    except ValidationError:
        return None
