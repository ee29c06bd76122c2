"""The charts there are, as values: lines over days, bars by hour, the shares of a whole."""

from collections.abc import Sequence
from dataclasses import dataclass

from tools.charts.table import DataTable

MOST_SERIES = 6
"""Series that can be told apart by colour and form."""


@dataclass(frozen=True, slots=True)
class Series:
    """A row of numbers with its name; `None` where there is none."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Captioned:
    """What every chart has.

    Attributes:
        title: What it is of, in some words.
        description: What it shows, in a sentence, for who cannot see it.
        unit: What stands behind a number, as `%`; nothing where things are counted.
    """

    title: str
    description: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends(Captioned):
    """Lines over days."""

    axis: str
    """What the labels are, as the head of their column."""
    labels: tuple[str, ...]
    series: tuple[Series, ...]

    def __post_init__(self) -> None:
        _check(self.labels, self.series)

    @property
    def table(self) -> DataTable:
        """The same numbers, a row a day."""
        return _table(self.axis, self.labels, self.series)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours(Captioned):
    """Bars by hour, each of several parts that stand on one another."""

    axis: str
    """What the labels are, as the head of their column."""
    labels: tuple[str, ...]
    series: tuple[Series, ...]

    def __post_init__(self) -> None:
        _check(self.labels, self.series)
        if any((value or 0) < 0 for each in self.series for value in each.values):
            raise ValueError("what stands on one another is not negative")

    @property
    def table(self) -> DataTable:
        """The same numbers, a row an hour."""
        return _table(self.axis, self.labels, self.series)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares(Captioned):
    """The parts of a whole, in one bar."""

    columns: tuple[str, str, str]
    """The heads of the columns: what the parts are, how many, and which share."""
    parts: tuple[tuple[str, int], ...]

    def __post_init__(self) -> None:
        if len(self.parts) > MOST_SERIES:
            raise ValueError(f"more than {MOST_SERIES} parts cannot be told apart")
        if any(count < 0 for _, count in self.parts):
            raise ValueError("a part of a whole is not negative")

    @property
    def whole(self) -> int:
        """All parts together."""
        return sum(count for _, count in self.parts)

    def share(self, count: int) -> float | None:
        """The share of a part, in percent; there is none of nothing."""
        return round(100 * count / self.whole, 1) if self.whole else None

    @property
    def table(self) -> DataTable:
        """The same numbers, a row a part."""
        name, many, share = self.columns
        rows = tuple((part, count, self.share(count)) for part, count in self.parts)
        return DataTable((name, many, f"{share} (%)"), rows)


Chart = Trends | Hours | Shares
"""Any of them."""


def _check(labels: Sequence[str], series: Sequence[Series]) -> None:
    if not labels or not series:
        raise ValueError("a chart has labels and series")
    if len(series) > MOST_SERIES:
        raise ValueError(f"more than {MOST_SERIES} series cannot be told apart")
    if any(len(each.values) != len(labels) for each in series):
        raise ValueError("each series has as many values as there are labels")


def _table(axis: str, labels: Sequence[str], series: Sequence[Series]) -> DataTable:
    return DataTable(
        (axis, *(each.name for each in series)),
        tuple((label, *(each.values[at] for each in series)) for at, label in enumerate(labels)),
    )
