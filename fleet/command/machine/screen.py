"""What `unpend up` shows: the start, the orders' live progress, the summary, the addresses, the end."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final, cast

from rich.console import Console
from rich.live import Live
from rich.table import Table

from fleet.command.machine.terminal import Terminal
from fleet.demonstration import FIRST_MORNING, SampleProgress, summary
from statemachine.orders.states import State
from storage.orders.fleet_view import OrderStatus

_EVERY_TTY: Final = 0.2
_EVERY_LINE: Final = 5.0


class Screen:
    """A terminal gets a live table; a pipe gets a line every few seconds; `quiet` gets neither."""

    def __init__(self, terminal: Terminal, *, quiet: bool) -> None:
        self._terminal = terminal
        self._console = Console(
            file=cast("IO[str]", terminal), highlight=False, soft_wrap=not terminal.isatty()
        )
        self._quiet = quiet
        self._live: Live | None = None
        self._began = time.monotonic()
        self._ready_after = 0.0
        self._shown = 0.0

    def starting(self, data_dir: Path) -> None:
        """Say that the fleet is on its way."""
        self._print(f"unpend: starting the fleet in {data_dir} …")

    def ready(self, document: Mapping[str, Any]) -> None:
        """Say where everything is."""
        self._ready_after = time.monotonic() - self._began
        self._print(f"unpend: ready after {self._ready_after:.1f} s")
        self._addresses(document)

    def progress(self, progress: SampleProgress) -> None:
        """Show how far the orders have come."""
        if self._quiet or progress.total == 0:
            return
        now, is_tty = time.monotonic(), self._terminal.isatty()
        if now - self._shown < (_EVERY_TTY if is_tty else _EVERY_LINE):
            return
        self._shown = now
        if not is_tty:
            states = ", ".join(
                f"{state} {progress.states[state]}" for state in State if progress.states[state]
            )
            day = f"{_local(progress.business_now):%a %Y-%m-%d %H:%M}"
            self._print(f"  {day}  settled {progress.settled}/{progress.total}  ({states})")
            return
        if self._live is None:
            self._live = Live(console=self._console, transient=True, refresh_per_second=8)
            self._live.start()
        self._live.update(_table(progress))

    def summary(self, statuses: Sequence[OrderStatus], business_now: datetime) -> None:
        """Sum up what became of every order, and why."""
        self._end_live()
        if self._quiet or not statuses:
            return
        seconds = time.monotonic() - self._began - self._ready_after
        table = Table(
            title=f"{len(statuses)} orders, {seconds:.0f} s after ready, "
            f"business clock {_local(business_now):%a %Y-%m-%d %H:%M}",
            title_justify="left",
        )
        table.add_column("outcome")
        table.add_column("reason")
        table.add_column("orders", justify="right")
        table.add_column("which", overflow="fold")
        for outcome, reason, ids in summary(statuses):
            table.add_row(outcome, reason, str(len(ids)), " ".join(_short(ids)))
        self._console.print(table)
        self._print("The fleet stays up. Ctrl-C stops it; the next run goes on from here.")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._end_live()
        self._print("unpend: stopping …")
        self._stop_began = time.monotonic()

    def stopped(self) -> None:
        """Say that nothing is left running."""
        self._print(
            f"unpend: stopped in {time.monotonic() - self._stop_began:.1f} s; the data stay where they are"
        )

    def _addresses(self, document: Mapping[str, Any]) -> None:
        self._print(f'  console  {document["console"]}/   (people to log in as: "logins" in run.json)')
        self._print(f"  API      {document['api']}   (keys: run.json in the data folder)")
        self._print(f"  API docs {document['api'].removesuffix('/v1')}/v1/openapi.json")
        self._print(f"  metrics  {document['metrics']}")
        self._print(f"  Flower   {document['flower']}   (user operator, password: run.json)")

    def _end_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False)


def _table(progress: SampleProgress) -> Table:
    table = Table(
        title=f"business clock {_local(progress.business_now):%a %Y-%m-%d %H:%M}", title_justify="left"
    )
    for state in State:
        table.add_column(state.value, justify="right")
    table.add_column("settled", justify="right")
    table.add_row(*(str(progress.states[state]) for state in State), f"{progress.settled}/{progress.total}")
    return table


def _short(ids: Sequence[str]) -> list[str]:
    """Task ids without the start that all of them share, after the first."""
    if len(ids) < 2:  # noqa: PLR2004 - one has nothing to share
        return list(ids)
    return [ids[0], *(f"…{task_id[-3:]}" if task_id[:-3] == ids[0][:-3] else task_id for task_id in ids[1:])]


def _local(moment: datetime) -> datetime:
    return moment.astimezone(FIRST_MORNING.tzinfo)
