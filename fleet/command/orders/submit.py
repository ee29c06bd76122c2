"""`unpend submit`: submits orders from a file or a pipe, and reports every refusal."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final

import typer

from fleet.command.client import ApiRefused, ApiUnreachable, Client, connected
from fleet.command.failure import CommandError, warn
from fleet.command.location import DataDir
from fleet.command.output import show_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fleet.command.orders.lines import FaultyLine, OrderLine
    from schemas.core.problems import Problem

BATCH: Final = 500
"""Lines that are sent in one request."""

NOTHING_READ: Final = 2
INTERRUPTED: Final = 130
_LARGEST: Final = 2 * 1024 * 1024
"""Bytes of lines that are held at once; one line more than that fits into a request."""

_PATIENCE: Final = 15.0
"""Seconds for which the API, or what it needs, may be away before the command gives up."""

_MOST_PROBLEMS: Final = 100
_UNAVAILABLE: Final = 503
_REMEDY: Final = "; wait until that is closed, or cancel it first"

File = Annotated[str, typer.Argument(metavar="FILE|-", help="JSON Lines of orders; - reads standard input.")]
Priority = Annotated[
    int | None, typer.Option(min=1, max=10, help="For orders that name none; 10 is the most urgent.")
]


@dataclass(slots=True)
class Tally:
    """The results of the lines so far."""

    read: int = 0
    last_line: int = 0
    malformed: int = 0
    results: Counter[str] = field(default_factory=Counter)

    @property
    def rejected(self) -> int:
        """Lines that were refused, whatever the reason."""
        return self.malformed + self.results["rejected"]


def submit(file: File, priority: Priority = None, data_dir: DataDir = None) -> None:
    """Send orders in: JSON Lines, one `task.created` payload a line.

    Exit code 0: all are in; 1: some were rejected, each shown with its line; 2: nothing could be read.
    """
    tally = Tally()
    with contextlib.ExitStack() as stack:
        stream, size = stack.enter_context(_opened(file))
        api = stack.enter_context(connected(data_dir))
        try:
            _submit_all(api, stream, size, priority, tally)
        except KeyboardInterrupt:
            _sum_up(tally)
            warn(f"interrupted after line {tally.last_line}; send the file again: what is in stays as it is")
            raise typer.Exit(INTERRUPTED) from None
    if tally.read == 0:
        raise CommandError(f"{_name(file)} holds no lines; nothing was read", NOTHING_READ)
    _sum_up(tally)
    raise typer.Exit(1 if tally.rejected else 0)


def _submit_all(api: Client, stream: BinaryIO, size: int | None, priority: int | None, tally: Tally) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from fleet.command.orders.lines import NotLines, read_lines

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %") if size else MofNCompleteColumn(),
        TextColumn("{task.fields[lines]} lines, {task.fields[rejected]} rejected"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with progress:
        bar = progress.add_task("submitting", total=size or None, lines=0, rejected=0)
        batch: list[OrderLine | FaultyLine] = []
        held = 0

        def flush() -> None:
            for line in _take(api, batch, tally):
                console.print(line, markup=False)
            progress.update(
                bar, advance=sum(line.size for line in batch), lines=tally.read, rejected=tally.rejected
            )
            batch.clear()

        try:
            for line in read_lines(stream, priority=priority):
                batch.append(line)
                held += line.size
                if len(batch) >= BATCH or held > _LARGEST:
                    flush()
                    held = 0
        except NotLines as error:
            raise CommandError(f"the input {error}", NOTHING_READ) from error
        flush()


def _take(api: Client, lines: Sequence[OrderLine | FaultyLine], tally: Tally) -> list[str]:
    """Send a batch; what is shown of its refused lines, in their order."""
    from fleet.command.orders.lines import OrderLine

    if not lines:
        return []
    good = [line for line in lines if isinstance(line, OrderLine)]
    bad = [line for line in lines if not isinstance(line, OrderLine)]
    refused = [(line.number, line.task_id, line.problems) for line in bad]
    if good:
        batch = {"tasks": [line.body.model_dump(mode="json") for line in good], "source": "command"}
        results = _send(api, "tasks/batch", batch, tally)["results"]
        tally.results.update(result["verdict"] for result in results)
        refused += [
            (line.number, result["task_id"], _problems(result["error"]))
            for line, result in zip(good, results, strict=True)
            if result["error"] is not None
        ]
    if bad:
        # Malformed input is never dropped (SPEC.md §5), and an alert says so.
        for rejects in _in_requests([_kept(line) for line in bad]):
            _send(api, "intake/rejected", {"rejects": rejects}, tally)
    tally.malformed += len(bad)
    tally.read += len(lines)
    tally.last_line = lines[-1].number
    return [_line(*refusal) for refusal in sorted(refused, key=lambda refusal: refusal[0])]


def _send(api: Client, path: str, body: Any, tally: Tally) -> Any:
    """What the API answers, asked again while it or PostgreSQL is away: what is in already is answered as known."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return api.post(path, body)
        except (ApiUnreachable, ApiRefused) as error:
            if isinstance(error, ApiRefused) and error.status != _UNAVAILABLE:
                raise
            if time.monotonic() > deadline:
                raise CommandError(
                    f"{error}; lines up to {tally.last_line} are dealt with, "
                    "send the file again later: what is in stays as it is"
                ) from error
            time.sleep(0.5)


