"""Inserting many rows with one statement: arrays in, rows out of `unnest`, one round trip whatever the number."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    Numeric,
    Row,
    SmallInteger,
    Table,
    TextClause,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

_ARRAY_TYPES: tuple[tuple[type[TypeEngine[object]], str, str], ...] = (
    (BigInteger, "bigint", ""),
    (SmallInteger, "smallint", ""),
    (Integer, "integer", ""),
    (Boolean, "boolean", ""),
    (Double, "double precision", ""),
    (Numeric, "numeric", ""),
    (LargeBinary, "bytea", ""),
    (DateTime, "timestamptz", ""),
    (JSONB, "text", "::jsonb"),
)


def dump_json(value: object) -> str:
    """JSON as it is stored: moments in ISO 8601, Chinese as Chinese."""
    return json.dumps(value, ensure_ascii=False, default=_plain, separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(f"a {type(value).__name__} cannot be stored as JSON")


def column_cast(table: Table, column: str) -> tuple[str, str]:
    """The array element type a column's values travel in, and the cast they need on arrival."""
    kind = table.c[column].type
    for python_type, array_type, cast in _ARRAY_TYPES:
        if isinstance(kind, python_type):
            return array_type, cast
    return "text", ""


class BulkInsert:
    """One `INSERT … SELECT FROM unnest(…)` for a table and some of its columns."""

    def __init__(
        self,
        table: Table,
        columns: tuple[str, ...],
        *,
        stamped: str = "",
        on_conflict: str = "",
        returning: str = "",
    ) -> None:
        """Prepare the statement; `stamped` names a column that gets the business time, read once for all rows."""
        casts = [column_cast(table, column) for column in columns]
        arrays = ", ".join(f"CAST(:{c} AS {kind}[])" for c, (kind, _) in zip(columns, casts, strict=True))
        values = ", ".join(f"r.{c}{cast}" for c, (_, cast) in zip(columns, casts, strict=True))
        self._columns = columns
        self._json = frozenset(c for c, (_, cast) in zip(columns, casts, strict=True) if cast)
        self._statement: TextClause = text(
            f"INSERT INTO {table.name} ({', '.join(columns)}{', ' + stamped if stamped else ''}) "
            f"SELECT {values}{', (SELECT business_now())' if stamped else ''} "
            f"FROM unnest({arrays}) WITH ORDINALITY AS r({', '.join(columns)}, nth) ORDER BY r.nth"
            + (f" ON CONFLICT {on_conflict} DO NOTHING" if on_conflict else "")
            + (f" RETURNING {returning}" if returning else ""),
        )
        self._returns = bool(returning)

    def __call__(
        self, connection: Connection, rows: Sequence[Sequence[object]]
    ) -> Sequence[Row[tuple[object, ...]]]:
        """Insert the rows, each a tuple in the order of the columns; what `returning` names comes back."""
        if not rows:
            return ()
        parameters = {
            column: [dump_json(value) for value in values] if column in self._json else list(values)
            for column, values in zip(self._columns, zip(*rows, strict=True), strict=True)
        }
        result = connection.execute(self._statement, parameters)
        return result.all() if self._returns else ()
