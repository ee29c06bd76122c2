"""Seals over the rows of history tables: one chain, each seal over a range of one table.

Rows become visible when their transaction commits, not in the order of their positions. So a range is sealed only
once nobody who was writing to the table when its last row was seen is still at it: their locks tell, which they take
before they are given a position and keep to the end of their transaction. Nobody waits for a seal.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Row, text

from storage.core.row_digest import SealedTable, content_digest, framed, row_digest
from storage.core.unit_of_work import Repository

GENESIS: Final = bytes(32)
"""What the first seal names as the one before it."""
MARK_BYTES: Final = 4

# In one statement: where another seals between two, a range would be sealed twice.
_PLACE: Final = text(
    """
    SELECT last.seal_id, last.digest,
        (SELECT coalesce(max(last_position), 0) FROM audit_seals WHERE table_name = :table_name) AS after
    FROM (VALUES (1)) one LEFT JOIN (SELECT seal_id, digest FROM audit_seals ORDER BY seal_id DESC LIMIT 1) last ON true
    """
)
_SEALED_UP_TO: Final = text(
    "SELECT coalesce(max(last_position), 0) FROM audit_seals WHERE table_name = :table_name"
)
_INSERT: Final = text(
    """
    INSERT INTO audit_seals (seal_id, table_name, first_position, last_position, rows, rows_digest, marks, previous,
        digest, sealed_at)
    VALUES (:seal_id, :table_name, :first_position, :last_position, :rows, :rows_digest, :marks, :previous, :digest,
        :sealed_at)
    ON CONFLICT DO NOTHING
    """
)
_FIELDS: Final = (
    "seal_id, table_name, first_position, last_position, "
    "rows, rows_digest, marks, previous, digest, sealed_at"
)
_SEALS: Final = text(f"SELECT {_FIELDS} FROM audit_seals WHERE seal_id > :after ORDER BY seal_id LIMIT :most")
_NUMBERED: Final = text(f"SELECT {_FIELDS} FROM audit_seals WHERE seal_id = ANY(:ids) ORDER BY seal_id")
_BETWEEN: Final = text(
    "SELECT seal_id FROM audit_seals WHERE table_name = :table_name AND last_position >= :first "
    "AND first_position <= :last ORDER BY seal_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A range of a table and what it held; its digest covers all of it and the seal before."""

    seal_id: int
    table_name: str
    first_position: int
    last_position: int
    rows: int
    rows_digest: bytes
    marks: bytes
    """The first bytes of each row's digest; they only help to find a row, and are no part of the digest."""
    previous: bytes
    sealed_at: datetime
    digest: bytes = b""
    """As it is stored."""

    def computed(self) -> bytes:
        """The digest that this seal must have: over the one before it, what it seals, and when."""
        told = (
            self.previous.hex(),
            self.seal_id,
            self.table_name,
            self.first_position,
            self.last_position,
            self.rows,
            self.rows_digest.hex(),
            self.sealed_at.astimezone(UTC).isoformat(timespec="microseconds"),
        )
        return hashlib.sha256(framed([str(value) for value in told])).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRow:
    """A row as its digest reads it: every value as text.

    Attributes:
        content: What may be erased, by column; what is left of it where it was.
        salt: `None` where the content was erased.
        erased: The hash of the content that was erased.
    """

    table_name: str
    key: str
    position: int
    facts: dict[str, str | None]
    content: dict[str, str | None]
    body: str
    salt: bytes | None
    erased: bytes | None

    def digest(self) -> bytes:
        """The digest that these values have; a row with neither salt nor hash has none that fits."""
        of_content = self.erased
        if of_content is None:
            of_content = content_digest(self.salt or b"", [*self.content.values()], self.body)
        return row_digest([*self.facts.values()], of_content)


