"""Erases a customer: personal data are deleted; what was done, and by whom, stays."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.engine import Engine
from runtime.blind_index import BlindIndex
from runtime.phone import Phone, normalise
from statemachine.orders.states import State
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.orders.upkeep.privacy import UNREADABLE, Privacy
from tasks.orders.people.intervention import cancel

_COUNTRY = "+86"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """The customer to erase: by upstream's id, by a number, or by both."""

    customer_id: str | None = None
    phone: Phone | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done; `still_open` names the orders for whose sake nothing was done."""

    task_ids: tuple[str, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    cancelled: tuple[str, ...] = ()
    still_open: tuple[str, ...] = ()


def orders_of(engine: Engine, blind_index: BlindIndex, customer: Customer) -> list[str]:
    """The ids of the customer's orders; nothing is changed."""
    with engine.database.transaction() as work:
        found = Privacy(work).orders_of(
            customer_id=customer.customer_id,
            marks=() if customer.phone is None else blind_index.marks(customer.phone),
        )
    return [known.task_id for known in found]


def erase(
    engine: Engine,
    blind_index: BlindIndex,
    customer: Customer,
    *,
    by: str,
    cancel_open: bool = False,
    database: Database | None = None,
) -> Erased:
    """Remove what is known of a customer, once no order of theirs is open any more.

    Args:
        engine: The engine of this process.
        blind_index: Finds the orders of a number.
        customer: Whom to forget.
        by: Who does it; the system's audit log keeps who, and how many rows, but not whom.
        cancel_open: Cancel the open orders first; otherwise nothing is done while there is one.
        database: As the role that may erase; the engine's where one role does everything.
    """
    marks = () if customer.phone is None else blind_index.marks(customer.phone)
    database = database or engine.database
    with database.transaction() as work:
        found = Privacy(work).orders_of(customer_id=customer.customer_id, marks=marks)
    still_open = [known.task_id for known in found if known.status != State.CLOSED]
    if still_open and not cancel_open:
        return Erased(tuple(known.task_id for known in found), still_open=tuple(still_open))
    for task_id in still_open:
        cancel(engine, task_id, by=by, reason="the customer's data are erased")
    with database.transaction() as work:
        # Read again: one that came in meanwhile is not half forgotten.
        found = Privacy(work).orders_of(customer_id=customer.customer_id, marks=marks)
        task_ids = tuple(known.task_id for known in found)
        left = tuple(known.task_id for known in found if known.status != State.CLOSED)
        if left:
            return Erased(task_ids, cancelled=tuple(still_open), still_open=left)
        numbers = {known.phone for known in found if known.phone}
        if customer.phone is not None:
            numbers.add(customer.phone.e164)
        digits = sorted(number.removeprefix(_COUNTRY).removeprefix("+") for number in numbers)
        phones = [phone for number in sorted(numbers) if (phone := normalise(number)) is not None]
        of_orders = {known.mark for known in found if known.mark is not None}
        known_marks = of_orders.union(*(blind_index.marks(phone) for phone in phones))
        counts = Privacy(work).erase(task_ids, digits, sorted(known_marks))
        if unread := sum(known.unreadable for known in found):
            counts[UNREADABLE] = counts.get(UNREADABLE, 0) + unread
        SystemAudit(work).write(
            by, "customer_erased", {"task_ids": list(task_ids), "rows": counts, "cancelled": still_open}
        )
    return Erased(task_ids, counts, tuple(still_open))
