"""The business: orders, contacts, transitions, actions, audit, and the events people watch (seed 000 section 八)."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.schema import SchemaItem

from statemachine.orders.machine import TRANSITIONS
from statemachine.orders.states import State
from storage.core.columns import (
    Json,
    Moment,
    Name,
    TransactionId,
    business_moment,
    database_moment,
    metadata,
    position,
)


def _task_reference() -> "Column[str]":
    return Column("task_id", Name, ForeignKey("tasks.task_id"), nullable=False)


def _quoted(values: object) -> str:
    return ", ".join(f"'{value}'" for value in values)  # type: ignore[attr-defined]


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
    # A follow-up that recurs: cron expression, time zone, and what ends it.
    Column("followup_rule", Json),
    Column("digest", LargeBinary, nullable=False),
    Column("source", String(16), nullable=False),
    # When the customer was forgotten: what is still told of the order afterwards is not kept.
    Column("erased_at", Moment),
    CheckConstraint(f"status IN ({_quoted(State)})", name="status"),
    CheckConstraint("(status = 'closed') = (finished_at IS NOT NULL)", name="finished"),
    CheckConstraint("priority BETWEEN 1 AND 10", name="priority"),
    CheckConstraint("mode IN ('auto', 'manual')", name="mode"),
    Index("idx_tasks_status", "status", postgresql_where=text("status <> 'closed'")),
    Index("idx_tasks_next_contact", "next_contact_time", postgresql_where=text("status <> 'closed'")),
    Index("idx_tasks_created", "created_at", "task_id"),
    Index("ix_tasks_phone_index", "phone_index", postgresql_where=text("phone_index IS NOT NULL")),
    Index("ix_tasks_customer", text("(metadata ->> 'customer_id')")),
    Index("uq_tasks_open_order", "order_id", unique=True, postgresql_where=text("status <> 'closed'")),
)

transitions = Table(
    "transitions",
    metadata,
    Column("transition_id", Name, primary_key=True),
    _task_reference(),
    Column("version", Integer, nullable=False),
    Column("from_state", Name, nullable=False),
    Column("event", Name, nullable=False),
    Column("to_state", Name, nullable=False),
    Column("agent_id", Name, nullable=False),
    Column("metadata", Json, nullable=False, server_default="{}"),
    business_moment("at"),
    UniqueConstraint("task_id", "version"),
    CheckConstraint(f"(from_state, event, to_state) IN ({LEGAL_MOVES})", name="legal_move"),
)

contact_logs = Table(
    "contact_logs",
    metadata,
    Column("contact_id", Name, primary_key=True),
    _task_reference(),
    Column("contact_method", String(16), nullable=False),
    Column("contact_result", String(16), nullable=False, server_default="pending"),
    Column("duration_seconds", Integer),
    Column("transcript", Text),
    Column("recording_url", String(255)),
    business_moment("contact_time"),
    database_moment("created_at"),
    Column("key", String(64), nullable=False),
    Column("round", SmallInteger, nullable=False),
    Column("contact_no", SmallInteger, nullable=False),
    Column("step_id", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("provider_id", String(64)),
    Column("script_id", String(64)),
    Column("concluded_at", Moment),
    # An inbound one (the customer called us) is no attempt: its contact_no counts down from -1.
    # What the customer wants, in the words of the agent who spoke with them.
    Column("user_feedback", Text),
    Column("phone_index", LargeBinary),
    Column("script_version", String(32)),
    Column("direction", String(8), nullable=False, server_default="outbound"),
    # The key of an attempt: whatever crashes in between, a customer is contacted once for it (SPEC.md §8).
    UniqueConstraint("task_id", "round", "contact_no"),
    UniqueConstraint("key"),
    CheckConstraint("status IN ('sending', 'sent', 'refused', 'concluded')", name="status"),
    CheckConstraint("direction IN ('outbound', 'inbound')", name="direction"),
    # What caps by number and budgets by channel count.
    Index(
        "ix_contact_logs_number",
        "phone_index",
        "contact_time",
        postgresql_where=text("phone_index IS NOT NULL"),
    ),
    Index("ix_contact_logs_channel", "contact_method", "contact_time"),
    # The short name of an attempt where a provider takes no longer one (tools/channels/reference.py).
    Index("ix_contact_logs_reference", literal_column('"left"(md5(key::text), 15)')),
)

audit_logs = Table(
    "audit_logs",
    metadata,
    Column("log_id", Name, primary_key=True),
    _task_reference(),
    Column("event_type", Name, nullable=False),
    Column("agent_id", Name, nullable=False),
    Column("action", Name),
    business_moment("timestamp"),
    Column("metadata", Json, nullable=False, server_default="{}"),
    database_moment("created_at"),
    position(),
    Index("idx_audit_task_id", "task_id"),
    Index("idx_audit_timestamp", "timestamp"),
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

events = Table(
    "events",
    metadata,
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    Column("written_by", TransactionId, nullable=False, server_default=text("pg_current_xact_id()")),
    Column("event_type", Name, nullable=False),
    Column("task_id", String(64)),
    Column("execution_id", Name, nullable=False),
    Column("stage", Name, nullable=False),
    Column("title", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("artifact_ref", String(255)),
    business_moment("at"),
    CheckConstraint("status IN ('running', 'waiting', 'ready', 'failed')", name="status"),
    Index("ix_events_execution_id", "execution_id"),
    # The order in which a reader may follow the feed and miss nothing that commits late.
    Index("ix_events_feed", "written_by", "event_id"),
)
