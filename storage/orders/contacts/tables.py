"""Contacts with customers, what providers called back, and what forbids contacting."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)

from storage.core.columns import Moment, Name, business_moment, database_moment, metadata, position

contact_logs = Table(
    "contact_logs",
    metadata,
    Column("contact_id", Name, primary_key=True),
    Column("task_id", Name, nullable=False),
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
    position(),
    # The key of an attempt: whatever crashes in between, a customer is contacted once for it (SPEC.md §8).
    UniqueConstraint("task_id", "round", "contact_no"),
    UniqueConstraint("key"),
    CheckConstraint("status IN ('sending', 'sent', 'refused', 'concluded')", name="status"),
    CheckConstraint("direction IN ('outbound', 'inbound')", name="direction"),
    # What caps by number count; budgets by channel are counted as figures are.
    Index(
        "ix_contact_logs_number",
        "phone_index",
        "contact_time",
        postgresql_where=text("phone_index IS NOT NULL"),
    ),
    # In the order in which figures are counted.
    Index("ix_contact_logs_position", "position"),
    # Of the hours of a day: they lie together, as they were made.
    Index(
        "ix_contact_logs_contact_time",
        "contact_time",
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 16, "autosummarize": True},
    ),
    # The short name of an attempt where a provider takes no longer one (tools/channels/reference.py).
    Index("ix_contact_logs_reference", literal_column('"left"(md5(key::text), 15)')),
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("callback_id", BigInteger, Identity(always=True), primary_key=True),
    Column("provider", Name, nullable=False),
    Column("event_id", String(64), nullable=False),
    Column("key", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("outcome", String(16), nullable=False),
    database_moment("received_at"),
    UniqueConstraint("provider", "event_id"),
    Index("ix_callbacks_key", "key"),
)

do_not_call = Table(
    "do_not_call",
    metadata,
    Column("entry_id", Name, primary_key=True),
    # The number's blind index: the list works without holding a number.
    Column("phone_index", LargeBinary, nullable=False),
    Column("masked", String(32), nullable=False),
    Column("channel", String(16)),
    Column("reason", Text, nullable=False),
    Column("added_by", String(64), nullable=False),
    Column("task_id", String(64)),
    Column("until", Moment),
    business_moment("added_at"),
    Column("lifted_at", Moment),
    Column("lifted_by", String(64)),
    Index("ix_do_not_call_phone_index", "phone_index", postgresql_where=text("lifted_at IS NULL")),
)

# Whose customer was forgotten: an answer that is still on its way is not kept. No row names an order.
forgotten_numbers = Table(
    "forgotten_numbers",
    metadata,
    Column("phone_index", LargeBinary, primary_key=True),
    database_moment("forgotten_at"),
)

contact_stops = Table(
    "contact_stops",
    metadata,
    Column("stop_id", Name, primary_key=True),
    Column("channel", String(16)),
    Column("region", String(64)),
    Column("reason", Text, nullable=False),
    Column("stopped_by", String(64), nullable=False),
    database_moment("stopped_at"),
    Column("lifted_at", Moment),
    Column("lifted_by", String(64)),
    Index("ix_contact_stops_open", "stopped_at", postgresql_where=text("lifted_at IS NULL")),
)
