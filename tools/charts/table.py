"""A table of names and numbers: what a chart shows, and what stands beneath it."""

from dataclasses import dataclass

Cell = str | int | float | None
"""What a cell holds; `None` where there is no such number."""


@dataclass(frozen=True, slots=True)
class DataTable:
    """Rows under their columns; each row has as many cells as there are columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("each row of a table has as many cells as there are columns")