def _in_requests(rejects: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """So many of them at once as a request can hold; each of their characters may be escaped."""
    import json

    taken: list[dict[str, Any]] = []
    size = 0
    for reject in rejects:
        own = len(json.dumps(reject, ensure_ascii=False).encode())
        if taken and size + own > _LARGEST:
            yield taken
            taken, size = [], 0
        taken.append(reject)
        size += own
    yield taken


def _kept(line: FaultyLine) -> dict[str, Any]:
    from schemas.core.problems import as_records

    return {
        "payload": line.text,
        "problems": as_records(line.problems[:_MOST_PROBLEMS]),
        "task_id": line.task_id,
        "order_id": line.order_id,
    }


def _problems(error: Any) -> list[Problem]:
    from schemas.core.problems import Problem

    return [
        Problem(
            field=field["field"],
            message=field["message"]
            + (_REMEDY if field["field"] == "order_id" and "open task" in field["message"] else ""),
        )
        for field in error["details"]["fields"]
    ]


def _line(number: int, task_id: str | None, problems: Sequence[Problem]) -> str:
    from runtime.mask import mask_text
    from runtime.names import shown_id

    whose = f", task {shown_id(task_id)}" if task_id else ""
    faults = " | ".join(
        problem.message if problem.field == "line" else f"{problem.field}: {problem.message}"
        for problem in problems
    )
    return f"line {number}{whose}: {mask_text(faults)}"


def _sum_up(tally: Tally) -> None:
    lines = f"{tally.read} line{'' if tally.read == 1 else 's'}"
    accepted, known = tally.results["accepted"], tally.results["existing"]
    kept = " (kept, to be corrected and sent again)" if tally.rejected else ""
    show_line(f"{lines}: {accepted} accepted, {known} already known, {tally.rejected} rejected{kept}")


@contextlib.contextmanager
def _opened(file: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """The input and its size where it has one.

    Raises:
        CommandError: it cannot be opened; exit code 2.
    """
    if file == "-":
        yield sys.stdin.buffer, None
        return
    try:
        with open(file, "rb") as stream:  # noqa: PTH123 - a pipe or /dev/fd is fine, not only a path
            yield stream, _size(stream)
    except OSError as error:
        if error.filename != file:
            raise
        raise CommandError(f"{file} cannot be read: {error.strerror}", NOTHING_READ) from error


def _size(stream: BinaryIO) -> int | None:
    import os
    import stat

    about = os.fstat(stream.fileno())
    return about.st_size if stat.S_ISREG(about.st_mode) else None


def _name(file: str) -> str:
    return "standard input" if file == "-" else file
