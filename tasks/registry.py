"""Registers every product of this installation; products never import one another."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from engine.registry import BoundProduct, Product, Registry, needs_of_triggers
from statemachine.workflow.checks.purposes import PurposeNeed
from tasks.flows.context import FlowsContext
from tasks.flows.product import FLOWS
from tasks.flows.task_form import GeneralForm
from tasks.forms import TaskForms
from tasks.orders.product import ORDERS
from tasks.orders.rules.context import Context
from tasks.orders.task_form import OrderForm
from tasks.outbound.context import OutboundContext
from tasks.outbound.product import OUTBOUND
from tasks.people.product import PEOPLE

PRODUCTS: Final[tuple[Product[Any], ...]] = (ORDERS, PEOPLE, OUTBOUND, FLOWS)
"""What definitions may name: known without making anything that the work needs of the world."""

NEEDS_OF_TRIGGER: Final[Mapping[str, Sequence[PurposeNeed]]] = needs_of_triggers(PRODUCTS)
"""The purposes that a definition needs, by its trigger."""


def registry(
    context: Context, outbound: OutboundContext, flows: FlowsContext, *further: BoundProduct
) -> Registry:
    """All that is registered, ready to work in this process; further products come beside our own."""
    own = (ORDERS.bind(context), PEOPLE.bind(None), OUTBOUND.bind(outbound), FLOWS.bind(flows))
    return Registry.of((*own, *further))


def task_forms(context: Callable[[], Context]) -> TaskForms:
    """The forms in which tasks come in; what the work needs is made when it is first used."""
    return TaskForms(general=GeneralForm(), products=(OrderForm(context),))
