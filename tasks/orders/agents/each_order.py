"""A batch of steps that are each about one order."""

from collections.abc import Callable, Mapping, Sequence

from engine.actions import Batch
from engine.outcomes import Outcome
from storage.core.unit_of_work import UnitOfWork
from storage.engine.steps import StepRow
from storage.orders.order import Order
from storage.orders.orders import Orders


def load_orders(_: object, work: UnitOfWork, steps: Sequence[StepRow]) -> Mapping[int, Order]:
    """The orders that these steps are about."""
    orders = Orders(work).find([step.subject_id for step in steps if step.subject_id])
    return {step.step_id: orders[step.subject_id] for step in steps if step.subject_id in orders}


def each_order(
    work: Callable[[StepRow, Order], Outcome],
) -> Callable[[object, Batch], Mapping[int, Outcome]]:
    """Work on a batch that is `work(step, order)` for each of its steps."""

    def work_on_all(_: object, batch: Batch) -> Mapping[int, Outcome]:
        return {step.step_id: work(step, batch.subjects[step.step_id]) for step in batch.steps}

    return work_on_all
