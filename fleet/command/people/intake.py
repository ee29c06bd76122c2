"""`unpend intake`: what came in and could not be taken, why, and the ways to deal with it."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir, joined, opened
from fleet.command.orders.task import By, name_of, text_of
from fleet.command.output import AsJson, show_json, show_line, show_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.core.problems import Problem
    from storage.people.rejects import Reject
    from tasks.people.replay import Handling

application = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="What could not be taken in: list, show, correct, replay, dismiss.",
)

_LONGEST_REASON = 500
_MOST_SHOWN = 3
_NO_ORDER = 1
"""The exit code of a replay that made no order."""


class Source(StrEnum):
    """The door an order comes by."""

    HTTP = "http"
    STREAM = "stream"
    QUEUE = "queue"
    COMMAND = "command"


RejectId = Annotated[
    str, typer.Argument(metavar="ID", help="A reject_id, as `unpend intake rejected` shows.")
]


@application.command("rejected")
def rejected(
    source: Annotated[Source | None, typer.Option("--source", help="Only what came by this door.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    data_dir: DataDir = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also what was dealt with.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what could not be taken in, the newest first."""
    from storage.people.rejects import Rejects

    with opened(data_dir) as database, database.snapshot() as work:
        rejects = Rejects(work).list(
            state=None if every else "open", source=source.value if source else None, limit=limit
        )
    if as_json:
        show_json([_document(reject) for reject in rejects])
        return
    if not rejects:
        show_line("nothing was rejected" if every else "nothing that was rejected waits for anybody")
        return
    show_table(
        ("reject", "rejected", "door", "task", "times", "state", "what is wrong"),
        [
            (
                reject.reject_id,
                f"{reject.rejected_at:%Y-%m-%d %H:%M:%S %Z}",
                reject.source,
                reject.task_id or "",
                reject.times,
                f"replayed as {reject.replayed_as}" if reject.replayed_as else reject.state,
                _in_short(reject),
            )
            for reject in rejects
        ],
    )


