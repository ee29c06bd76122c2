"""`unpend bench`: measures the speed of a fleet on this machine, with its own fleet in its own folder."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from bench.api_command import bench_api
from bench.console.command import bench_console
from bench.peers.command import bench_peers
from bench.scale.command import bench_scale
from bench.workflows.command import bench_workflows

if TYPE_CHECKING:
    from bench.fleet import MeasuredFleet

_console = Console(highlight=False)


class _Measurements(TyperGroup):
    """What can be measured; the fleet itself unless something else is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments."""
        named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["fleet", *args])


application = typer.Typer(
    cls=_Measurements,
    name="bench",
    help="Measure how fast a fleet on this machine is; `fleet` unless another measurement is named.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
application.command("api")(bench_api)
application.command("console")(bench_console)
application.command("peers")(bench_peers)
application.command("scale")(bench_scale)
application.command("workflows")(bench_workflows)


@application.command("fleet")
def bench(
    *,
    orders: Annotated[
        int, typer.Option(min=100, help="Orders a throughput run carries to their end.")
    ] = 5000,
    runs: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 3,
    due: Annotated[
        int, typer.Option(min=0, help="Follow-ups that are due at one moment; 0 leaves them out.")
    ] = 10_000,
    http: Annotated[bool, typer.Option(help="Also through the simulated customer's HTTP.")] = True,
) -> None:
    """Measure workflows a second, the hand-over between steps, how late follow-ups are, and intake, and the CPU use."""
    from bench.fleet import measured_fleet
    from bench.handover import handovers
    from bench.lateness import followups

    _console.print(
        f"{orders} orders a run, {runs} runs; whole pending_task workflows, durable steps, audit, real triage; "
        "contact policy always_open"
    )
    with measured_fleet("instant") as fleet:
        _handover(handovers(fleet, orders=60))
        _figures("workflows/s, channel within the process", fleet, orders, runs)
        if due:
            for line in followups(fleet, due).lines:
                _console.print(line)
        _intake(fleet, orders * 2, runs)
    if http:
        with measured_fleet("http") as fleet:
            _figures("workflows/s, through the simulated customer's HTTP", fleet, max(orders // 5, 100), runs)


def _handover(seconds: Sequence[float]) -> None:
    ordered = sorted(seconds)
    last = ordered[min(len(ordered) - 1, round(len(ordered) * 0.99))]
    _console.print(
        f"hand-over at light load, one step's end to the next one's start: median "
        f"{statistics.median(ordered) * 1000:.1f} ms, P99 {last * 1000:.1f} ms, {len(ordered)} hand-overs"
    )


def _figures(title: str, fleet: MeasuredFleet, orders: int, runs: int) -> None:
    from bench.cpu_shares import CpuShares
    from bench.throughput import workflows

    rates = []
    shares = CpuShares(fleet.parts())
    for _ in range(runs):
        rates.append(workflows(fleet, orders))
        _console.print(f"  {title}: {rates[-1]:.0f}")
    _console.print(
        f"{title}: median {statistics.median(rates):.0f}, from {min(rates):.0f} to {max(rates):.0f}"
    )
    table = Table(title="CPU by part while they ran", title_justify="left")
    for heading in ("part", "CPU seconds", "share", "ms an order"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    for part, seconds, share in shares.spent():
        if share >= _SHOWN:
            table.add_row(part, f"{seconds:.1f}", f"{share:.0%}", f"{seconds / orders / runs * 1000:.2f}")
    _console.print(table)


_SHOWN = 0.005


def _intake(fleet: MeasuredFleet, orders: int, runs: int) -> None:
    """With the agents held still, so that it is intake alone that is measured."""
    from bench.throughput import accept_only, stream_intake

    with fleet.agents_paused():
        for title, measure in (
            ("orders/s accepted by one process", accept_only),
            ("orders/s through the stream", stream_intake),
        ):
            rates = [measure(fleet, orders) for _ in range(runs)]
            _console.print(
                f"{title}: median {statistics.median(rates):.0f}, from {min(rates):.0f} to {max(rates):.0f}"
            )
