"""`unpend bench api`: measures how fast the API answers while the fleet works, and how fast it takes batches."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from bench.latency import Answers, percentile

if TYPE_CHECKING:
    from bench.api_run import LoadRun
    from bench.batch_load import BatchRun
    from bench.fleet import MeasuredFleet

_console = Console(highlight=False)

_WARM_UP_SECONDS: Final = 5.0
_KNOWN: Final = 1000
"""Orders that are there before the first request, for `status` to ask after."""
_SHOWN: Final = 0.02
_ROUTES: Final = ("tasks/start", "status")


def bench_api(
    *,
    rate: Annotated[float, typer.Option(min=1, help="Requests a second, half of each route.")] = 200.0,
    seconds: Annotated[float, typer.Option(min=1, help="How long a run takes.")] = 30.0,
    runs: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 3,
    fleet_rate: Annotated[
        float, typer.Option("--workflows", min=0, help="Orders a second through the stream meanwhile.")
    ] = 50.0,
    orders: Annotated[int, typer.Option(min=0, help="Orders a run of batches sends; 0 for none.")] = 20_000,
) -> None:
    """Measure how long requests take under an open load while the fleet works, then `tasks/batch` alone."""
    from bench.api_run import known_orders, open_load
    from bench.fleet import measured_fleet
    from bench.throughput import workflows

    _console.print(
        f"{rate:g} requests/s for {seconds:g} s, {runs} runs; half tasks/start with new orders, half status; "
        f"{fleet_rate:g} orders/s through the stream meanwhile. Requests come as a Poisson process; a "
        "request's time counts from when it was due."
    )
    with measured_fleet("instant") as fleet:
        workflows(fleet, _KNOWN)
        known = known_orders(fleet, _KNOWN)
        open_load(fleet, rate=rate, seconds=_WARM_UP_SECONDS, workflows=fleet_rate, seed=0, known=known)
        made = []
        for number in range(1, runs + 1):
            run = open_load(fleet, rate=rate, seconds=seconds, workflows=fleet_rate, seed=number, known=known)
            _print_run(number, run)
            made.append(run)
        _print_spread(made)
        _print_shares(made)
        if orders:
            _print_batches(fleet, orders, runs)


def _of_routes(run: LoadRun) -> tuple[tuple[str, Answers], ...]:
    return tuple(zip(_ROUTES, (run.report.start, run.report.status), strict=True))


def _print_run(number: int, run: LoadRun) -> None:
    report = run.report
    lag = percentile(sorted(report.lag_seconds), 0.99) * 1000
    _console.print(
        f"run {number}: {run.requests / report.took_seconds:.0f} requests/s, {run.workflows:.0f} workflows/s, "
        f"{run.api_seconds / run.requests * 1000:.2f} ms of the API's CPU a request; the load itself took "
        f"{report.cpu_seconds / report.took_seconds:.0%} of a core and sent late by {lag:.1f} ms at P99"
    )
    for route, answers in _of_routes(run):
        p50, p95, p99, longest = answers.milliseconds()
        _console.print(
            f"  {route:<11} P50 {p50:.1f} ms, P95 {p95:.1f} ms, P99 {p99:.1f} ms, longest {longest:.1f} ms; "
            f"{_codes(answers.others())}"
        )


def _codes(others: dict[str, int]) -> str:
    return ", ".join(f"{count} × {code}" for code, count in others.items()) or "no errors"


def _print_spread(runs: Sequence[LoadRun]) -> None:
    table = Table(title="median of the runs (from – to), in ms", title_justify="left")
    for heading in ("route", "P50", "P95", "P99", "longest"):
        table.add_column(heading, justify="left" if heading == "route" else "right")
    for route in _ROUTES:
        columns = zip(*(dict(_of_routes(run))[route].milliseconds() for run in runs), strict=True)
        table.add_row(route, *(_spread(column, ".1f") for column in columns))
    _console.print(table)


def _spread(figures: Sequence[float], form: str) -> str:
    return f"{statistics.median(figures):{form}} ({min(figures):{form}} – {max(figures):{form}})"


def _print_shares(runs: Sequence[LoadRun]) -> None:
    took = sum(run.report.took_seconds for run in runs)
    seconds: dict[str, float] = {"load": sum(run.report.cpu_seconds for run in runs)}
    for run in runs:
        for part, spent, _ in run.shares:
            seconds[part] = seconds.get(part, 0.0) + spent
    table = Table(title="CPU by part while they ran", title_justify="left")
    for heading in ("part", "CPU seconds", "of a core"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    for part, spent in sorted(seconds.items(), key=lambda each: -each[1]):
        if spent / took >= _SHOWN:
            table.add_row(part, f"{spent:.1f}", f"{spent / took:.0%}")
    table.add_row("together", f"{sum(seconds.values()):.1f}", f"{sum(seconds.values()) / took:.0%}")
    _console.print(table)


def _print_batches(fleet: MeasuredFleet, orders: int, runs: int) -> None:
    """With the agents held still, so that it is the door alone that is measured."""
    from bench.batch_load import batches
    from bench.throughput import wait_for_rest

    made: list[BatchRun] = []
    with fleet.agents_paused():
        for _ in range(runs):
            run = batches(fleet, orders)
            if run.codes["404"]:
                _console.print("tasks/batch is not measured: this API has no such route (it answers 404)")
                return
            made.append(run)
            _console.print(
                f"tasks/batch: {run.rate:.0f} orders/s, {run.api_seconds * 1000 / run.orders:.3f} ms of the API's CPU "
                f"an order; {_codes({c: n for c, n in run.codes.items() if c != '200'})}"
            )
    _console.print(f"tasks/batch, orders/s: {_spread([run.rate for run in made], '.0f')}")
    wait_for_rest(fleet)
