"""What moves inside runs: branches at joins, scopes, variables, slots, keys, and what is waited for."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    text,
)

from statemachine.workflow.options.catches import CatchKind
from statemachine.workflow.options.limits import WhenFull
from statemachine.workflow.states import SlotState, literals
from storage.core.columns import Json, Moment, Name, database_moment, metadata
from storage.engine.states import SLOT_WAITING

# A branch that has come to where branches wait for one another; taken away when all have.
join_arrivals = Table(
    "join_arrivals",
    metadata,
    Column("arrival_id", BigInteger, Identity(always=True), primary_key=True),
    Column("run_id", Name, nullable=False),
    # 0 outside of every scope.
    Column("scope_id", BigInteger, nullable=False),
    Column("node", String(128), nullable=False),
    # The step from which the branch comes.
    Column("flow", String(128), nullable=False),
    # The step whose output the branch brings; else it is given.
    Column("step_id", BigInteger),
    Column("given", Json),
    # Whether those who were waited for have gone on without it.
    Column("passed", Boolean, nullable=False, server_default="false"),
    Index("ix_join_arrivals_place", "run_id", "node", "scope_id"),
)

# The inside of a step that has one: a scope, or the elements of a loop. Its id is that of the step's row.
scopes = Table(
    "scopes",
    metadata,
    Column("scope_id", BigInteger, primary_key=True),
    Column("run_id", Name, nullable=False),
    Column("node", String(128), nullable=False),
    # The scopes around it, the outermost first.
    Column("around", Json, nullable=False, server_default="[]"),
    Column("open_steps", Integer, nullable=False),
    # The elements of the loops around, by name.
    Column("bound", Json, nullable=False, server_default="{}"),
    # Of a loop: the elements, and how many were begun.
    Column("elements", Json),
    Column("begun", Integer, nullable=False, server_default="0"),
    Index("ix_scopes_run_id", "run_id"),
    postgresql_with={"fillfactor": "80"},
)

# Every value that a step, or a person, has written to a variable.
variable_writes = Table(
    "variable_writes",
    metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("run_id", Name, nullable=False),
    Column("name", String(64), nullable=False),
    Column("value", Json),
    Column("node", String(128)),
    Column("by", String(64)),
    database_moment("written_at"),
    Index("ix_variable_writes_run_id", "run_id", "position"),
)

# Who has, or waits for, a slot of a limit: a step, or a run by the step with which it waits.
slots = Table(
    "slots",
    metadata,
    Column("slot_id", BigInteger, Identity(always=True), primary_key=True),
    # The workflow, the step and the key that share the slots.
    Column("name", String(512), nullable=False),
    Column("run_id", Name, nullable=False),
    Column("step_id", BigInteger, nullable=False),
    # Whether it is held until the run ends, and not the step.
    Column("of_run", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("most", Integer),
    Column("when_full", String(16), nullable=False),
    Column("rate", Integer),
    Column("rate_seconds", Double),
    Column("granted_at", Moment),
    CheckConstraint(f"state IN ({literals(SlotState)})", name="state"),
    CheckConstraint(f"when_full IN ({literals(WhenFull)})", name="when_full"),
    Index("ix_slots_name", "name", "slot_id"),
    Index("ix_slots_step_id", "step_id"),
    Index("ix_slots_run_id", "run_id"),
    Index("ix_slots_waiting", "slot_id", postgresql_where=text(f"state = {SLOT_WAITING}")),
)

# By what a second start is known to be the first one.
run_keys = Table(
    "run_keys",
    metadata,
    Column("workflow", String(128), primary_key=True),
    Column("key", String(256), primary_key=True),
    Column("run_id", Name, nullable=False),
    Index("ix_run_keys_run_id", "run_id"),
)

# What an open step waits for, or what may break in upon it, a scope or a run.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("subscription_id", BigInteger, Identity(always=True), primary_key=True),
    Column("run_id", Name, nullable=False),
    # The step that it ends with; null: the run.
    Column("step_id", BigInteger),
    # Its place among what the step catches: of a wait first, then what breaks in.
    Column("place", SmallInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", String(128)),
    Column("key", String(256)),
    Column("due_at", Moment),
    CheckConstraint(f"kind IN ({literals(CatchKind)}, 'timeout')", name="kind"),
    Index(
        "ix_subscriptions_name",
        "kind",
        "name",
        "key",
        "subscription_id",
        postgresql_where=text("name IS NOT NULL"),
    ),
    Index("ix_subscriptions_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index("ix_subscriptions_step_id", "step_id"),
    Index("ix_subscriptions_run_id", "run_id"),
)
