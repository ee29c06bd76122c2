"""Records the statements of a read, and asks PostgreSQL how it carries them out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import event

from storage.core.unit_of_work import UnitOfWork

Read = Callable[[UnitOfWork], object]
"""A call of a repository."""

Plan = dict[str, Any]
"""A node of a plan as PostgreSQL writes it in JSON."""

_ASKED: Final = "EXPLAIN (FORMAT JSON) "
_MEASURED: Final = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) "


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was sent, with its values."""

    sql: str
    values: Any


def statements(work: UnitOfWork, read: Read) -> list[Statement]:
    """Do a read, and return what it sent."""
    found: list[Statement] = []

    def note(_: object, __: object, sql: str, values: Any, *___: object) -> None:
        found.append(Statement(sql, values))

    event.listen(work.connection, "before_cursor_execute", note)
    try:
        read(work)
    finally:
        event.remove(work.connection, "before_cursor_execute", note)
    return found


def plan(work: UnitOfWork, statement: Statement, *, carried_out: bool = False) -> Plan:
    """The plan of a statement; carried out, with the rows and blocks that it needed."""
    asked = _MEASURED if carried_out else _ASKED
    answer = work.connection.exec_driver_sql(asked + statement.sql, statement.values).scalar_one()
    found: Plan = answer[0]["Plan"]
    return found


def nodes(root: Plan) -> Iterator[Plan]:
    """Every node of a plan, the outermost first."""
    yield root
    for child in root.get("Plans", ()):
        yield from nodes(child)


def buffers(plans: Sequence[Plan]) -> int:
    """The blocks that plans which were carried out looked at."""
    return sum(found["Shared Hit Blocks"] + found["Shared Read Blocks"] for found in plans)
