"""The one accept path of every entry point: validated orders in, results out, committed before the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.begin import Begin
from engine.engine import Engine
from engine.rescue.isolation import Fault, in_halves
from engine.transaction import Transaction
from runtime.ids import Prefix, new_id
from runtime.mask import OwnNumber, mask_json, mask_text
from runtime.trace import new_trace_id
from schemas.core.problems import Problem, as_records
from schemas.orders.intake import TaskCreated
from statemachine.orders.states import State
from storage.core.bulk import dump_json
from storage.orders.order import NewOrder, Order
from storage.orders.orders import Orders
from storage.people.rejects import Envelope, NewReject
from tasks.forms import Acceptance, EntryPoint, TaskReceipt
from tasks.orders.rules.context import Context
from tasks.orders.rules.customer_number import callable_number, customer_number
from tasks.orders.rules.transitions import transitions_from
from tasks.people.rejects import keep, keep_alone

TRIGGER: Final = "task.created"
_KEPT_AS_IT_CAME: Final = frozenset({"customer_id", "simulation", "timezone"})
"""How a simulated customer behaves is nobody's data."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A valid order at an entry point."""

    body: TaskCreated
    request_id: str | None = None
    timeout_seconds: int | None = None
    """How long the order may take in all; the definition's own limit where there is none."""
    description: str | None = None
    created_by: str | None = None
    default_mode: str = "auto"
    """The mode of an order that names none: its key's."""
    trace_id: str | None = None
    """The trace of the request; a new one where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReceipt(TaskReceipt):
    """The answer to one submission, with the order as it stands where there is one."""

    order: Order | None

    @property
    def details(self) -> Mapping[str, Any]:
        """Why it was refused, for programs."""
        status = self.order.status if self.order else None
        return {
            "task_id": self.task_id,
            **transitions_from(status, State.CONTACTING),
            "fields": [problem.model_dump() for problem in self.problems],
        }


def accept(
    engine: Engine,
    context: Context,
    submissions: Sequence[Submission],
    entry_point: EntryPoint,
    malformed: Sequence[NewReject] = (),
) -> list[OrderReceipt]:
    """Accept orders in one transaction; receive, validate and `task.start` are done when this returns.

    Idempotent on task_id: a producer that got no answer may send again. What is refused is kept as rejected, with
    what came in at the same entry point and is no order at all, and an alert is raised. So is one that cannot be
    stored, whatever the reason; for its sake the batch is taken in halves, each in a transaction of its own.

    Raises:
        StorageUnavailable: PostgreSQL is away; what is in by then is answered as existing when it is sent again.
    """
    items: list[Submission | NewReject] = [*submissions, *malformed]
    taken = in_halves(
        items,
        lambda items: _accept_together(engine, context, items, entry_point),
        lambda item, fault: _kept_alone(engine, item, fault, entry_point),
    )
    return [receipt for receipt in taken if receipt is not None]


def _kept_alone(
    engine: Engine, item: Submission | NewReject, fault: Fault, entry_point: EntryPoint
) -> OrderReceipt | None:
    problem = Problem(field="body", message=f"cannot be stored: {fault}")
    keep_alone(engine, item if isinstance(item, NewReject) else _refused(item, [problem], entry_point))
    if isinstance(item, NewReject):
        return None
    return OrderReceipt(
        result=Acceptance.UNSTORABLE, task_id=item.body.task_id, problems=(problem,), order=None
    )


def _accept_together(
    engine: Engine, context: Context, items: Sequence[Submission | NewReject], entry_point: EntryPoint
) -> list[OrderReceipt | None]:
    """One receipt for each order; what is no order gets none."""
    submissions = [item for item in items if isinstance(item, Submission)]
    malformed = [item for item in items if isinstance(item, NewReject)]
    with engine.transaction() as transaction:
        receipts = accept_within(transaction, context, submissions, entry_point) if submissions else []
        refused = [
            _refused(submission, receipt.problems, entry_point)
            for submission, receipt in zip(submissions, receipts, strict=True)
            if receipt.problems
        ]
        if refused or malformed:
            keep(transaction.work, [*malformed, *refused])
    return [*receipts, *(None for _ in malformed)]


def _refused(submission: Submission, problems: Sequence[Problem], entry_point: EntryPoint) -> NewReject:
    body = submission.body
    return NewReject(
        source=entry_point,
        task_id=body.task_id,
        order_id=body.order_id,
        payload=body.model_dump_json(),
        problems=as_records(problems),
        trace_id=submission.trace_id,
        envelope=Envelope(
            created_by=submission.created_by,
            default_mode=submission.default_mode,
            timeout_seconds=submission.timeout_seconds,
            description=mask_text(submission.description) if submission.description else None,
        ),
    )


def accept_within(
    transaction: Transaction, context: Context, submissions: Sequence[Submission], entry_point: EntryPoint
) -> list[OrderReceipt]:
    """Accept orders as a part of this transaction; what is refused changes nothing."""
    first: dict[str, Submission] = {}
    is_first: list[bool] = []
    for submission in submissions:
        is_first.append(submission.body.task_id not in first)
        first.setdefault(submission.body.task_id, submission)
    # In one order everywhere, so that two processes with the same orders wait for each other and never deadlock.
    ordered = [first[task_id] for task_id in sorted(first)]
    orders = [_new_order(context, submission, entry_point) for submission in ordered]
    inserted = Orders(transaction.work).insert(orders)
    _begin(context, transaction, [order for order in orders if order.task_id in inserted], first, entry_point)
    known = Orders(transaction.work).find(list(first))
    others = [s.body.order_id for s in submissions if s.body.task_id not in known]
    busy = Orders(transaction.work).open_for(others) if others else {}
    return [
        _receipt(submission, leads, inserted, known, busy)
        for submission, leads in zip(submissions, is_first, strict=True)
    ]


def _begin(
    context: Context,
    transaction: Transaction,
    orders: Sequence[NewOrder],
    submissions: Mapping[str, Submission],
    entry_point: EntryPoint,
) -> None:
    workflows = transaction.catalogue.triggered_by(transaction.work, TRIGGER)
    transaction.begin(
        [
            Begin(
                run_id=order.run_id,
                workflow=workflow,
                subject_id=order.task_id,
                variables={
                    "source": entry_point.value,
                    "contact_count": order.contact_count,
                    "max_contacts": order.max_contacts,
                    # An outside agent may know the number that is masked to us (SPEC.md §5).
                    "callable": order.phone_index is not None
                    or callable_number(order.phone, masked=context.reaches_masked or order.mode == "manual"),
                    **({"hold": True} if submissions[order.task_id].body.hold else {}),
                },
                priority=order.priority,
                request_id=submissions[order.task_id].request_id or new_id(Prefix.REQUEST),
                trace_id=submissions[order.task_id].trace_id or new_trace_id(),
                timeout_seconds=submissions[order.task_id].timeout_seconds,
                description=mask_text(submissions[order.task_id].description or "") or None,
                created_by=submissions[order.task_id].created_by,
                manual=order.mode == "manual",
            )
            for order in orders
            for workflow in workflows
        ]
    )


def _receipt(
    submission: Submission,
    is_first: bool,  # noqa: FBT001 - one of two facts about the same submission
    inserted: frozenset[str],
    known: Mapping[str, Order],
    busy: Mapping[str, str],
) -> OrderReceipt:
    body = submission.body
    order = known.get(body.task_id)
    if order is None:
        other = busy.get(body.order_id, "another task")
        problem = Problem(field="order_id", message=f"the order already has an open task, {other}")
        return OrderReceipt(
            result=Acceptance.SUBJECT_BUSY, task_id=body.task_id, problems=(problem,), order=None
        )
    problems: tuple[Problem, ...] = ()
    if is_first and body.task_id in inserted:
        result = Acceptance.ACCEPTED
    elif order.was_sent_as(body.digest()):
        result = Acceptance.EXISTING
    else:
        result = Acceptance.OTHER_BODY
        message = "is known with another body; send it under a new task_id"
        problems = (Problem(field="task_id", message=message),)
    return OrderReceipt(
        result=result,
        task_id=order.task_id,
        run_id=order.run_id,
        state=order.status,
        # What was accepted in this very transaction has begun, and cannot have ended.
        has_begun=result is Acceptance.ACCEPTED,
        problems=problems,
        order=order,
    )


def _new_order(context: Context, submission: Submission, entry_point: EntryPoint) -> NewOrder:
    body = submission.body
    number = (
        None if body.metadata.phone is None else customer_number(body.metadata.phone, context.blind_index)
    )
    divided = context.personal.divide(body.metadata.model_dump(mode="json", exclude_none=True))
    as_it_came = {name: divided.shown.pop(name) for name in _KEPT_AS_IT_CAME & divided.shown.keys()}
    metadata = mask_json(divided.shown)
    if number is not None:
        metadata = OwnNumber(number.stored, number.shown).mask(metadata) | {"phone": number.shown}
    return NewOrder(
        task_id=body.task_id,
        order_id=body.order_id,
        order_type=body.order_type,
        contact_count=body.contact_count,
        last_contact_time=body.last_contact_time,
        max_contacts=context.policy.max_attempts,
        priority=body.priority,
        mode=body.mode or submission.default_mode,
        metadata=metadata | as_it_came,
        personal=None if divided.taken is None else dump_json(divided.taken),
        phone=None if number is None else number.stored,
        phone_index=None if number is None else number.index,
        digest=body.digest(),
        source=entry_point,
        run_id=new_id(Prefix.RUN),
    )
