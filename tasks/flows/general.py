"""General tasks (seed 003): work of any registered kind, begun once, many in one transaction."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError

from engine.begin import Begin
from engine.catalogue import UnknownWorkflow, workflow_of
from engine.engine import Engine
from engine.transaction import Transaction
from runtime.ids import Prefix, new_id
from runtime.mask import mask_text
from schemas.core.parameters import problems_with
from schemas.core.private_words import sealed
from schemas.core.problems import Problem, as_records, problems_of
from schemas.orders.intake import TaskCreated
from statemachine.workflow.definition import Workflow
from storage.flows.named_runs import NamedRuns
from storage.people.rejects import Envelope, NewReject
from tasks.orders.intake.intake import TRIGGER, Door
from tasks.people.rejects import keep

LONGEST_TIMEOUT: Final = 31 * 24 * 3600
"""Seconds a task may be given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """General work as its caller asks for it; `task_type` names a workflow or an action."""

    task_type: str
    description: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 1
    timeout_seconds: int | None = None
    task_id: str | None = None
    """The caller's own id: sent again with the same body, the task is begun once."""

    def digest(self) -> bytes:
        """What tells this body from another under the same task_id."""
        meaning = (self.task_type, self.description, self.parameters, self.priority, self.timeout_seconds)
        return hashlib.sha256(json.dumps(meaning, ensure_ascii=False, sort_keys=True).encode()).digest()


class Verdict(StrEnum):
    """What became of a general task that was asked for."""

    ACCEPTED = "accepted"
    EXISTING = "existing"
    """The same task_id with the same body: nothing was begun twice."""
    OTHER_BODY = "other_body"
    """The same task_id with another body, or the id of an order: refused."""
    INVALID = "invalid"
    """No such task type, or parameters it does not take: refused."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to one task that was asked for."""

    verdict: Verdict
    task_id: str | None
    problems: tuple[Problem, ...] = ()


def submit(engine: Engine, task: NewTask, *, by: str, request_id: str | None = None) -> Taken:
    """Begin one task; refused as one that is known with another body, it is kept as rejected."""
    with engine.transaction() as transaction:
        (taken,) = begin_all(transaction, [task], by=by, request_id=request_id)
        if taken.verdict is Verdict.OTHER_BODY:
            refused = NewReject(
                source=Door.HTTP,
                task_id=task.task_id,
                payload=json.dumps(asdict(task), ensure_ascii=False),
                problems=as_records(taken.problems),
                envelope=Envelope(created_by=by),
            )
            keep(transaction.work, [refused])
    return taken


def begin_all(
    transaction: Transaction, tasks: Sequence[NewTask], *, by: str, request_id: str | None = None
) -> list[Taken]:
    """Begin each of these tasks that can be begun; one answer each, in their order.

    Args:
        transaction: What they are begun in, all together.
        tasks: What is asked for; those that are orders belong to `tasks.orders.intake.intake` (see `order_in`).
        by: Whose key asked.
        request_id: What the steps are logged under.
    """
    known = NamedRuns(transaction.work).reserve([task.task_id for task in tasks if task.task_id is not None])
    signed: dict[str, bytes] = {}
    begun: list[Begin] = []
    answers: list[Taken] = []
    for task in tasks:
        workflow = _workflow_for(transaction, task)
        if not isinstance(workflow, Workflow):
            answers.append(Taken(Verdict.INVALID, task.task_id, workflow))
        elif task.task_id is not None and task.task_id in known:
            answers.append(_met_again(task, known[task.task_id]))
        else:
            run_id = task.task_id or new_id(Prefix.RUN)
            if task.task_id is not None:
                known[run_id] = signed[run_id] = task.digest()
            begun.append(_begin(transaction, task, workflow, run_id, by, request_id))
            answers.append(Taken(Verdict.ACCEPTED, run_id))
    if begun:
        transaction.begin(begun)
        NamedRuns(transaction.work).sign(signed)
    return answers


def is_order(engine: Engine, task_type: str) -> bool:
    """Whether tasks of this type are suspended orders, which have a door of their own."""
    return any(workflow.name == task_type for workflow in engine.triggered_by(TRIGGER))


def order_in(task: NewTask, *, priority_given: bool) -> TaskCreated | tuple[Problem, ...]:
    """The order that the parameters of such a task describe, or what is wrong with them.

    `priority_given` says that the caller named the task's own priority; it counts where the order names none.
    """
    try:
        body = TaskCreated.model_validate(dict(task.parameters))
    except ValidationError as error:
        return tuple(
            Problem(
                field="parameters" if each.field == "body" else f"parameters.{each.field}",
                message=each.message,
            )
            for each in problems_of(error)
        )
    if task.task_id is not None and task.task_id != body.task_id:
        return (Problem(field="task_id", message="is not the task_id in parameters; leave one of them out"),)
    if not priority_given or body.priority == task.priority:
        return body
    if "priority" in body.model_fields_set:
        return (
            Problem(field="priority", message="is not the priority in parameters; leave one of them out"),
        )
    return body.model_copy(update={"priority": task.priority})


def _workflow_for(transaction: Transaction, task: NewTask) -> Workflow | tuple[Problem, ...]:
    """What a task of this type runs, when it takes these parameters; else what is wrong."""
    action = transaction.registry.actions.get(task.task_type)
    if action is not None and action.parameters is not None:
        workflow, schema = workflow_of(action.name), action.parameters
    else:
        try:
            workflow = transaction.catalogue.current(transaction.work, task.task_type)
        except UnknownWorkflow:
            return (Problem(field="task_type", message=f"names nothing; there are {_types(transaction)}"),)
        schema = workflow.parameters
    return tuple(problems_with(task.parameters, schema)) or workflow


def _types(transaction: Transaction) -> str:
    callable_alone = (a.name for a in transaction.registry.actions.values() if a.parameters is not None)
    return ", ".join(sorted((*transaction.catalogue.names(transaction.work), *callable_alone)))


def _met_again(task: NewTask, digest: bytes | None) -> Taken:
    if digest == task.digest():
        return Taken(Verdict.EXISTING, task.task_id)
    problem = Problem(field="task_id", message="is known with another body; send it under a new task_id")
    return Taken(Verdict.OTHER_BODY, task.task_id, (problem,))


def _begin(
    transaction: Transaction, task: NewTask, workflow: Workflow, run_id: str, by: str, request_id: str | None
) -> Begin:
    action = transaction.registry.actions.get(task.task_type)
    schema = workflow.parameters if action is None else action.parameters
    return Begin(
        run_id=run_id,
        workflow=workflow,
        variables=sealed(task.parameters, schema, run_id, transaction.work.cipher),
        priority=task.priority,
        request_id=request_id,
        timeout_seconds=task.timeout_seconds,
        description=mask_text(task.description),
        created_by=by,
    )
