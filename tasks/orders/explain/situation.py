"""The data for an explanation of an order or a run, read at once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from engine.catalogue import Catalogue
from statemachine.orders.states import Event
from statemachine.workflow.definition import Workflow
from statemachine.workflow.states import RunState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import BusinessClock, Moments
from storage.engine.runs import RunRow
from storage.orders.contacts.contact import Contact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order import Order
from storage.orders.order_view import AuditMark, OpenStep, OrderView
from storage.orders.orders import Orders
from storage.people.reviews import Review, Reviews
from tools.contact_policy.zone import DEFAULT_ZONE, customer_zone

PAUSED: Final = "task_paused"
"""The audit line that says since when an order is paused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastMove:
    """The transition that brought an order into its state."""

    event: Event
    agent_id: str
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """An order (or `None`), its run, and what is open in it."""

    subject: str
    order: Order | None
    run: RunRow
    workflow: Workflow
    steps: tuple[OpenStep, ...]
    moments: Moments
    zone: ZoneInfo
    contact: Contact | None = None
    """The last attempt to reach the customer."""
    review: Review | None = None
    """The open question to a person."""
    last_move: LastMove | None = None
    paused: AuditMark | None = None

    def title(self, node: str) -> str:
        """What people call a step."""
        step = self.workflow.steps.get(node)
        return (step.title if step else "") or node


def situation_of(work: UnitOfWork, subject: str) -> Situation | None:
    """The situation of a task, or of a run when `subject` is the id of one; `None` when there is neither."""
    order = Orders(work).find([subject]).get(subject)
    run = OrderView(work).run(order.run_id if order else subject)
    if run is None:
        return None
    workflow = Catalogue().version(work, run.workflow, run.version)
    steps, moments = OrderView(work).open_steps(run.run_id), BusinessClock(work).now()
    if order is None:
        return Situation(
            subject=subject,
            order=None,
            run=run,
            workflow=workflow,
            steps=steps,
            moments=moments,
            zone=ZoneInfo(DEFAULT_ZONE),
        )
    return Situation(
        subject=subject,
        order=order,
        run=run,
        workflow=workflow,
        steps=steps,
        moments=moments,
        zone=zone_of(order),
        contact=Contacts(work).latest([subject]).get(subject),
        review=Reviews(work).open_of(subject),
        last_move=_last_move(work, subject),
        paused=OrderView(work).last_audit_line(subject, PAUSED) if run.state is RunState.PAUSED else None,
    )


def zone_of(order: Order) -> ZoneInfo:
    """The customer's time zone, in which the times of an order are shown."""
    named = order.metadata.get("timezone")
    return customer_zone(named if isinstance(named, str) else None)


def _last_move(work: UnitOfWork, task_id: str) -> LastMove | None:
    moves = OrderView(work).transitions(task_id)
    if not moves:
        return None
    last = moves[-1]
    return LastMove(
        event=Event(last["event"]),
        agent_id=last["agent_id"],
        at=last["at"],
        reason=last["metadata"].get("reason"),
    )
