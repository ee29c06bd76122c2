"""What contacting people lawfully needs: do-not-call, emergency stops, labels people gave, engineers' capacity."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Table,
    Text,
    text,
)

from storage.core.columns import Moment, Name, business_moment, database_moment, metadata

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

engineer_capacity = Table(
    "engineer_capacity",
    metadata,
    Column("region", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("capacity", Integer, nullable=False),
    Column("booked", Integer, nullable=False, server_default="0"),
    CheckConstraint("booked BETWEEN 0 AND capacity", name="booked"),
)