@application.command("show")
def show(reject_id: RejectId, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Show what came, its phone numbers masked, and what is wrong with it.

    With --json, `payload` may be edited and given to `correct`: a masked number stays the one that came.
    """
    from storage.people.rejects import Rejects
    from tasks.people.payload import shown

    with opened(data_dir) as database, database.snapshot() as work:
        reject = Rejects(work).find(reject_id)
    if reject is None:
        raise _unknown(reject_id)
    if as_json:
        show_json({**_document(reject), "payload": shown(reject.payload)})
        return
    show_line(f"{reject.reject_id}  {reject.state}  came by: {reject.source}")
    show_line(f"  rejected  {reject.rejected_at:%Y-%m-%d %H:%M:%S %Z}")
    if reject.task_id:
        show_line(f"  task      {reject.task_id}", about=reject.task_id)
    if reject.order_id:
        show_line(f"  order     {reject.order_id}", about=reject.order_id)
    if reject.times > 1:
        show_line(f"  came      {reject.times} times, last {reject.last_at:%Y-%m-%d %H:%M:%S %Z}")
    for problem in reject.problems:
        show_line(f"  wrong     {problem['field']}: {problem['message']}")
    if reject.handled_at:
        became = f"replayed as {reject.replayed_as}" if reject.replayed_as else reject.state
        key = f" with the key of {reject.handled_agent}" if reject.handled_agent else ""
        show_line(
            f"  handled   {reject.handled_at:%Y-%m-%d %H:%M:%S %Z}, {became} by {reject.handled_by}{key}",
            about=reject.replayed_as,
        )
    show_line("  payload")
    show_line(shown(reject.payload))


@application.command("correct")
def correct(
    reject_id: RejectId,
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="The corrected JSON; - reads standard input.")
    ],
    by: By = "operator",
    data_dir: DataDir = None,
) -> None:
    """Send in what was rejected, corrected. Exit code 1 when it made no order; it then stays open."""
    _replay(reject_id, _document_in(file), by, data_dir)


@application.command("replay")
def replay(reject_id: RejectId, by: By = "operator", data_dir: DataDir = None) -> None:
    """Send in what was rejected as it came: after the order's other task has closed, for one."""
    _replay(reject_id, None, by, data_dir)


@application.command("dismiss")
def dismiss(
    reject_id: RejectId,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the record keeps it.")],
    by: By = "operator",
    data_dir: DataDir = None,
) -> None:
    """Let it be: nothing will be made of it."""
    from tasks.people.replay import dismiss as carry_out

    if not reason.strip():
        raise CommandError("--reason must say why", 2)
    if len(reason) > _LONGEST_REASON:
        raise CommandError(f"--reason may have {_LONGEST_REASON} characters, this has {len(reason)}", 2)
    name, why = name_of(by), text_of(reason, "--reason")
    with joined(data_dir) as process:
        handling = carry_out(process.database, reject_id, by=name, reason=why)
    _tell(reject_id, handling)


def _replay(reject_id: str, corrected: Mapping[str, Any] | None, by: str, data_dir: Path | None) -> None:
    from tasks.people.replay import replay as carry_out
    from tasks.registry import task_forms

    name = name_of(by)
    with joined(data_dir) as process:
        handling = carry_out(
            process.engine, task_forms(lambda: process.context), reject_id, corrected, by=name
        )
    _tell(reject_id, handling)


def _tell(reject_id: str, handling: Handling) -> None:
    from tasks.forms import Acceptance
    from tasks.people.replay import RejectResult

    reject = handling.reject
    if reject is None:
        raise _unknown(reject_id)
    if handling.outcome is RejectResult.DISMISSED:
        show_line(f"{reject_id} is dismissed; nothing will be made of it")
    elif handling.outcome is RejectResult.REPLAYED and handling.acceptance is Acceptance.EXISTING:
        show_line(
            f"{reject_id} is dealt with: task {reject.replayed_as} was in already, just like this",
            about=reject.replayed_as,
        )
    elif handling.outcome is RejectResult.REPLAYED:
        show_line(f"{reject_id} is in as task {reject.replayed_as}", about=reject.replayed_as)
    elif handling.outcome is RejectResult.BEFORE:
        became = f"replayed as {reject.replayed_as}" if reject.replayed_as else reject.state
        raise CommandError(f"{reject_id} was {became} before, by {reject.handled_by}; nothing was changed")
    else:
        raise CommandError(f"{reject_id} stays open: {_said(handling.problems)}", _NO_ORDER)


def _said(problems: Sequence[Problem]) -> str:
    return "; ".join(f"{problem.field}: {problem.message}" for problem in problems)


def _in_short(reject: Reject) -> str:
    told = [f"{problem['field']}: {problem['message']}" for problem in reject.problems[:_MOST_SHOWN]]
    further = len(reject.problems) - len(told)
    return "; ".join(told) + (f"; and {further} more" if further else "")


def _document_in(file: str) -> Mapping[str, Any]:
    """The JSON object in a file.

    Raises:
        CommandError: there is none; exit code 2.
    """
    import json

    name = "standard input" if file == "-" else file
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}", 2) from error
    try:
        document = json.loads(raw.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        message = f"{name} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        raise CommandError(message, 2) from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{name} is no JSON that could be an order; write it in UTF-8", 2) from error
    if not isinstance(document, dict):
        raise CommandError(f"{name} holds no JSON object; write the order as {{…}}", 2)
    return document


def _unknown(reject_id: str) -> CommandError:
    return CommandError(f"there is no {reject_id}; `unpend intake rejected --all` shows what was rejected")


def _document(reject: Reject) -> dict[str, Any]:
    from dataclasses import asdict

    document = asdict(reject)
    del document["payload"]
    return document
