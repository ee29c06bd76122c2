"""Many tasks of either form at once: each is read, accepted or refused by itself, and nothing refused is lost."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from engine.catalogue import Catalogue
from engine.engine import Engine
from engine.transaction import Transaction
from schemas.flows.tasks import GeneralTask, TaskSent
from schemas.orders.intake import Identifier, Problem, TaskCreated, as_records, problems_of
from storage.flows.task_list import Lifecycle, TaskList
from storage.people.rejects import Envelope, NewReject
from tasks.flows import general
from tasks.flows.general import NewTask, Taken, begin_all, is_order, order_in
from tasks.orders.intake import intake
from tasks.orders.intake.intake import Door, Received, Submission, accept
from tasks.orders.rules.context import Context
from tasks.people.rejects import keep

TASK: Final[TypeAdapter[GeneralTask | TaskCreated]] = TypeAdapter(TaskSent)
"""A task in either form, as it is sent over HTTP."""
_ID: Final[TypeAdapter[str]] = TypeAdapter(Identifier)


class Verdict(StrEnum):
    """What became of an item."""

    ACCEPTED = "accepted"
    EXISTING = "existing"
    MALFORMED = "malformed"
    """It cannot be read, or names what there is not: kept as rejected."""
    CONFLICT = "conflict"
    """Its id, or its order, belongs to another task: kept as rejected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one item; an order also has its business state."""

    verdict: Verdict
    task_id: str | None
    run_id: str | None = None
    status: Lifecycle | None = None
    state: str | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose key tasks are sent with, under which request, and in which mode orders are that name none."""

    agent_id: str
    request_id: str | None = None
    default_mode: str = "auto"
    door: Door = Door.HTTP


Item = Submission | NewTask | tuple[Problem, ...]
"""One task as it was read: an order, general work, or what is wrong with it."""


def take_batch(engine: Engine, context: Context, sent: Sequence[Any], sender: Sender) -> list[Answer]:
    """Accept what can be accepted of these tasks, as they were sent; one answer each, in their order.

    Orders are committed first, general work second: a caller who got no answer and sends the batch again
    begins nothing twice, but for general work that names no task_id of its own.
    """
    items = [read_item(engine.catalogue, each, sender) for each in sent]
    orders = {index: item for index, item in enumerate(items) if isinstance(item, Submission)}
    answers = _accept_orders(engine, context, orders, sender.door)
    if len(orders) < len(items) or any(answer.status is None for answer in answers.values()):
        with engine.transaction() as transaction:
            answers |= _begin_works(transaction, sent, items, sender)
            statuses = TaskList(transaction.work).statuses(
                [each.run_id for each in answers.values() if each.run_id and not each.status]
            )
        for index, answer in answers.items():
            if answer.run_id and not answer.status and answer.task_id:
                answers[index] = replace(answer, status=statuses.get(answer.task_id))
    return [answers[index] for index in range(len(items))]


def read_item(catalogue: Catalogue, sent: Any, sender: Sender) -> Item:
    """One task as it was sent."""
    try:
        return item_of(catalogue, TASK.validate_python(sent), sender)
    except ValidationError as error:
        return tuple(problems_of(error, "a task"))


def item_of(catalogue: Catalogue, body: GeneralTask | TaskCreated, sender: Sender) -> Item:
    """One task of either form as it is taken in."""
    if isinstance(body, TaskCreated):
        return submission_of(body, sender)
    return read_general(catalogue, body, sender)


def submission_of(order: TaskCreated, sender: Sender, task: NewTask | None = None) -> Submission:
    """An order as its sender submits it, with what the task around it says where there is one."""
    return Submission(
        order,
        sender.request_id,
        timeout_seconds=task.timeout_seconds if task else None,
        description=task.description if task else None,
        created_by=sender.agent_id,
        default_mode=sender.default_mode,
    )


