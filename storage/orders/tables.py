"""Suspended orders: their moves, audit, actions, signals, labels, and engineers' capacity (seed 000 section 八)."""

from collections.abc import Iterable
from functools import reduce
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.schema import SchemaItem

from statemachine.orders.machine import TRANSITIONS
from statemachine.orders.states import State
from storage.core.columns import (
    Json,
    Moment,
    Name,
    TimedName,
    business_moment,
    database_moment,
    metadata,
    position,
)
from storage.core.row_digest import SealedTable


def _task_reference() -> "Column[str]":
    # No foreign key: who writes history holds the order's row, and no order is ever deleted. Each check would read
    # that row again and mark it as locked, some 25 times for an order (docs/decisions/0010).
    return Column("task_id", Name, nullable=False)


def _quoted(values: Iterable[object]) -> str:
    return ", ".join(f"'{value}'" for value in values)


LEGAL_MOVES = ", ".join(f"('{row.source}', '{row.event}', '{row.target}')" for row in TRANSITIONS.values())
"""The transition table as SQL; the constraint that keeps history legal is made of it."""

tasks = Table(
    "tasks",
    metadata,
    Column("task_id", Name, primary_key=True),
    Column("order_id", Name, nullable=False),
    Column("order_type", String(16), nullable=False),
    Column("status", Name, nullable=False),
    Column("contact_count", Integer, nullable=False, server_default="0"),
    Column("max_contacts", Integer, nullable=False, server_default="4"),
    Column("last_contact_time", Moment),
    Column("next_contact_time", Moment),
    Column("user_intent_l1", String(16)),
    Column("user_intent_l2", Name),
    # The seed has two digits; routing at 0.80 must read what was stored, so four are kept (SPEC.md §4).
    Column("confidence", Numeric(5, 4)),
    business_moment("created_at"),
    business_moment("updated_at"),
    Column("finished_at", Moment),
    Column("finish_reason", Name),
    Column("metadata", Json, nullable=False, server_default="{}"),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("round", SmallInteger, nullable=False, server_default="0"),
    Column("contacts_total", Integer, nullable=False, server_default="0"),
    Column("priority", SmallInteger, nullable=False, server_default="1"),
    Column("mode", String(8), nullable=False, server_default="auto"),
    Column("run_id", Name, nullable=False),
    Column("phone", LargeBinary),
    # Equal for equal numbers, under a key of its own: looked up without opening any.
    Column("phone_index", LargeBinary),
    # What was taken out of `metadata`, as JSON of the same shape; encrypted.
    Column("personal", LargeBinary),
    # A follow-up that recurs: cron expression, time zone, and what ends it.
    Column("followup_rule", Json),
    Column("digest", LargeBinary, nullable=False),
    Column("source", String(16), nullable=False),
    # When the customer was forgotten: what is still told of the order afterwards is not kept.
    Column("erased_at", Moment),
    position(),
    CheckConstraint(f"status IN ({_quoted(State)})", name="status"),
    CheckConstraint("(status = 'closed') = (finished_at IS NOT NULL)", name="finished"),
    CheckConstraint("priority BETWEEN 1 AND 10", name="priority"),
    CheckConstraint("mode IN ('auto', 'manual')", name="mode"),
    Index("idx_tasks_created", "created_at", "task_id"),
    Index("ix_tasks_phone_index", "phone_index", postgresql_where=text("phone_index IS NOT NULL")),
    Index("ix_tasks_customer", text("(metadata ->> 'customer_id')")),
    Index("ix_tasks_order_id", "order_id"),
    # What changes while an order lives stands in no index, so that its row is changed in place.
    Index("uq_tasks_open_order", "order_id", unique=True, postgresql_where=text("finished_at IS NULL")),
    # In the order in which figures are counted.
    Index("ix_tasks_position", "position"),
    postgresql_with={"fillfactor": "60"},
)

transitions = Table(
    "transitions",
    metadata,
    Column("transition_id", TimedName, primary_key=True),
    _task_reference(),
    Column("version", Integer, nullable=False),
    Column("from_state", Name, nullable=False),
    Column("event", Name, nullable=False),
    Column("to_state", Name, nullable=False),
    Column("agent_id", Name, nullable=False),
    Column("metadata", Json, nullable=False, server_default="{}"),
    business_moment("at"),
    position(),
    CheckConstraint(f"(from_state, event, to_state) IN ({LEGAL_MOVES})", name="legal_move"),
    # A version is written once because the order's row is held, and its version with it, by who writes it.
    Index("ix_transitions_task_id_version", "task_id", "version"),
    # In the order in which figures are counted.
    Index("ix_transitions_position", "position"),
    postgresql_partition_by="RANGE (transition_id)",
)

AUDIT_LOGS: Final = SealedTable(
    name="audit_logs",
    key="log_id",
    position="position",
    written="created_at",
    facts=("log_id", "task_id", "agent_id", "timestamp", "created_at", "position", "key_id", "label"),
    content=("event_type", "action"),
    body="metadata",
    moments=frozenset({"timestamp", "created_at"}),
)
"""What the digest of a line covers."""

USUAL: Final = {
    "agent_id": ("orchestrator", "contact_agent", "triage_agent", "action_agent", "audit_agent"),
    "event_type": ("task_received", "task_validated", "contact_initiated", "contact_result", "intent_classified",
                   "action_executed", "task_completed"),
}  # fmt: skip
"""The agents and the events of every order's lines; all others are found by indexes of their own."""

