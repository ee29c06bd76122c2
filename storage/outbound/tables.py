"""What leaves: the events people watch, subscribers with their deliveries, and notices to staff."""

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
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from schemas.outbound.artifacts import ArtifactKind
from storage.core.columns import Json, Moment, Name, business_moment, database_moment, metadata, trace_of

# What is added to transaction ids, so that the feed's order goes on rising when its rows were restored into another
# server, whose transaction ids begin anew. The function `feed_order` adds it.
feed_origin = Table(
    "feed_origin",
    metadata,
    Column("only_row", Boolean, primary_key=True, server_default="true"),
    Column("ahead", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("only_row", name="only_row"),
)

events = Table(
    "events",
    metadata,
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    # The id of the transaction that wrote it, in the feed's order, and never before an earlier event of its run.
    Column("feed_order", BigInteger, nullable=False, server_default=text("feed_order(pg_current_xact_id())")),
    Column("event_type", Name, nullable=False),
    Column("task_id", String(64)),
    Column("execution_id", Name, nullable=False),
    Column("stage", Name, nullable=False),
    # A code, which is put into words with these for who asks, in their language.
    Column("title", Text, nullable=False),
    Column("parameters", Json, nullable=False, server_default="{}"),
    Column("status", String(16), nullable=False),
    Column("artifact_ref", String(255)),
    # Of a wait: the question that is asked, and until when it is waited for, on the business clock.
    Column("interrupt_id", Name),
    Column("until", Moment),
    trace_of(),
    Column("request_id", String(64)),
    business_moment("at"),
    # The month that it is kept in: its id tells no time, and `at` is a time of the business clock.
    Column("created_at", Moment, primary_key=True, server_default=text("clock_timestamp()")),
    CheckConstraint("status IN ('running', 'waiting', 'ready', 'failed')", name="status"),
    Index("ix_events_of_run", "execution_id", "feed_order", "event_id"),
    # The order in which a reader may follow the feed and miss nothing that commits late.
    Index("ix_events_feed", "feed_order", "event_id"),
    postgresql_partition_by="RANGE (created_at)",
)

# What was made or came in and is kept whole: written once, with its event, and never changed. Its path tells its
# version, by what it holds.
artifacts = Table(
    "artifacts",
    metadata,
    Column("path", String(200), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("bytes", BigInteger),
    Column("sha256", LargeBinary),
    Column("task_id", String(64)),
    Column("execution_id", Name, nullable=False),
    Column("sensitive", Boolean, nullable=False),
    # Encrypted where it is sensitive; empty once it was erased.
    Column("content", LargeBinary),
    # Where a recording is, which is the provider's.
    Column("location", Text),
    business_moment("kept_at"),
    Column("expires_at", Moment),
    CheckConstraint(f"kind IN ({', '.join(map(repr, map(str, ArtifactKind)))})", name="kind"),
    Index("ix_artifacts_execution_id", "execution_id"),
    Index("ix_artifacts_expires_at", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
)

# How far the feed of events was read for triggers; there is a row while a workflow has one for it.
trigger_feed = Table(
    "trigger_feed",
    metadata,
    Column("only_row", Boolean, primary_key=True, server_default="true"),
    Column("feed_order", BigInteger, nullable=False),
    Column("event_id", BigInteger, nullable=False),
    CheckConstraint("only_row", name="only_row"),
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("subscriber_id", Name, primary_key=True),
    Column("url", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("events", ARRAY(String(32)), nullable=False),
    Column("active", Boolean, nullable=False, server_default="true"),
    # How far this subscriber's deliveries were made of the feed of events: the last row's order and id.
    Column("fed_order", BigInteger, nullable=False),
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
    # The run that carries it, since it waits; none yet: the next feeding finds it one.
    Column("run_id", Name),
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
    Index(
        "ix_deliveries_unassigned", "event_id", postgresql_where=text("state = 'waiting' AND run_id IS NULL")
    ),
    Index("ix_deliveries_task_id", "task_id"),
)

notices = Table(
    "notices",
    metadata,
    Column("notice_id", BigInteger, Identity(always=True), primary_key=True),
    # The action or the alert that it tells of: one notice each.
    Column("key", String(64), nullable=False, unique=True),
    Column("to_role", Name, nullable=False),
    # The engineer's own id; of a card the account (`identity_id`) that it goes to.
    Column("recipient", Name),
    # The question that it brings.
    Column("interrupt_id", Name),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    trace_of(),
    Column("state", String(16), nullable=False, server_default="waiting"),
    Column("tries", Integer, nullable=False, server_default="0"),
    database_moment("due_at"),
    Column("provider", Name),
    Column("provider_id", String(128)),
    Column("last_error", Text),
    database_moment("created_at"),
    Column("sent_at", Moment),
    # The run that carries it; none yet: the next feeding begins one.
    Column("run_id", Name),
    CheckConstraint("state IN ('waiting', 'sent', 'given_up')", name="state"),
    Index(
        "ix_notices_unassigned", "notice_id", postgresql_where=text("state = 'waiting' AND run_id IS NULL")
    ),
    Index("ix_notices_waiting", "to_role", postgresql_where=text("state = 'waiting'")),
)

# Whom staff notices are made for; written by whoever sends them, so that nothing is kept for nobody.
notice_roles = Table(
    "notice_roles",
    metadata,
    Column("role", Name, primary_key=True),
    # Whose accounts its provider can send a card to; none of a provider that sends to a group.
    Column("messenger", String(16)),
    database_moment("since"),
)
