"""General tasks (seed 003): work of any registered kind, begun once, many in one transaction."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine.begin import Begin
from engine.catalogue import UnknownWorkflow, workflow_of
from engine.engine import Engine
from engine.rescue.isolation import Fault, in_halves
from engine.transaction import Transaction
from runtime.ids import Prefix, new_id
from runtime.mask import mask_text
from runtime.trace import new_trace_id
from schemas.core.parameters import problems_with
from schemas.core.private_words import sealed
from schemas.core.problems import Problem, as_records
from statemachine.workflow.definition import Workflow
from statemachine.workflow.states import DefinitionState
from storage.engine.definitions import Definitions
from storage.flows.backlog import Backlog
from storage.flows.named_runs import NamedRuns
from storage.people.rejects import Envelope, NewReject
from tasks.forms import Acceptance, EntryPoint, NewTask, TaskReceipt
from tasks.people.rejects import keep, keep_alone


def accept(engine: Engine, tasks: Sequence[NewTask], entry_point: EntryPoint) -> list[TaskReceipt]:
    """Accept tasks in one transaction; one that is known with another body or cannot be stored is kept as rejected."""
    return in_halves(
        tasks,
        lambda several: _accept_together(engine, several, entry_point),
        lambda task, fault: _kept_alone(engine, task, fault, entry_point),
    )


def _accept_together(engine: Engine, tasks: Sequence[NewTask], entry_point: EntryPoint) -> list[TaskReceipt]:
    with engine.transaction() as transaction:
        receipts = accept_within(transaction, tasks)
        refused = [
            _refused(task, receipt, entry_point)
            for task, receipt in zip(tasks, receipts, strict=True)
            if receipt.result is Acceptance.OTHER_BODY
        ]
        if refused:
            keep(transaction.work, refused)
    return receipts


def _kept_alone(engine: Engine, task: NewTask, fault: Fault, entry_point: EntryPoint) -> TaskReceipt:
    problem = Problem(field="body", message=f"cannot be stored: {fault}")
    receipt = TaskReceipt(result=Acceptance.UNSTORABLE, task_id=task.task_id, problems=(problem,))
    keep_alone(engine, _refused(task, receipt, entry_point))
    return receipt


def accept_within(transaction: Transaction, tasks: Sequence[NewTask]) -> list[TaskReceipt]:
    """Begin each of these tasks that can be begun; one receipt each, in their order."""
    known = NamedRuns(transaction.work).reserve([task.task_id for task in tasks if task.task_id is not None])
    signed: dict[str, bytes] = {}
    begun: list[Begin] = []
    receipts: list[TaskReceipt] = []
    workflows = [_workflow_for(transaction, task) for task in tasks]
    room = _room_for(transaction, [each for each in workflows if isinstance(each, Workflow)])
    for task, workflow in zip(tasks, workflows, strict=True):
        if not isinstance(workflow, Workflow):
            receipts.append(TaskReceipt(result=Acceptance.INVALID, task_id=task.task_id, problems=workflow))
        elif task.task_id is not None and task.task_id in known:
            receipts.append(_known(task, known[task.task_id]))
        elif full := sorted(queue for queue in _queues_of(workflow) if room[queue] <= 0):
            problem = Problem(
                field="task_type", message=f"too much waits for {', '.join(full)}; send it again"
            )
            receipts.append(
                TaskReceipt(result=Acceptance.OVERLOADED, task_id=task.task_id, problems=(problem,))
            )
        else:
            room.update({queue: room[queue] - 1 for queue in _queues_of(workflow)})
            run_id = task.task_id or new_id(Prefix.RUN)
            if task.task_id is not None:
                known[run_id] = signed[run_id] = _digest(task)
            begun.append(_begin(transaction, task, workflow, run_id))
            receipts.append(TaskReceipt(result=Acceptance.ACCEPTED, task_id=run_id, run_id=run_id))
    if begun:
        existing = transaction.begin(begun)
        receipts = [_of_key(receipt, existing) for receipt in receipts]
        NamedRuns(transaction.work).record_digests(signed)
    return receipts


def _of_key(receipt: TaskReceipt, existing: Mapping[str, str]) -> TaskReceipt:
    """The receipt, which names the run that was begun before under the same key of its workflow."""
    run_id = existing.get(receipt.run_id or "")
    if run_id is None:
        return receipt
    return TaskReceipt(result=Acceptance.EXISTING, task_id=run_id, run_id=run_id)


def _room_for(transaction: Transaction, workflows: Sequence[Workflow]) -> dict[str, int]:
    """How many tasks more each queue takes that these workflows have steps in."""
    most = transaction.limits.most_waiting
    queues = {queue for workflow in workflows for queue in _queues_of(workflow)}
    waiting = Backlog(transaction.work).waiting(queues, most) if queues else {}
    return {queue: most - rows for queue, rows in waiting.items()}


def _queues_of(workflow: Workflow) -> frozenset[str]:
    return frozenset(step.agent for step in workflow.steps.values() if step.agent)


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
        if task.version is not None and task.version != workflow.version:
            if task.version not in _active_versions(transaction, workflow.name):
                return (Problem(field="version", message="is no active version of the workflow"),)
            workflow = transaction.catalogue.version(transaction.work, workflow.name, task.version)
        schema = workflow.parameters
    return tuple(problems_with(task.parameters, schema)) or workflow


def _active_versions(transaction: Transaction, workflow: str) -> frozenset[str]:
    found = Definitions(transaction.work).versions(workflow)
    return frozenset(each.version for each in found if each.state is DefinitionState.ACTIVE)


def _types(transaction: Transaction) -> str:
    callable_alone = (a.name for a in transaction.registry.actions.values() if a.parameters is not None)
    return ", ".join(sorted((*transaction.catalogue.names(transaction.work), *callable_alone)))


def _known(task: NewTask, digest: bytes | None) -> TaskReceipt:
    if digest == _digest(task):
        return TaskReceipt(result=Acceptance.EXISTING, task_id=task.task_id, run_id=task.task_id)
    problem = Problem(field="task_id", message="is known with another body; send it under a new task_id")
    return TaskReceipt(result=Acceptance.OTHER_BODY, task_id=task.task_id, problems=(problem,))


def _digest(task: NewTask) -> bytes:
    """What tells this body from another under the same task_id."""
    meaning: tuple[object, ...] = (
        task.task_type, task.description, task.parameters, task.priority, task.timeout_seconds,
    )  # fmt: skip
    if task.version is not None:
        meaning = (*meaning, task.version)
    return hashlib.sha256(json.dumps(meaning, ensure_ascii=False, sort_keys=True).encode()).digest()


def _begin(transaction: Transaction, task: NewTask, workflow: Workflow, run_id: str) -> Begin:
    action = transaction.registry.actions.get(task.task_type)
    schema = workflow.parameters if action is None else action.parameters
    return Begin(
        run_id=run_id,
        workflow=workflow,
        variables=sealed(task.parameters, schema, run_id, transaction.work.cipher),
        priority=task.priority if task.priority_given else None,
        request_id=task.sender.request_id,
        trace_id=task.sender.trace_id or new_trace_id(),
        timeout_seconds=task.timeout_seconds,
        description=mask_text(task.description),
        created_by=task.sender.agent_id,
    )


def _refused(task: NewTask, receipt: TaskReceipt, entry_point: EntryPoint) -> NewReject:
    return NewReject(
        source=entry_point,
        task_id=task.task_id,
        payload=json.dumps(_document(task), ensure_ascii=False),
        problems=as_records(receipt.problems),
        trace_id=task.sender.trace_id,
        envelope=Envelope(created_by=task.sender.agent_id, default_mode=task.sender.default_mode),
    )


def _document(task: NewTask) -> Mapping[str, Any]:
    """The task as it could be sent again."""
    return {
        "task_type": task.task_type,
        "description": task.description,
        "parameters": dict(task.parameters),
        "priority": task.priority,
        "timeout_seconds": task.timeout_seconds,
        "task_id": task.task_id,
        **({} if task.version is None else {"version": task.version}),
    }