def read_general(catalogue: Catalogue, body: GeneralTask, sender: Sender) -> Item:
    """General work as it was sent, or the order that its parameters describe."""
    task = NewTask(**body.model_dump())
    if not is_order(catalogue, task.task_type):
        return task
    order = order_in(task, priority_given="priority" in body.model_fields_set)
    if not isinstance(order, TaskCreated):
        return order
    return submission_of(order, sender, task)


def _accept_orders(
    engine: Engine, context: Context, orders: Mapping[int, Submission], door: Door
) -> dict[int, Answer]:
    if not orders:
        return {}
    received = accept(engine, context, list(orders.values()), door)
    return {index: _of_order(each) for index, each in zip(orders, received, strict=True)}


def _begin_works(
    transaction: Transaction, sent: Sequence[Any], items: Sequence[Item], sender: Sender
) -> dict[int, Answer]:
    """Begin the general work among these items, and keep what is refused; the answers to both."""
    works = {index: item for index, item in enumerate(items) if isinstance(item, NewTask)}
    taken = begin_all(transaction, list(works.values()), by=sender.agent_id, request_id=sender.request_id)
    answers = {index: _of_work(each) for index, each in zip(works, taken, strict=True)}
    for index, item in enumerate(items):
        if isinstance(item, tuple):
            answers[index] = Answer(
                verdict=Verdict.MALFORMED, task_id=_id_in(sent[index], "task_id"), problems=item
            )
    keep(
        transaction.work,
        [
            _reject(sent[index], answer, sender)
            for index, answer in sorted(answers.items())
            if answer.problems
        ],
    )
    return answers


def _of_order(received: Received) -> Answer:
    order = received.order
    if received.problem is not None:
        return Answer(
            verdict=Verdict.CONFLICT,
            task_id=received.task_id,
            state=order.status if order else None,
            run_id=order.run_id if order else None,
            problems=(received.problem,),
        )
    assert order is not None, "an order without a problem is there"
    accepted = received.verdict is intake.Verdict.ACCEPTED
    return Answer(
        verdict=Verdict.ACCEPTED if accepted else Verdict.EXISTING,
        task_id=order.task_id,
        run_id=order.run_id,
        # What was accepted in this very moment has begun, and cannot have ended.
        status=Lifecycle.RUNNING if accepted else None,
        state=order.status,
    )


_OF_WORK: Final[Mapping[general.Verdict, Verdict]] = {
    general.Verdict.ACCEPTED: Verdict.ACCEPTED,
    general.Verdict.EXISTING: Verdict.EXISTING,
    general.Verdict.OTHER_BODY: Verdict.CONFLICT,
    general.Verdict.INVALID: Verdict.MALFORMED,
}


def _of_work(taken: Taken) -> Answer:
    verdict = _OF_WORK[taken.verdict]
    is_there = verdict in (Verdict.ACCEPTED, Verdict.EXISTING)
    return Answer(
        verdict=verdict,
        task_id=taken.task_id,
        run_id=taken.task_id if is_there else None,
        problems=taken.problems,
    )


def _reject(sent: Any, answer: Answer, sender: Sender) -> NewReject:
    return NewReject(
        source=sender.door,
        task_id=answer.task_id,
        order_id=_id_in(sent, "order_id"),
        # Half a character cannot be encrypted as it is; everything else is kept as people wrote it.
        payload=json.dumps(sent, ensure_ascii=False).encode(errors="backslashreplace").decode(),
        problems=as_records(answer.problems),
        envelope=Envelope(created_by=sender.agent_id, default_mode=sender.default_mode),
    )


def _id_in(sent: Any, name: str) -> str | None:
    """An id in something malformed, an order within general work too, where it is one that can be shown."""
    if not isinstance(sent, dict):
        return None
    within = sent.get("parameters")
    given = sent.get(name) or (within.get(name) if isinstance(within, dict) else None)
    try:
        return _ID.validate_python(given)
    except ValidationError:
        return None
