"""Every table of the installation: importing this module fills `metadata`, which migrations are checked against."""

from storage.access import tables as access
from storage.core.columns import metadata
from storage.engine import tables as engine
from storage.engine.flow import tables as flow
from storage.engine.triggers import trigger_tables as triggers
from storage.flows import tables as flows
from storage.orders import tables as orders
from storage.orders.contacts import tables as contacts
from storage.orders.figures import tables as figures
from storage.orders.upkeep import tables as upkeep
from storage.orders.upkeep.months import partitioned
from storage.outbound import tables as outbound
from storage.people import tables as people

CONTEXTS = (engine, flow, triggers, access, people, outbound, flows, orders, contacts, figures, upkeep)
"""The modules that declare tables, one a context."""

__all__ = ["CONTEXTS", "is_declared", "metadata"]


def is_declared(name: str | None, kind: str, _: object) -> bool:
    """Whether what is found under this name is compared with what is declared; the months of history are not."""
    return kind != "table" or name is None or partitioned(name) == name
