"""What begins runs by itself: the inbox, and schedules."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, SmallInteger, String, Table, text

from statemachine.workflow.options.triggers import TriggerKind
from statemachine.workflow.states import InboxState, literals
from storage.core.columns import Json, Moment, Name, database_moment, metadata, trace_of
from storage.engine.states import INBOX_KEPT, INBOX_WAITING

# What has come or happened, and is to begin runs and to reach who waits for it.
inbox = Table(
    "inbox",
    metadata,
    Column("entry_id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(128), nullable=False),
    Column("key", String(256), nullable=False, server_default=""),
    # Empty once it has done what it came for: what was begun with it has its own parameters.
    Column("payload", Json),
    # The same under a name is once, as long as it is remembered.
    Column("source_id", String(128)),
    Column("depth", SmallInteger, nullable=False, server_default="0"),
    Column("sent_by", String(64)),
    trace_of(),
    Column("occurred_at", Moment, nullable=False),
    database_moment("received_at"),
    Column("expires_at", Moment),
    Column("state", String(16), nullable=False, server_default=InboxState.WAITING.value),
    # The runs that were begun, and how many waits were reached.
    Column("outcome", Json),
    # The step that took a kept message.
    Column("taken_by", BigInteger),
    Column("ended_at", Moment),
    CheckConstraint(f"kind IN ({literals(set(TriggerKind) - {TriggerKind.SCHEDULE})})", name="kind"),
    CheckConstraint(f"state IN ({literals(InboxState)})", name="state"),
    Index(
        "uq_inbox_source",
        "kind",
        "name",
        "source_id",
        unique=True,
        postgresql_where=text("source_id IS NOT NULL"),
    ),
    Index("ix_inbox_waiting", "entry_id", postgresql_where=text(f"state = {INBOX_WAITING}")),
    Index("ix_inbox_kept", "name", "key", "entry_id", postgresql_where=text(f"state = {INBOX_KEPT}")),
    Index("ix_inbox_expiring", "expires_at", postgresql_where=text(f"state = {INBOX_KEPT}")),
)

# One row a schedule of the version that new runs begin with.
schedules = Table(
    "schedules",
    metadata,
    Column("workflow", String(64), primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    Column("version", String(16), nullable=False),
    Column("cron", String(100), nullable=False),
    Column("timezone", String(64), nullable=False),
    # On the business clock; empty: no time fits any more.
    Column("next_due", Moment),
    Column("last_due", Moment),
    Column("last_run_id", Name),
    # Times whose runs wait for the one before to end, the oldest first.
    Column("queued", Json, nullable=False, server_default="[]"),
    Index("ix_schedules_due", "next_due"),
    Index("ix_schedules_queued", "workflow", "position", postgresql_where=text("queued <> '[]'")),
)
