"""General work: agents of others, HTTP requests that are made once or called back, and reports."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, String, Table, Text

from statemachine.workflow.agent_states import AgentState
from statemachine.workflow.states import literals
from storage.core.columns import Json, Moment, Name, business_moment, database_moment, metadata

agents = Table(
    "agents",
    metadata,
    Column("agent_id", String(64), primary_key=True),
    Column("name", String(64)),
    Column("role", Name, nullable=False),
    Column("registered_by", Name, nullable=False),
    Column("capabilities", Json, nullable=False, server_default="[]"),
    Column("most_at_once", Integer, nullable=False, server_default="1"),
    database_moment("registered_at"),
    Column("heartbeat_at", Moment),
    # What it was told or has said; how it stands is seen from this, what it holds, and when it reported.
    Column("status", String(16), nullable=False, server_default=AgentState.ACTIVE.value),
    Column("working_on", Integer, nullable=False, server_default="0"),
    # Steps it was ever given.
    Column("assigned", BigInteger, nullable=False, server_default="0"),
    Column("metadata", Json, nullable=False, server_default="{}"),
    CheckConstraint(f"status IN ({literals(AgentState)})", name="status"),
)

http_requests = Table(
    "http_requests",
    metadata,
    Column("step_id", BigInteger, primary_key=True),
    Column("delivery", Integer, primary_key=True),
    Column("run_id", Name, nullable=False),
    # Which try of the step it is; a try that is delivered again has a row for each delivery that sent something.
    Column("tries", Integer, nullable=False),
    # `sending` is committed before anything leaves, and stays where nobody knows what became of it.
    Column("state", String(16), nullable=False, server_default="sending"),
    # SHA-256 of the end of its callback address.
    Column("token_hash", LargeBinary, unique=True),
    # Both encrypted.
    Column("answer", LargeBinary),
    Column("callback", LargeBinary),
    database_moment("created_at"),
    CheckConstraint("state IN ('sending', 'answered', 'unsent')", name="state"),
    Index("ix_http_requests_run_id", "run_id"),
)

reports = Table(
    "reports",
    metadata,
    Column("report_id", Name, primary_key=True),
    Column("run_id", Name, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    business_moment("created_at"),
    Index("ix_reports_run_id", "run_id"),
)
