"""What has been counted so far, and how far each feed has been read."""

from sqlalchemy import BigInteger, Column, Numeric, String, Table

from storage.core.columns import Json, Name, metadata

figures = Table(
    "figures",
    metadata,
    Column("name", Name, primary_key=True),
    Column("labelled", String(64), primary_key=True),
    Column("value", Numeric, nullable=False),
    postgresql_with={"fillfactor": "50"},
)

figure_feeds = Table(
    "figure_feeds",
    metadata,
    Column("feed", Name, primary_key=True),
    # The last row of the feed that was counted, and the last of those to be looked at again that was.
    Column("place", BigInteger, nullable=False, server_default="0"),
    Column("again", BigInteger, nullable=False, server_default="0"),
    # Where the walk over open orders is.
    Column("walked", String(96), nullable=False, server_default=""),
    postgresql_with={"fillfactor": "50"},
)

# Rows that change yet: what was counted of each.
figure_pending = Table(
    "figure_pending",
    metadata,
    Column("feed", Name, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("counted", Json, nullable=False),
)
