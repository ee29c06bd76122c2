"""What was measured, round by round, and how it is printed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import psutil
from rich.console import Console
from rich.table import Table

from bench.cpu_shares import CpuShares
from bench.peers.rounds import Spread

_SHOWN: Final = 0.005
"""The least share of the CPU that is printed."""
_WHOLE: Final = 100
"""From here on numbers are printed without decimals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that was measured, with a value of each round."""

    name: str
    unit: str
    values: Sequence[float]
    aim: str = ""

    @property
    def spread(self) -> Spread:
        """Its median, and what it lies between."""
        return Spread.of(self.values)

    @property
    def document(self) -> dict[str, object]:
        """As it is printed with `--json`."""
        spread = self.spread
        return {
            "name": self.name,
            "unit": self.unit,
            "median": spread.median,
            "low": spread.low,
            "high": spread.high,
            "values": list(self.values),
            "aim": self.aim,
        }


@dataclass(slots=True)
class CpuUse:
    """CPU seconds by part while something was done, and how many of it there were."""

    name: str
    unit: str
    seconds: dict[str, float] = field(default_factory=dict)
    units: int = 0

    @contextmanager
    def during(self, parts: Mapping[str, psutil.Process], units: int) -> Iterator[None]:
        """Add what these parts use meanwhile, for so many units."""
        shares = CpuShares(parts)
        yield
        self.units += units
        for part, seconds, _ in shares.spent():
            self.seconds[part] = self.seconds.get(part, 0.0) + seconds

    @property
    def document(self) -> dict[str, object]:
        """As it is printed with `--json`."""
        return {"name": self.name, "unit": self.unit, "units": self.units, "seconds": self.seconds}


@dataclass(slots=True)
class WorkflowFigures:
    """All that a measurement came to."""

    figures: list[Figure] = field(default_factory=list)
    cpu: list[CpuUse] = field(default_factory=list)

    def add(self, other: "WorkflowFigures") -> None:
        """Take over what another came to."""
        self.figures += other.figures
        self.cpu += other.cpu

    @property
    def document(self) -> dict[str, object]:
        """As it is printed with `--json`."""
        return {
            "figures": [figure.document for figure in self.figures],
            "cpu": [use.document for use in self.cpu],
        }

    def print_to(self, console: Console) -> None:
        """Print the figures, then the CPU, for people."""
        if self.figures:
            console.print(_figures(self.figures))
        for use in self.cpu:
            console.print(_cpu(use))


def _figures(figures: Sequence[Figure]) -> Table:
    table = Table(title="median of the rounds (from – to)", title_justify="left")
    for heading in ("what", "median", "from – to", "aim"):
        table.add_column(heading, justify="left" if heading == "what" else "right", no_wrap=heading != "what")
    for figure in figures:
        spread = figure.spread
        median = f"{_number(spread.median)} {figure.unit}"
        table.add_row(
            figure.name, median, f"{_number(spread.low)} – {_number(spread.high)}", figure.aim or "–"
        )
    return table


def _cpu(use: CpuUse) -> Table:
    total = sum(use.seconds.values()) or 1.0
    table = Table(title=f"CPU by part, {use.name}: {use.units:,} {use.unit}s", title_justify="left")
    for heading in ("part", "CPU seconds", "share", f"ms a {use.unit}"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    for part, seconds in sorted(use.seconds.items(), key=lambda each: -each[1]):
        if seconds / total >= _SHOWN:
            each = seconds / max(use.units, 1) * 1000
            table.add_row(part, f"{seconds:.1f}", f"{seconds / total:.0%}", f"{each:.3f}")
    return table


def _number(value: float) -> str:
    """Three digits that count, and thousands whole."""
    return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:.3g}"
