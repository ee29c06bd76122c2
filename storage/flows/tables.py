"""Agents of others, as they registered and last reported."""

from sqlalchemy import Column, Integer, String, Table

from storage.core.columns import Json, Moment, Name, database_moment, metadata

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
