"""What every table shares: one metadata, names for constraints, the column types in use."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, MetaData, String, text
from sqlalchemy.dialects.postgresql import JSON, JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    },
)

Moment = DateTime(timezone=True)
Name = String(32)
TimedName = String(32, collation="C")
"""An id that begins with its time and tells the month of its row: compared byte by byte, in whatever language."""
Json = JSONB(none_as_null=True)
WrittenJson = JSON(none_as_null=True)
"""JSON that keeps the order in which it was written, for people read it so; nothing looks into it in SQL."""

NEW_TRACE = "replace(CAST(gen_random_uuid() AS text), '-', '')"
"""In SQL: the id of a trace that begins here."""


def business_moment(name: str) -> "Column[object]":
    """A column that says when something happened in the life of an order, on the business clock."""
    return Column(name, Moment, nullable=False, server_default=text("business_now()"))


def database_moment(name: str) -> "Column[object]":
    """A column that says when a row was written, on the database's clock."""
    return Column(name, Moment, nullable=False, server_default=text("clock_timestamp()"))


def trace_of() -> "Column[object]":
    """A column that tells to which trace a row belongs; one that names none begins a trace of its own."""
    return Column("trace_id", Name, nullable=False, server_default=text(NEW_TRACE))


def position() -> "Column[int]":
    """The order in which rows were written; ids made by a machine whose clock is off do not tell it."""
    return Column("position", BigInteger, Identity(always=True), nullable=False)
