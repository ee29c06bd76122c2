"""What is printed of a run: how far it is, and in the end what came of it."""

from collections.abc import Sequence
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.chaos.checks.rescues import JudgedRescue, RescueCause
from bench.chaos.run import ChaosOptions, ChaosProgress, ChaosResult
from bench.latency import percentile

_PLAIN_EVERY: Final = 10.0
"""Seconds between two lines where there is no terminal."""
_MOST_SHOWN: Final = 50
"""Violations that are named one by one."""


class ChaosScreen:
    """Shows how far a run is: a bar on a terminal, else a line now and then."""

    def __init__(self, console: Console, options: ChaosOptions) -> None:
        self._console = console
        self._options = options
        self._printed_at = -_PLAIN_EVERY
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[counts]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._line: TaskID = self._bar.add_task("starting", total=options.seconds, counts="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: ChaosProgress) -> None:
        """Show it."""
        ledger = progress.ledger
        counts = (
            f"{progress.accepted} of {self._options.orders} orders accepted, {ledger.closed} closed, "
            f"{ledger.in_review} in review; {progress.faults} faults, {progress.kills} kills"
        )
        done = min(progress.elapsed, self._options.seconds)
        self._bar.update(self._line, description=progress.phase, completed=done, counts=counts)
        if self._bar.disable and progress.elapsed - self._printed_at >= _PLAIN_EVERY:
            self._printed_at = progress.elapsed
            self._console.print(f"{progress.elapsed:.0f} s, {progress.phase}: {counts}", soft_wrap=True)


def print_result(console: Console, options: ChaosOptions, result: ChaosResult) -> None:
    """Print the table and every rule that was broken."""
    console.print(_table(options, result))
    violations = result.judgement.violations
    for violation in violations[:_MOST_SHOWN]:
        console.print(
            f"broken: {violation.rule}: {violation.subject}: {violation.detail}", markup=False, soft_wrap=True
        )
    if len(violations) > _MOST_SHOWN:
        console.print(f"and {len(violations) - _MOST_SHOWN} more")


def is_kept(result: ChaosResult) -> bool:
    """Whether everything rested and no rule was broken."""
    return result.rested and not result.judgement.violations


def _table(options: ChaosOptions, result: ChaosResult) -> Table:
    table = Table(title=f"unpend chaos --seed {options.seed}", title_justify="left", show_header=False)
    table.add_column()
    table.add_column()
    for name, value in _rows(options, result):
        table.add_row(name, value)
    return table


def _rows(options: ChaosOptions, result: ChaosResult) -> list[tuple[str, str]]:
    ledger, sent, provider = result.ledger, result.sent, result.provider
    reached = sum(count.reached for count in provider)
    repeated_orders = sum(sent.times.values()) - len(sent.times)
    repeated_calls = sum(count.requests - 1 for count in provider)
    repeated_callbacks = sum(count.callbacks_delivered for count in provider) - result.callbacks
    reasons = ", ".join(f"{reason} {number}" for reason, number in result.review_reasons.most_common())
    law = "kept" if is_kept(result) else f"broken: {len(result.judgement.violations)} violations"
    return [
        ("seed", str(options.seed)),
        (
            "orders",
            f"{ledger.accepted} accepted = {ledger.closed} closed + {ledger.open} open + {ledger.in_review} in review",
        ),
        ("waiting for a person", reasons or "none"),
        ("kills", str(result.kills)),
        *((f"  {kind.value}", str(number)) for kind, number in sorted(result.faults.items())),
        ("faults", str(result.faults.total())),
        (
            "duplicates refused",
            f"{repeated_orders} orders, {repeated_calls} requests to the provider, {repeated_callbacks} callbacks",
        ),
        *_rescue_rows(result.judgement.rescues),
        ("contacts", f"{reached} customers reached for {len(provider)} attempts"),
        ("came to rest", "yes" if result.rested else "no"),
        ("law", law),
    ]


def _rescue_rows(rescues: Sequence[JudgedRescue]) -> list[tuple[str, str]]:
    causes = [
        (f"  {cause.value}", str(number))
        for cause in RescueCause
        if (number := sum(judged.cause is cause for judged in rescues))
    ]
    delays = sorted(judged.delay for judged in rescues if judged.delay is not None)
    rows = [("steps rescued", str(len(rescues))), *causes]
    if delays:
        p50, p95 = (percentile(delays, share) for share in (0.5, 0.95))
        rows.append(("rescue delay", f"P50 {p50:.1f} s, P95 {p95:.1f} s, longest {delays[-1]:.1f} s"))
    return rows
