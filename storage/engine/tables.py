"""What the engine needs: definitions, runs, steps, leases, pulses, and the business clock."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from statemachine.workflow.states import (
    OPEN_RUNS,
    RARE_RUNS,
    DefinitionState,
    RunState,
    StepState,
    literals,
)
from storage.core.columns import Json, Moment, Name, WrittenJson, database_moment, metadata, trace_of
from storage.engine.states import LEASED, OFFERED, PUBLISHED, READY, RUNNING, TIMED

WANTED_FIRST = "coalesce((wanted -> 'capabilities') ->> 0, '')"
"""The first capability that a step needs of an outside agent; empty where it needs none."""

business_clock = Table(
    "business_clock",
    metadata,
    Column("only_row", Boolean, primary_key=True, server_default="true"),
    Column("database_time", Moment, nullable=False),
    Column("business_time", Moment, nullable=False),
    Column("rate", Double, nullable=False),
    CheckConstraint("only_row", name="only_row"),
    CheckConstraint("rate > 0", name="rate"),
)

definitions = Table(
    "definitions",
    metadata,
    Column("workflow", String(128), primary_key=True),
    Column("version", String(16), primary_key=True),
    Column("body", WrittenJson, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    database_moment("registered_at"),
    Column("state", String(16), nullable=False),
    Column("activated_at", Moment),
    Column("retired_at", Moment),
    CheckConstraint(f"state IN ({literals(DefinitionState)})", name="state"),
)

leases = Table(
    "leases",
    metadata,
    Column("lease_id", Name, primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("queue", Name, nullable=False),
    database_moment("acquired_at"),
    Column("expires_at", Moment, nullable=False),
)

# One row a name, updated in place: a beat touches no index.
pulses = Table(
    "pulses",
    metadata,
    Column("name", Name, primary_key=True),
    Column("at", Moment, nullable=False),
    # Since when it has worked without a long gap; -infinity where there never was one.
    Column("steady_since", Moment, nullable=False),
    postgresql_with={"fillfactor": "50"},
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", Name, primary_key=True),
    Column("workflow", String(136), nullable=False),
    Column("version", String(16), nullable=False),
    Column("subject_id", String(64)),
    Column("state", String(16), nullable=False),
    Column("priority", SmallInteger, nullable=False, server_default="1"),
    Column("variables", Json, nullable=False, server_default="{}"),
    Column("open_steps", Integer, nullable=False),
    Column("request_id", String(64)),
    trace_of(),
    Column("deadline_at", Moment),
    Column("error", Json),
    # Not driven by the fleet: its steps are done when an outside agent calls for them (SPEC.md §6).
    Column("manual", Boolean, nullable=False, server_default="false"),
    Column("description", Text),
    Column("created_by", String(64)),
    # Certainly begun: a step was done at once, or one was recorded. What is not marked so need not be new.
    Column("begun", Boolean, nullable=False, server_default="false"),
    # The variables that its steps have written; those of a run that writes none have no entry here.
    Column("written", Json),
    # The steps that it has had so far, where they are counted.
    Column("steps_made", Integer, nullable=False, server_default="0"),
    # How it is to end once its last step has; its own course where nothing stands here.
    Column("ends_as", String(16)),
    # What it came to, where its definition says so.
    Column("output", Json),
    # The step of another run that has begun it, whether that was told of its end, whether it is to be cancelled with
    # that step, and how many runs stand above it or have led to it by triggers.
    Column("parent_step_id", BigInteger),
    Column("reported", Boolean),
    Column("cancel_asked", Boolean),
    Column("depth", SmallInteger, nullable=False, server_default="0"),
    # What tells a general task's body from another under the same id; only where its caller named the id.
    Column("digest", LargeBinary),
    # How it came to its version, where it began with another: `from`, `to`, `steps`, `by`, `at` of each migration.
    Column("migrations", Json),
    database_moment("created_at"),
    Column("finished_at", Moment),
    CheckConstraint(f"state IN ({literals(RunState)})", name="state"),
    Index("ix_runs_subject_id", "subject_id"),
    # In the order in which tasks are listed.
    Index("ix_runs_created", "created_at", "run_id"),
    # What is rare among the runs, in the same order: a run that goes as it should has no entry here.
    Index(
        "ix_runs_rare_states",
        "state",
        "created_at",
        "run_id",
        postgresql_where=text(f"state IN ({literals(RARE_RUNS)})"),
    ),
    Index("ix_runs_new", "created_at", "run_id", postgresql_where=text(f"state = {RUNNING} AND NOT begun")),
    Index("ix_runs_urgent", "created_at", "run_id", postgresql_where=text("priority > 5")),
    Index("ix_runs_parent", "parent_step_id", postgresql_where=text("parent_step_id IS NOT NULL")),
    Index("ix_runs_unreported", "state", postgresql_where=text("NOT reported")),
    Index("ix_runs_cancel_asked", "state", postgresql_where=text("cancel_asked")),
    Index("ix_runs_deadline", "deadline_at", postgresql_where=text(f"state IN ({literals(OPEN_RUNS)})")),
    # Rows are updated in place while they live; room on the page keeps those updates off the indexes.
    postgresql_with={"fillfactor": "80"},
)

steps = Table(
    "steps",
    metadata,
    Column("step_id", BigInteger, Identity(always=True), primary_key=True),
    Column("run_id", Name, nullable=False),
    Column("subject_id", String(64)),
    Column("node", String(128), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("queue", Name),
    Column("action", String(64)),
    Column("state", String(16), nullable=False),
    Column("held", Boolean, nullable=False, server_default="false"),
    Column("delivery", Integer, nullable=False, server_default="1"),
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    Column("crashes", SmallInteger, nullable=False, server_default="0"),
    Column("priority", SmallInteger, nullable=False, server_default="1"),
    # ready_at less a bonus for priority (`storage.engine.urgency`): the smallest goes first, and waiting makes
    # everyone smallest at last.
    Column("urgency", Moment),
    Column("ready_at", Moment),
    Column("due_at", Moment),
    Column("due_clock", String(8)),
    # How late the tick made it ready the last time that its moment came, in real time.
    Column("late_by", Interval),
    Column("published_at", Moment),
    Column("lease_id", Name),
    Column("input", Json, nullable=False, server_default="{}"),
    Column("output", Json),
    Column("error", Json),
    Column("early_signals", Json),
    # What an outside agent needs to do it (capabilities, role, agent_id), and what the last one said of how far it is.
    Column("wanted", Json),
    Column("progress", Json),
    Column("caused_by", BigInteger),
    # The scope it lies in, and which element of a loop it is, or how often it was done before.
    Column("scope_id", BigInteger),
    Column("element", Integer),
    # Whether its output is read by its name (`steps.ID`).
    Column("referenced", Boolean),
    database_moment("created_at"),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    CheckConstraint(f"state IN ({literals(StepState)})", name="state"),
    CheckConstraint("due_clock IN ('database', 'business')", name="due_clock"),
    Index("ix_steps_run_id", "run_id"),
    Index("ix_steps_scope", "scope_id", "element", postgresql_where=text("scope_id IS NOT NULL")),
    Index("ix_steps_referenced", "run_id", "node", "step_id", postgresql_where=text("referenced")),
    Index("ix_steps_ready", "queue", "urgency", postgresql_where=text(f"state = {READY} AND NOT held")),
    Index(
        "ix_steps_due",
        "due_clock",
        "due_at",
        postgresql_where=text(f"state IN ({TIMED}) AND NOT held"),
    ),
    Index("ix_steps_published", "published_at", postgresql_where=text(f"state = {PUBLISHED}")),
    # What is offered to those who can do it, most urgent first, by the first of the capabilities that it needs.
    Index(
        "ix_steps_offered",
        text(WANTED_FIRST),
        "urgency",
        postgresql_where=text(f"state = {OFFERED} AND wanted IS NOT NULL AND NOT held"),
    ),
    Index("ix_steps_leased", "lease_id", postgresql_where=text(f"state = {LEASED}")),
    postgresql_with={"fillfactor": "80"},
)
