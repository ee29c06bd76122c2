"""Every table, by the layer of the design that owns it; `metadata` is what migrations are checked against."""

from storage.tables.base import metadata
from storage.tables.business import (
    actions,
    appointments,
    audit_logs,
    cancellations,
    contact_logs,
    engineer_notices,
    events,
    followups,
    tasks,
    transitions,
)
from storage.tables.execution import business_clock, definitions, leases, runs, steps
from storage.tables.people import alerts, api_keys, callbacks, rejects, reviews, system_audit

__all__ = [
    "actions",
    "alerts",
    "api_keys",
    "appointments",
    "audit_logs",
    "business_clock",
    "callbacks",
    "cancellations",
    "contact_logs",
    "definitions",
    "engineer_notices",
    "events",
    "followups",
    "leases",
    "metadata",
    "rejects",
    "reviews",
    "runs",
    "steps",
    "system_audit",
    "tasks",
    "transitions",
]