@dataclass(frozen=True, slots=True)
class Seals(Repository):
    """The only code that writes `audit_seals`."""

    def sealed_up_to(self, table: SealedTable) -> int:
        """The position up to which a table is sealed."""
        return int(self.connection.execute(_SEALED_UP_TO, {"table_name": table.name}).scalar_one())

    def oldest_unsealed_seconds(self, table: SealedTable) -> float:
        """How long the oldest row that no seal covers has been written; 0 where there is none."""
        found = self.connection.execute(
            text(
                f"SELECT coalesce(extract(epoch FROM clock_timestamp() - (SELECT {table.written} FROM {table.name} "
                f"WHERE {table.position} > (SELECT coalesce(max(last_position), 0) FROM audit_seals "
                f"WHERE table_name = :table_name) ORDER BY {table.position} LIMIT 1)), 0)"
            ),
            {"table_name": table.name},
        )
        return max(0.0, float(found.scalar_one()))

    def seal(self, table: SealedTable, *, up_to: int, most: int) -> int:
        """Seal the next rows of a table, up to a position and so many at most; how many there were.

        Where somebody else seals at the same moment one of the two is the next of the chain, and the other nothing.
        """
        place = self.connection.execute(_PLACE, {"table_name": table.name}).one()
        part = self.connection.execute(
            text(
                f"""
                SELECT count(*) AS rows, max(position) AS last, clock_timestamp() AS now,
                    sha256(string_agg(digest, '' ORDER BY position)) AS rows_digest,
                    string_agg(substring(digest FROM 1 FOR {MARK_BYTES}), '' ORDER BY position) AS marks
                FROM (SELECT {table.position} AS position, digest FROM {table.name}
                    WHERE {table.position} > :after AND {table.position} <= :up_to
                    ORDER BY {table.position} LIMIT :most) AS part
                """
            ),
            {"after": place.after, "up_to": up_to, "most": most},
        ).one()
        if not part.rows:
            return 0
        made = Seal(
            seal_id=1 if place.seal_id is None else place.seal_id + 1,
            table_name=table.name,
            first_position=place.after + 1,
            last_position=part.last,
            rows=part.rows,
            rows_digest=bytes(part.rows_digest),
            marks=bytes(part.marks),
            previous=GENESIS if place.seal_id is None else bytes(place.digest),
            sealed_at=part.now,
        )
        written = self.connection.execute(_INSERT, asdict(made) | {"digest": made.computed()})
        return part.rows if written.rowcount else 0

    def after(self, seal_id: int, *, most: int) -> Sequence[Seal]:
        """The seals that follow one of this number, in order."""
        return [_seal(row) for row in self.connection.execute(_SEALS, {"after": seal_id, "most": most})]

    def numbered(self, seal_ids: Sequence[int]) -> Iterator[Seal]:
        """The seals of these numbers, in order."""
        return map(_seal, self.connection.execute(_NUMBERED, {"ids": list(seal_ids)}))

    def between(self, table: SealedTable, first: int, last: int) -> Sequence[int]:
        """The numbers of the seals whose ranges hold any position between two, in order."""
        within = {"table_name": table.name, "first": first, "last": last}
        return self.connection.execute(_BETWEEN, within).scalars().all()

    def rows(self, table: SealedTable, first: int, last: int) -> list[SealedRow]:
        """The rows of a table from one position to another, in order."""
        columns = ", ".join(
            f'{table.as_text(column)} AS "{column}"' for column in (*table.facts, *table.content, table.body)
        )
        found = self.connection.execute(
            text(
                f"SELECT {columns}, salt, content_digest FROM {table.name} WHERE {table.position} "
                f"BETWEEN :first AND :last ORDER BY {table.name}.{table.position}"
            ),
            {"first": first, "last": last},
        )
        return [_row(table, row) for row in found]


def _seal(row: Row[tuple[object, ...]]) -> Seal:
    value = dict(row._mapping)
    for column in ("rows_digest", "marks", "previous", "digest"):
        value[column] = bytes(value[column])
    return Seal(**value)


def _row(table: SealedTable, row: Row[tuple[object, ...]]) -> SealedRow:
    value = row._mapping
    return SealedRow(
        table_name=table.name,
        key=value[table.key],
        position=int(value[table.position]),
        facts={column: value[column] for column in table.facts},
        content={column: value[column] for column in table.content},
        body=value[table.body],
        salt=None if row.salt is None else bytes(row.salt),
        erased=None if row.content_digest is None else bytes(row.content_digest),
    )
