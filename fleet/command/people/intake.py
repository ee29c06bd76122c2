"""`unpend intake`: rejected input, the reasons, and how to handle it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.command.client import ADMIN, ApiRefused, connected, moment, refusals, segment
from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of, text_of
from fleet.command.output import AsJson, show_json, show_line, show_table

application = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="What could not be taken in: list, show, correct, replay, dismiss.",
)

_LONGEST_REASON = 500
_MOST_SHOWN = 3
_CORRECTED = "payload."
"""What the API's names of the fields of a correction begin with."""
_NO_ORDER = 1
"""The exit code of a replay that made no order."""


class Source(StrEnum):
    """The entry point of an order."""

    HTTP = "http"
    STREAM = "stream"
    QUEUE = "queue"
    COMMAND = "command"


RejectId = Annotated[
    str, typer.Argument(metavar="ID", help="A reject_id, as `unpend intake rejected` shows.")
]


@application.command("rejected")
def rejected(
    source: Annotated[
        Source | None, typer.Option("--source", help="Only what came by this entry point.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    data_dir: DataDir = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also what was dealt with.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what could not be taken in, the newest first."""
    wanted = {"state": "all" if every else "open", "source": source and source.value}
    with connected(data_dir, ADMIN) as api:
        rejects = api.rows("intake/rejected", "rejects", limit, **wanted)
    if as_json:
        show_json(rejects)
        return
    if not rejects:
        show_line("nothing was rejected" if every else "nothing that was rejected waits for anybody")
        return
    show_table(
        ("reject", "rejected", "door", "task", "times", "state", "what is wrong"),
        [
            (
                reject["reject_id"],
                _shown(reject["rejected_at"]),
                reject["source"],
                reject["task_id"] or "",
                reject["times"],
                _became(reject),
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
    with connected(data_dir, ADMIN) as api, refusals(not_found=_unknown(reject_id)):
        reject = api.get(f"intake/rejected/{segment(reject_id)}")
    if as_json:
        show_json(reject)
        return
    show_line(f"{reject['reject_id']}  {reject['state']}  came by: {reject['source']}")
    show_line(f"  rejected  {_shown(reject['rejected_at'])}")
    if reject["task_id"]:
        show_line(f"  task      {reject['task_id']}", about=reject["task_id"])
    if reject["order_id"]:
        show_line(f"  order     {reject['order_id']}", about=reject["order_id"])
    if reject["times"] > 1:
        show_line(f"  came      {reject['times']} times, last {_shown(reject['last_at'])}")
    for problem in reject["problems"]:
        show_line(f"  wrong     {problem['field']}: {problem['message']}")
    if reject["handled_at"]:
        show_line(
            f"  handled   {_shown(reject['handled_at'])}, {_became(reject)} by {reject['handled_by']}",
            about=reject["replayed_as"],
        )
    show_line("  payload")
    show_line(reject["payload"])


@application.command("correct")
def correct(
    reject_id: RejectId,
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="The corrected JSON; - reads standard input.")
    ],
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """Send in what was rejected, corrected. Exit code 1 when it made no order; it then stays open."""
    _replay(reject_id, _document_in(file), by, data_dir)


@application.command("replay")
def replay(reject_id: RejectId, by: By = None, data_dir: DataDir = None) -> None:
    """Send in what was rejected as it came: after the order's other task has closed, for one."""
    _replay(reject_id, None, by, data_dir)


@application.command("dismiss")
def dismiss(
    reject_id: RejectId,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the record keeps it.")],
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """Let it be: nothing will be made of it."""
    if not reason.strip():
        raise CommandError("--reason must say why", 2)
    if len(reason) > _LONGEST_REASON:
        raise CommandError(f"--reason may have {_LONGEST_REASON} characters, this has {len(reason)}", 2)
    _handle(reject_id, "dismiss", {"reason": text_of(reason, "--reason"), "by": name_of(by)}, data_dir)
    show_line(f"{reject_id} is dismissed; nothing will be made of it")


def _replay(
    reject_id: str, corrected: Mapping[str, Any] | None, by: str | None, data_dir: Path | None
) -> None:
    wish = {"payload": corrected, "by": name_of(by)}
    replayed = _handle(reject_id, "replay", wish, data_dir)
    task_id = replayed["task_id"]
    if replayed["outcome"] == "existing":
        line = f"{reject_id} is dealt with: task {task_id} was in already, just like this"
    else:
        line = f"{reject_id} is in as task {task_id}"
    show_line(line, about=task_id)


def _handle(reject_id: str, verb: str, wish: Mapping[str, Any], data_dir: Path | None) -> Any:
    """What became of a rejected input.

    Raises:
        CommandError: nothing was done; says why.
    """
    with (
        connected(data_dir, ADMIN) as api,
        refusals(not_found=_unknown(reject_id), conflict=lambda details: _stands_against(reject_id, details)),
    ):
        try:
            return api.post(f"intake/rejected/{segment(reject_id)}/{verb}", wish)
        except ApiRefused as error:
            if error.field is None or not error.field.startswith(_CORRECTED):
                raise
            wrong = "; ".join(
                f"{field['field'].removeprefix(_CORRECTED)}: {field['message']}"
                for field in error.details["fields"]
            )
            raise CommandError(f"{reject_id} stays open: {wrong}", _NO_ORDER) from error


def _stands_against(reject_id: str, details: Mapping[str, Any]) -> str:
    if "handled_by" in details:
        return f"{reject_id} was {_became(details)} before, by {details['handled_by']}; nothing was changed"
    return f"{reject_id} stays open: {details['message']}"


def _became(reject: Mapping[str, Any]) -> str:
    state = reject["state"] if "state" in reject else reject["reject_state"]
    return f"replayed as {reject['replayed_as']}" if reject["replayed_as"] else str(state)


def _shown(written: str) -> str:
    return f"{moment(written):%Y-%m-%d %H:%M:%S %Z}"


def _in_short(reject: Mapping[str, Any]) -> str:
    problems = [f"{problem['field']}: {problem['message']}" for problem in reject["problems"][:_MOST_SHOWN]]
    further = len(reject["problems"]) - len(problems)
    return "; ".join(problems) + (f"; and {further} more" if further else "")


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


def _unknown(reject_id: str) -> str:
    return f"there is no {reject_id}; `unpend intake rejected --all` shows what was rejected"
