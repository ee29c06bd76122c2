"""An order to be contacted, with its earlier contacts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.core.unit_of_work import UnitOfWork
from storage.engine.steps import StepRow
from storage.orders.contacts.contact import Contact, PastContact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order import Order
from storage.orders.orders import Orders


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An order whose customer is to be contacted: what was tried before, and this attempt if it was begun."""

    order: Order
    history: Sequence[PastContact]
    begun: Contact | None

    @property
    def past(self) -> list[datetime]:
        """The moments of the earlier contacts."""
        return [contact.at for contact in self.history]

    @property
    def key(self) -> str:
        """The attempt's permanent key: (task, round, contact_no), whatever crashes in between (SPEC.md §8)."""
        return f"{self.order.task_id}.{self.order.round}.{self.order.contact_count}"


def load_cases(work: UnitOfWork, steps: Sequence[StepRow]) -> Mapping[int, Case]:
    """The orders of these steps, each with its earlier contacts and the attempt at hand."""
    ids = [step.subject_id for step in steps if step.subject_id]
    orders = Orders(work).find(ids)
    history = Contacts(work).history(ids)
    latest = Contacts(work).latest(ids)
    cases = {}
    for step in steps:
        order = orders[str(step.subject_id)]
        begun = latest.get(order.task_id)
        at_hand = begun is not None and (begun.round, begun.contact_no) == (order.round, order.contact_count)
        past = history[order.task_id]
        cases[step.step_id] = Case(
            order=order,
            # The attempt at hand is none of the earlier ones; one that came to nothing is not in the history.
            history=past[:-1] if begun is not None and at_hand and begun.status != "refused" else past,
            begun=begun if at_hand else None,
        )
    return cases
