"""Agents of others, as they registered and last reported."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, String, Table

from statemachine.workflow.agent_states import AgentState
from statemachine.workflow.states import literals
from storage.core.columns import Json, Moment, Name, database_moment, metadata

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
