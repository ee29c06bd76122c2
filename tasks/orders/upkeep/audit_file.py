"""The audit trail as a file of JSON lines, which can be checked without the database (docs/audit.md)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from storage.access.seals import Seal, SealedRow
from storage.core.bulk import dump_json
from tasks.orders.upkeep.audit_check import ChainHead, Check


class UnreadableExport(Exception):
    """The file is no export of the audit trail; the message names the line."""


class _Part(BaseModel):
    model_config = ConfigDict(val_json_bytes="hex", frozen=True, extra="forbid")


class _Heading(_Part):
    version: Literal[1]
    whole: bool


class _Seal(_Part):
    seal_id: int
    table_name: str
    first_position: int
    last_position: int
    rows: int
    rows_digest: bytes
    marks: bytes
    previous: bytes
    digest: bytes
    sealed_at: datetime


class _Row(_Part):
    table_name: str
    key: str
    position: int
    facts: dict[str, str | None]
    content: dict[str, str | None]
    body: str
    salt: bytes | None
    erased: bytes | None


class _End(_Part):
    seals: int
    rows: int


class _Line(_Part):
    """One line: one of these."""

    audit: _Heading | None = None
    seal: _Seal | None = None
    row: _Row | None = None
    unsealed: _Row | None = None
    end: _End | None = None


_HEADING: Final = "it does not begin as an export of the audit trail does"


def lines_of(
    chain: Iterable[tuple[Seal, list[SealedRow]]], unsealed: Iterable[SealedRow], *, whole: bool
) -> Iterator[str]:
    """The lines of an export: a heading, each seal and then its rows, the rows without one, and an end."""
    yield dump_json({"audit": {"version": 1, "whole": whole}})
    seals = rows = 0
    for seal, within in chain:
        seals, rows = seals + 1, rows + len(within)
        yield dump_json({"seal": seal})
        yield from (dump_json({"row": row}) for row in within)
    for row in unsealed:
        rows += 1
        yield dump_json({"unsealed": row})
    yield dump_json({"end": {"seals": seals, "rows": rows}})


def checked(lines: Iterable[str], expected: ChainHead | None) -> tuple[Check, int]:
    """What a check of an export finds, and how many of its rows are not sealed.

    Raises:
        UnreadableExport: it is none, or it was cut off.
    """
    given = enumerate(lines, start=1)
    heading = next((_read(line, number) for number, line in given), _Line()).audit
    if heading is None:
        raise UnreadableExport(_HEADING)
    check = Check(expected, whole=heading.whole)
    reading = _Reading(given)
    check.go_through(reading.chain())
    check.end(reading.unsealed)
    return check, len(reading.unsealed)


class _Reading:
    """Puts the lines of an export together again."""

    def __init__(self, given: Iterator[tuple[int, str]]) -> None:
        self._given = given
        self.unsealed: list[SealedRow] = []

    def chain(self) -> Iterator[tuple[Seal, list[SealedRow]]]:
        seal: Seal | None = None
        rows: list[SealedRow] = []
        seals = found = 0
        for number, text in self._given:
            line = _read(text, number)
            found += line.row is not None or line.unsealed is not None
            if line.row is not None and seal is not None:
                rows.append(SealedRow(**dict(line.row)))
                continue
            if seal is not None:
                yield seal, rows
                seal, rows = None, []
            if line.seal is not None:
                seals, seal = seals + 1, Seal(**dict(line.seal))
            elif line.unsealed is not None:
                self.unsealed.append(SealedRow(**dict(line.unsealed)))
            elif line.end is not None and (line.end.seals, line.end.rows) == (seals, found):
                return
            else:
                raise UnreadableExport(f"line {number} is not what follows there")
        raise UnreadableExport("it was cut off: its last line is missing")


def _read(line: str, number: int) -> _Line:
    try:
        return _Line.model_validate_json(line)
    except ValidationError as error:
        raise UnreadableExport(f"line {number} is no line of an export of the audit trail") from error
