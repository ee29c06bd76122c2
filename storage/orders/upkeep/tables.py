"""What upkeep keeps: how far a round of retention has come."""

from sqlalchemy import BigInteger, Column, Table

from storage.core.columns import Name, metadata

retention_cursors = Table(
    "retention_cursors",
    metadata,
    Column("kind", Name, primary_key=True),
    Column("table_name", Name, primary_key=True),
    # The first block of the table that the round has not passed.
    Column("block", BigInteger, nullable=False, server_default="0"),
    Column("removed", BigInteger, nullable=False, server_default="0"),
)
