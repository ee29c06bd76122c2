"""How commands show things: tables with lines on a terminal, plain columns in a pipe, JSON for scripts."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import typer

from runtime.mask import mask_text
from runtime.names import shown_id

_IDS: Final = frozenset({"task_id", "order_id", "replayed_as"})
"""Fields that hold what upstream calls something: the digits of one may look like a phone number."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
"""The option that every command which shows something takes."""


def show_json(value: object) -> None:
    """Print a value as JSON; moments in UTC, phone numbers masked wherever they stand."""
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=False, indent=2) + "\n")


def show_line(text: str = "", *, about: str | None = None) -> None:
    """Print a line, phone numbers masked; the id of the task it is about stays as it is."""
    name = shown_id(about) if about else None
    parts = text.split(about) if about else [text]
    sys.stdout.write((name or "").join(map(mask_text, parts)) + "\n")


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
    """Print rows under their columns; numbers to the right. What a task is called stays as it is."""
    masks = [shown_id if column == "task" else mask_text for column in columns]
    cells = [
        [mask("" if cell is None else str(cell)) for mask, cell in zip(masks, row, strict=True)]
        for row in rows
    ]
    right = [bool(rows) and all(isinstance(row[i], int) for row in rows) for i in range(len(columns))]
    if sys.stdout.isatty():
        _show_drawn(columns, cells, right, title)
    else:
        _show_plain(columns, cells, right, title)


def _show_drawn(
    columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool], title: str
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD)
    for column, is_number in zip(columns, right, strict=True):
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _show_plain(
    columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool], title: str
) -> None:
    from rich.cells import cell_len

    lines = [list(columns), *rows]
    widths = [max(cell_len(line[i]) for line in lines) for i in range(len(columns))]
    if title:
        show_line(title)
    for line in lines:
        padded = []
        for cell, width, is_number in zip(line, widths, right, strict=True):
            space = " " * (width - cell_len(cell))
            padded.append(f"{space}{cell}" if is_number else f"{cell}{space}")
        # Every cell is masked already, and each in its own way.
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _plain(value: Any) -> Any:
    plain = value
    if is_dataclass(value) and not isinstance(value, type):
        plain = _plain(asdict(value))
    elif isinstance(value, Mapping):
        plain = {
            str(key): shown_id(inner) if key in _IDS and isinstance(inner, str) else _plain(inner)
            for key, inner in value.items()
        }
    elif isinstance(value, str):
        plain = mask_text(value)
    elif isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        plain = [_plain(inner) for inner in value]
    elif isinstance(value, datetime):
        plain = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    elif isinstance(value, Decimal):
        plain = float(value)
    return plain
