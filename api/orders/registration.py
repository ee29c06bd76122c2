"""The suspended orders as a part of the API."""

from types import MappingProxyType
from typing import Final

from api.orders import (
    callbacks,
    capacity,
    contact_stops,
    do_not_call,
    known_tasks,
    privacy,
    readiness,
    reviews,
    signals,
    states,
    transitions,
    undo,
)
from api.orders.agents import action, audit, contact, dispatches, orchestrator, reports, tools, triage
from api.orders.errors import FAULTS
from api.orders.explain import daily, dossier, explanation, overview
from api.server.registration import Registration

ORDERS: Final = Registration(
    tags=MappingProxyType(
        {
            "orchestrator": "Orders come in, are asked after, and have their waiting steps passed to the agents.",
            "contact": "The customer is contacted, what came of it is recorded, and who may be called is kept.",
            "triage": "What the customer said is understood, or somebody's understanding is checked.",
            "actions": "What was understood is carried out: an appointment, a follow-up, a cancellation.",
            "audit": "The record of what was done, alerts that need attention, and reports.",
            "states": "The state machine: its table, where an order stands, how it came there, and moving it.",
            "tools": "The agents' tools by name, in one envelope.",
            "privacy": "A customer's number and words in clear, and their erasure.",
            "capacity": "How many visits a region has room for on a day, and the slots a customer may be offered.",
        }
    ),
    keyed=(
        orchestrator.router,
        dispatches.router,
        contact.router,
        triage.router,
        action.router,
        reports.router,
        audit.router,
        transitions.router,
        states.router,
        tools.router,
        reviews.router,
        signals.router,
        known_tasks.router,
        privacy.router,
        contact_stops.router,
        do_not_call.router,
        capacity.router,
        undo.router,
        explanation.router,
        dossier.router,
        overview.router,
        daily.router,
        readiness.router,
    ),
    # A callback proves itself by its signature.
    open=(callbacks.router,),
    faults=FAULTS,
)
