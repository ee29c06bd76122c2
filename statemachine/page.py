"""The page `docs/state_machine.md`: the machine of orders, and the states of steps, runs and definitions."""

from statemachine.orders import diagram as orders
from statemachine.workflow import diagram as workflow


def page() -> str:
    """Every table of states, as Markdown."""
    return f"{orders.page()}\n{workflow.page()}"
