"""What people and other systems see and do: reviews, alerts, callbacks, rejected input, keys, system audit."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from storage.tables.base import Json, Moment, Name, business_moment, database_moment, metadata

reviews = Table(
    "reviews",
    metadata,
    Column("review_id", Name, primary_key=True),
    Column("step_id", BigInteger, ForeignKey("steps.step_id"), nullable=False, unique=True),
    Column("run_id", Name, nullable=False),
    Column("task_id", String(64)),
    Column("node", String(64), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("question", Text, nullable=False),
    Column("context", Json, nullable=False, server_default="{}"),
    Column("decisions", Json, nullable=False),
    Column("state", String(16), nullable=False, server_default="open"),
    business_moment("opened_at"),
    Column("deadline_at", Moment),
    Column("decided_at", Moment),
    Column("decided_by", String(64)),
    Column("decision", Json),
    CheckConstraint("state IN ('open', 'decided', 'cancelled')", name="state"),
    Index("ix_reviews_open", "opened_at", postgresql_where=text("state = 'open'")),
    Index("ix_reviews_task_id", "task_id"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", Name, primary_key=True),
    Column("alert_type", String(64), nullable=False),
    Column("task_id", String(64)),
    Column("severity", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("metadata", Json, nullable=False, server_default="{}"),
    Column("escalated_to", Name, nullable=False),
    Column("status", Name, nullable=False, server_default="pending_review"),
    business_moment("raised_at"),
    Column("handled_at", Moment),
    Index("ix_alerts_raised_at", "raised_at"),
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

rejects = Table(
    "rejects",
    metadata,
    Column("reject_id", Name, primary_key=True),
    Column("source", String(16), nullable=False),
    Column("task_id", String(64)),
    Column("payload", LargeBinary, nullable=False),
    Column("problems", Json, nullable=False),
    database_moment("rejected_at"),
    Index("ix_rejects_rejected_at", "rejected_at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Name, primary_key=True),
    Column("agent_id", Name, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("scopes", ARRAY(String(32)), nullable=False),
    database_moment("created_at"),
    Column("expires_at", Moment),
    Column("revoked", Boolean, nullable=False, server_default="false"),
)

system_audit = Table(
    "system_audit",
    metadata,
    Column("entry_id", BigInteger, Identity(always=True), primary_key=True),
    Column("actor", String(64), nullable=False),
    Column("what", String(64), nullable=False),
    Column("detail", Json, nullable=False, server_default="{}"),
    database_moment("at"),
)