RARE: Final = {
    of: reduce(lambda value, one: f"NULLIF({value}, '{one}')", usual, of) for of, usual in USUAL.items()
}
"""What these indexes hold of a line. An expression has statistics of its own: two conditions on one column have not."""


def _rare(name: str, of: str) -> Index:
    return Index(name, text(of), "timestamp", "position", postgresql_where=text(f"{of} IS NOT NULL"))


audit_logs = Table(
    "audit_logs",
    metadata,
    Column("log_id", TimedName, primary_key=True),
    _task_reference(),
    Column("event_type", Name, nullable=False),
    Column("agent_id", Name, nullable=False),
    Column("action", Name),
    business_moment("timestamp"),
    Column("metadata", Json, nullable=False, server_default="{}"),
    database_moment("created_at"),
    position(),
    # On whose behalf: the key, and the name its user gave beside it.
    Column("key_id", Name),
    Column("label", String(32)),
    *AUDIT_LOGS.columns(),
    Index("ix_audit_logs_position", "position"),
    Index("idx_audit_task_id", "task_id"),
    # In the order in which lines are listed: all; of one agent or event, where that is rare.
    Index("idx_audit_timestamp", "timestamp", "position"),
    _rare("ix_audit_logs_rare_agents", RARE["agent_id"]),
    _rare("ix_audit_logs_rare_events", RARE["event_type"]),
    postgresql_partition_by="RANGE (log_id)",
)

actions = Table(
    "actions",
    metadata,
    Column("action_id", Name, primary_key=True),
    _task_reference(),
    Column("action_type", Name, nullable=False),
    Column("key", String(96), nullable=False, unique=True),
    Column("parameters", Json, nullable=False, server_default="{}"),
    Column("result", Json, nullable=False, server_default="{}"),
    Column("status", String(16), nullable=False),
    business_moment("at"),
    Index("ix_actions_task_id", "task_id"),
    Index("ix_actions_action_type", "action_type", "at"),
)


def _effect_table(name: str, *columns: SchemaItem) -> Table:
    """What an action did to the order system; the key makes a repetition harmless."""
    return Table(
        name,
        metadata,
        Column("action_id", Name, primary_key=True),
        _task_reference(),
        Column("order_id", Name, nullable=False),
        *columns,
        business_moment("at"),
        Index(f"ix_{name}_task_id", "task_id"),
    )


appointments = _effect_table(
    "appointments",
    Column("visit_at", Moment),
    Column("engineer_id", Name),
    Column("note", Text),
    # The region whose capacity it takes a place of, until it is released; none where nobody limits visits.
    Column("region", String(64)),
    Column("day", Date),
    Column("slot", String(64)),
    Column("released_at", Moment),
    Index(
        "ix_appointments_order_id",
        "order_id",
        postgresql_where=text("region IS NOT NULL AND released_at IS NULL"),
    ),
)

engineer_notices = _effect_table("engineer_notices", Column("engineer_id", Name), Column("message", Text))

cancellations = _effect_table("cancellations", Column("reason", Text))

followups = _effect_table(
    "followups",
    Column("followup_id", Name, nullable=False, unique=True),
    Column("followup_at", Moment, nullable=False),
    Column("reason", Text),
)

signals = Table(
    "signals",
    metadata,
    Column("task_id", String(64), primary_key=True),
    Column("signal_id", String(64), primary_key=True),
    Column("type", Name, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("outcome", Name, nullable=False),
    # What the sender was told; a repetition is told the same.
    Column("status", Name, nullable=False),
    Column("effect", Text, nullable=False),
    Column("sent_by", Name, nullable=False),
    business_moment("received_at"),
)

dispatches = Table(
    "dispatches",
    metadata,
    Column("dispatch_id", Name, primary_key=True),
    Column("step_id", BigInteger, ForeignKey("steps.step_id"), nullable=False),
    Column("task_id", String(64), nullable=False),
    Column("agent_id", Name, nullable=False),
    Column("target_agent", Name, nullable=False),
    Column("action_type", Name, nullable=False),
    Column("given", Json, nullable=False, server_default="{}"),
    database_moment("created_at"),
    Index("ix_dispatches_step_id", "step_id"),
    Index("ix_dispatches_task_id", "task_id"),
)

engineer_capacity = Table(
    "engineer_capacity",
    metadata,
    Column("region", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("capacity", Integer, nullable=False),
    Column("booked", Integer, nullable=False, server_default="0"),
    CheckConstraint("booked BETWEEN 0 AND capacity", name="booked"),
)

intent_labels = Table(
    "intent_labels",
    metadata,
    Column("label_id", Name, primary_key=True),
    Column("task_id", String(64), nullable=False),
    Column("contact_id", Name),
    Column("words", LargeBinary, nullable=False),
    Column("predicted_level2", Name, nullable=False),
    Column("confidence", Numeric(5, 4), nullable=False),
    # Whether the fleet would have gone on by itself.
    Column("automatic", Boolean, nullable=False),
    Column("model", String(64), nullable=False),
    Column("level2", Name, nullable=False),
    Column("source", String(16), nullable=False),
    Column("labelled_by", String(64), nullable=False),
    business_moment("labelled_at"),
    CheckConstraint("source IN ('review', 'shadow')", name="source"),
    Index("ix_intent_labels_labelled_at", "labelled_at"),
)
