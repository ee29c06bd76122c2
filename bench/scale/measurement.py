"""Measures how the cost of each read grows with the number of orders."""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.fleet import measured_fleet
from bench.scale.filling import Filling
from bench.scale.patterns import carry
from bench.scale.plans import Read, buffers, plan, statements
from bench.scale.reads import reads
from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from tasks.orders.upkeep.counting import count

_console = Console(highlight=False, width=160)

_SIZES: Final = (10_000, 100_000, 1_000_000)
_LONGEST_COUNT: Final = 7200.0
_FLAT: Final = 2.0
"""Growth of blocks from size to size up to which a read is flat: an index grows by a level, a window fills."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a read costs: milliseconds the second time, and blocks of 8 kB that PostgreSQL looked at."""

    milliseconds: float
    blocks: int


def measure(orders: Sequence[int], per_day: int) -> None:
    """Fill a database to each of these sizes, measure each read at each, and print the figures."""
    sizes = sorted(orders or _SIZES)
    _console.print(
        f"{', '.join(f'{size:,}' for size in sizes)} orders: 60 % closed, 30 % waiting for a follow-up, 5 % for a "
        f"call, 5 % in review; {per_day:,} came in on a day. Milliseconds and blocks of 8 kB."
    )
    with measured_fleet("http") as fleet:
        shares = carry(fleet)
        with fleet.agents_paused(), fleet.owner_database() as database:
            filling = Filling(database, shares, per_day=per_day)
            measured: dict[int, dict[str, Cost]] = {}
            wanted = reads(tuple(fleet.process.engine.queues), shares[0].task_ids[0])
            for size in sizes:
                began = time.perf_counter()
                filling.up_to(size)
                there = time.perf_counter()
                count(database, seconds=_LONGEST_COUNT)
                filling.tidy()
                counted = time.perf_counter()
                _console.print(
                    f"  {size:,} orders are there after {there - began:.0f} s, counted after {counted - there:.0f} s"
                )
                measured[size] = {name: _cost(database, read) for name, read in wanted.items()}
    _print(sizes, measured)


def _cost(database: Database, read: Read) -> Cost:
    """Read twice, so that the blocks are in memory, and ask for the plans; what was written is undone."""
    with _undone(database) as work:
        sent = statements(work, read)
        began = time.perf_counter()
        read(work)
        milliseconds = (time.perf_counter() - began) * 1000
    with _undone(database) as work:
        return Cost(milliseconds, buffers([plan(work, one, carried_out=True) for one in sent]))


@contextmanager
def _undone(database: Database) -> Iterator[UnitOfWork]:
    with database.transaction() as work:
        work.connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        yield work
        work.connection.rollback()


def _print(sizes: Sequence[int], measured: Mapping[int, Mapping[str, Cost]]) -> None:
    table = Table()
    table.add_column("read", no_wrap=True)
    for size in sizes:
        table.add_column(f"{size:,}: ms", justify="right")
        table.add_column("blocks", justify="right")
    for former, size in itertools.pairwise(sizes):
        table.add_column(f"× {former:,} → {size:,}", justify="right")
    for name in measured[sizes[0]]:
        costs = [measured[size][name] for size in sizes]
        growth = [later.blocks / max(earlier.blocks, 1) for earlier, later in itertools.pairwise(costs)]
        table.add_row(
            name,
            *(text for cost in costs for text in (f"{cost.milliseconds:.1f}", f"{cost.blocks:,}")),
            *(f"{times:.1f}{'' if times <= _FLAT else ' ↑'}" for times in growth),
        )
    _console.print(table)
