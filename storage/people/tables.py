"""What people and other systems see and do: reviews, alerts, callbacks, rejected input, keys, system audit."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from storage.core.columns import (
    Json,
    Moment,
    Name,
    TransactionId,
    business_moment,
    database_moment,
    metadata,
)

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
    Column("claimed_by", String(64)),
    Column("claimed_at", Moment),
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
    Column("handled_by", String(64)),
    Column("note", Text),
    Index("ix_alerts_raised_at", "raised_at"),
    Index("ix_alerts_open", "raised_at", postgresql_where=text("status <> 'resolved'")),
    Index("ix_alerts_task_id", "task_id"),
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
    Column("state", String(16), nullable=False, server_default="open"),
    Column("handled_at", Moment),
    Column("handled_by", String(64)),
    Column("replayed_as", String(64)),
    Column("order_id", String(64)),
    Column("envelope", Json),
    Column("digest", LargeBinary),
    Column("times", Integer, nullable=False, server_default="1"),
    database_moment("last_at"),
    Column("handled_agent", String(64)),
    CheckConstraint("state IN ('open', 'replayed', 'dismissed')", name="state"),
    Index("ix_rejects_rejected_at", "rejected_at"),
    # What waits is kept once, however often it comes; what was erased cannot stand for what comes.
    Index(
        "ix_rejects_digest", "digest", unique=True, postgresql_where=text("state = 'open' AND payload <> ''")
    ),
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
    Column("last_used_at", Moment),
    Column("label", String(64)),
    # The mode of tasks that this key sends in without naming one.
    Column("default_mode", String(8), nullable=False, server_default="auto"),
    Column("rate_limit", String(64)),
    CheckConstraint("default_mode IN ('auto', 'manual')", name="default_mode"),
    Index("ix_api_keys_agent_id", "agent_id"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("agent_id", Name, primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("status", SmallInteger),
    Column("body", LargeBinary),
    database_moment("created_at"),
    Column("headers", Json),
    Index("ix_idempotency_keys_created_at", "created_at"),
)

agents = Table(
    "agents",
    metadata,
    Column("agent_id", String(64), primary_key=True),
    Column("role", Name, nullable=False),
    Column("registered_by", Name, nullable=False),
    Column("capabilities", Json, nullable=False, server_default="[]"),
    Column("most_at_once", Integer, nullable=False, server_default="1"),
    database_moment("registered_at"),
    Column("heartbeat_at", Moment),
    Column("status", Name, nullable=False, server_default="idle"),
    Column("working_on", Integer, nullable=False, server_default="0"),
    Column("metadata", Json, nullable=False, server_default="{}"),
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

subscribers = Table(
    "subscribers",
    metadata,
    Column("subscriber_id", Name, primary_key=True),
    Column("url", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("events", ARRAY(String(32)), nullable=False),
    Column("active", Boolean, nullable=False, server_default="true"),
    # How far this subscriber's deliveries were made of the feed of events: the last row's transaction and id.
    Column("fed_transaction", TransactionId, nullable=False),
    Column("fed_event", BigInteger, nullable=False, server_default="0"),
    database_moment("created_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", Name, primary_key=True),
    Column("subscriber_id", Name, ForeignKey("subscribers.subscriber_id"), nullable=False),
    Column("event_id", BigInteger, nullable=False),
    Column("task_id", String(64)),
    Column("event_type", Name, nullable=False),
    Column("payload", Json, nullable=False),
    Column("state", String(16), nullable=False, server_default="waiting"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("due_at", Moment, nullable=False),
    Column("last_status", Integer),
    Column("last_error", Text),
    database_moment("created_at"),
    Column("ended_at", Moment),
    UniqueConstraint("subscriber_id", "event_id"),
    CheckConstraint("state IN ('waiting', 'delivered', 'given_up')", name="state"),
    Index("ix_deliveries_waiting", "subscriber_id", "due_at", postgresql_where=text("state = 'waiting'")),
    Index(
        "ix_deliveries_in_order",
        "subscriber_id",
        "task_id",
        "event_id",
        postgresql_where=text("state = 'waiting'"),
    ),
    Index("ix_deliveries_task_id", "task_id"),
)

# Whom staff notices are made for; written by whoever sends them, so that nothing is kept for nobody.
notice_roles = Table(
    "notice_roles",
    metadata,
    Column("role", Name, primary_key=True),
    database_moment("since"),
)

notices = Table(
    "notices",
    metadata,
    Column("notice_id", BigInteger, Identity(always=True), primary_key=True),
    # The action or the alert that it tells of: one notice each.
    Column("key", String(64), nullable=False, unique=True),
    Column("to_role", Name, nullable=False),
    # The engineer's own id.
    Column("recipient", Name),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("state", String(16), nullable=False, server_default="waiting"),
    Column("tries", Integer, nullable=False, server_default="0"),
    database_moment("due_at"),
    Column("provider", Name),
    Column("provider_id", String(128)),
    Column("last_error", Text),
    database_moment("created_at"),
    Column("sent_at", Moment),
    CheckConstraint("state IN ('waiting', 'sent', 'given_up')", name="state"),
    Index("ix_notices_waiting", "due_at", postgresql_where=text("state = 'waiting'")),
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
