"""What people see and decide: reviews with their answers, alerts, and rejected input."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
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

from schemas.people.holds import HoldState
from storage.core.columns import Json, Moment, Name, business_moment, database_moment, metadata, position

reviews = Table(
    "reviews",
    metadata,
    Column("review_id", Name, primary_key=True),
    Column("step_id", BigInteger, ForeignKey("steps.step_id"), nullable=False, unique=True),
    Column("run_id", Name, nullable=False),
    Column("task_id", String(64)),
    Column("node", String(128), nullable=False),
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
    # Until when, on the database's clock.
    Column("claimed_until", Moment),
    position(),
    # Who may answer: people with the role, or this one person; neither: whoever may answer at all.
    Column("role", Text),
    Column("person", Text),
    # The names of who may not: `starter`, and human steps of the run whose answerers may not.
    Column("not_by", Json, nullable=False, server_default="[]"),
    Column("quorum", SmallInteger, nullable=False, server_default="1"),
    # The JSON Schema of what an answer carries beside its decision.
    Column("form", Json),
    # By time: each `after_seconds` and `role`; the first `escalated` of them have come.
    Column("escalations", Json, nullable=False, server_default="[]"),
    Column("escalated", SmallInteger, nullable=False, server_default="0"),
    # When the next role is added, or the deadline of a general run passes, on the business clock.
    Column("due_at", Moment),
    # Its place in the worklist: of what cannot wait, and the rest by priority and age (`storage.people.worklist`).
    Column("flagged", Boolean, nullable=False, server_default="false"),
    Column("rank_at", Moment, nullable=False, server_default=text("business_now()")),
    # What lists are narrowed by, as it was when the review was opened; empty where nothing is known.
    Column("workflow", String(136), nullable=False, server_default=""),
    Column("suggestion", String(64), nullable=False, server_default=""),
    Column("product", String(64), nullable=False, server_default=""),
    Column("region", String(64), nullable=False, server_default=""),
    CheckConstraint("state IN ('open', 'decided', 'cancelled')", name="state"),
    CheckConstraint("quorum > 0", name="quorum"),
    Index("ix_reviews_due", "due_at", postgresql_where=text("state = 'open' AND due_at IS NOT NULL")),
    # In the order in which they are listed: of each state, of open ones of a reason, and those that people took.
    Index("ix_reviews_state", "state", "opened_at", "review_id"),
    Index("ix_reviews_reason", "reason", "opened_at", "review_id", postgresql_where=text("state = 'open'")),
    Index(
        "ix_reviews_claimed",
        "opened_at",
        "review_id",
        postgresql_where=text("state = 'open' AND claimed_at IS NOT NULL"),
    ),
    Index(
        "ix_reviews_worklist",
        text("flagged DESC"),
        "rank_at",
        "review_id",
        postgresql_where=text("state = 'open'"),
    ),
    # What is overdue, or nearly so: few of many.
    Index(
        "ix_reviews_deadline",
        "deadline_at",
        "rank_at",
        "review_id",
        postgresql_where=text("state = 'open' AND NOT flagged AND deadline_at IS NOT NULL"),
    ),
    Index("ix_reviews_opened_at", "opened_at", "review_id"),
    Index("ix_reviews_task_id", "task_id"),
    # In the order in which figures are counted.
    Index("ix_reviews_position", "position"),
)

# What each person answers a question of several; a question of one answer keeps it in its own row.
review_answers = Table(
    "review_answers",
    metadata,
    Column("review_id", Name, ForeignKey("reviews.review_id", ondelete="CASCADE"), primary_key=True),
    Column("person", String(64), primary_key=True),
    Column("decision", String(128), nullable=False),
    Column("note", Text),
    Column("form", Json, nullable=False, server_default="{}"),
    business_moment("at"),
)

# What people decided that is not applied yet, and what became of it: one a question at a time.
held_decisions = Table(
    "held_decisions",
    metadata,
    Column("hold_id", Name, primary_key=True),
    Column("review_id", Name, ForeignKey("reviews.review_id", ondelete="CASCADE"), nullable=False),
    # By which a repeated request is known to be the first one.
    Column("key", String(64), nullable=False),
    Column("state", String(16), nullable=False, server_default=HoldState.HELD.value),
    Column("decision", String(128), nullable=False),
    Column("by", String(64), nullable=False),
    Column("roles", Json, nullable=False),
    Column("has_login", Boolean, nullable=False),
    # On whose behalf, for the lines of history.
    Column("key_id", Name),
    Column("label", String(32)),
    # The answer, encrypted; empty once the hold has ended.
    Column("payload", LargeBinary, nullable=False),
    # What was known of the task: where that is another when the hold ends, a person looks again.
    Column("seen", BigInteger, nullable=False),
    database_moment("made_at"),
    Column("held_until", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("refusal", String(64)),
    CheckConstraint(f"state IN ({', '.join(repr(state.value) for state in HoldState)})", name="state"),
    UniqueConstraint("review_id", "key"),
    Index("uq_held_decisions_held", "review_id", unique=True, postgresql_where=text("state = 'held'")),
    Index("ix_held_decisions_due", "held_until", postgresql_where=text("state = 'held'")),
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
    CheckConstraint("state IN ('open', 'replayed', 'dismissed')", name="state"),
    Index("ix_rejects_rejected_at", "rejected_at"),
    # What waits is kept once, however often it comes; what was erased cannot stand for what comes.
    Index(
        "ix_rejects_digest", "digest", unique=True, postgresql_where=text("state = 'open' AND payload <> ''")
    ),
)
