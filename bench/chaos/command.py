"""`unpend chaos`: strikes a fleet of its own with faults, and says whether the law held."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

if TYPE_CHECKING:
    from bench.chaos.run import ChaosResult, ChaosRun

_ORDERS_A_MINUTE: Final = 100
_KILLS_A_MINUTE: Final = 5
_INTERRUPTED: Final = 130

application = typer.Typer(
    name="chaos",
    help="Strike a fleet of its own with faults while orders come in, and check what it did.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@application.command()
def chaos(
    *,
    seed: Annotated[
        int, typer.Option(help="Draws the orders and the faults: the same seed, the same plan.")
    ] = 1,
    minutes: Annotated[float, typer.Option(min=0.2, help="How long faults are made.")] = 2.0,
    orders: Annotated[
        int | None, typer.Option(min=1, help="Orders that are sent in that time; 100 a minute.")
    ] = None,
    kills: Annotated[
        int | None, typer.Option(min=0, help="Processes that are killed at least; 5 a minute.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the data folder; one of a broken law is kept anyway.")
    ] = False,
    journal: Annotated[
        Path | None, typer.Option(help="Where the faults are written, a line each; in the data folder.")
    ] = None,
) -> None:
    """Send orders through every entry point under kills, restarts, lost messages and wrong clocks; then check.

    Exit code 0: nothing was lost, nobody was contacted twice, every rule held; 1: a rule was broken, and is named.
    """
    from bench.chaos.faults.journal import Journal
    from bench.chaos.report import ChaosScreen, is_kept, print_result
    from bench.chaos.run import ChaosOptions, ChaosRun

    console = Console(highlight=False)
    options = ChaosOptions(
        seed=seed,
        seconds=minutes * 60,
        orders=orders if orders is not None else max(round(minutes * _ORDERS_A_MINUTE), 1),
        kills=kills if kills is not None else round(minutes * _KILLS_A_MINUTE),
    )
    folder = Path(tempfile.mkdtemp(prefix="unpend-chaos-"))
    console.print(f"seed {seed}: {options.orders} orders in {minutes:g} min; {folder}", soft_wrap=True)
    written = journal or folder / "journal.jsonl"
    with ChaosScreen(console, options) as screen:
        run = ChaosRun(options, folder, screen.show, Journal(written))
        result = _carried_out(run)
    if result is not None:
        print_result(console, options, result)
    if keep or (result is not None and not is_kept(result)):
        console.print(f"kept: {', '.join(run.places())}", soft_wrap=True)
    else:
        run.remove()
        shutil.rmtree(folder, ignore_errors=True)
    if result is None:
        console.print("stopped before the end; nothing was judged")
        raise typer.Exit(_INTERRUPTED)
    raise typer.Exit(0 if is_kept(result) else 1)


def _carried_out(run: ChaosRun) -> ChaosResult | None:
    """What came of the run; `None` when it was told to stop. While it starts, that interrupts the start."""
    stopped = threading.Event()

    def stop(*_: object) -> None:
        stopped.set()
        if not run.is_under_way:
            raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    previous = {number: signal.signal(number, stop) for number in numbers}
    try:
        return run.run(stopped)
    except KeyboardInterrupt:
        return None
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
