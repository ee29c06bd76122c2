"""`unpend run`: begins executions of workflows, shows them with their log, and steers them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from fleet.command.client import connected, moment, refusals, segment
from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of, text_of
from fleet.command.output import AsJson, show_json, show_line, show_table

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Executions of workflows: start, list, show and steer them."
)

ExecutionId = Annotated[str, typer.Argument(metavar="ID", help="An execution; `unpend run list` shows them.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; history keeps it.")]


@application.command("start")
def start(
    workflow: Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help="A workflow.")],
    parameters: Annotated[str, typer.Option("--parameters", help="What it is begun with, as JSON.")] = "{}",
    key: Annotated[
        str | None, typer.Option("--key", help="A second start under the same key begins nothing.")
    ] = None,
    priority: Annotated[int | None, typer.Option(min=1, max=10, help="10 is the most urgent.")] = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Begin an execution of a workflow."""
    name, _, version = workflow.partition("@")
    body = {"parameters": _read(parameters, "--parameters"), "key": key, "priority": priority}
    body["version"] = version or None
    missing = f"there is no workflow {text_of(name, 'NAME')}; `unpend workflow list` shows them"
    with connected(data_dir) as api, refusals(not_found=missing):
        begun = api.post(
            f"workflows/{segment(name)}/start",
            {name: value for name, value in body.items() if value is not None},
        )
    if as_json:
        show_json(begun)
        return
    before = "has begun" if begun["outcome"] == "started" else "was begun before"
    show_line(f"execution {begun['execution_id']} {before}; it is {begun['status']}")


@application.command("list")
def list_runs(
    status: Annotated[str | None, typer.Option("--status", help="Only those that stand so.")] = None,
    workflow: Annotated[str | None, typer.Option("--workflow", help="Only those of this workflow.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List executions, the newest first."""
    with connected(data_dir) as api:
        rows = api.rows("executions", "executions", limit, status=status, workflow=workflow)
    if as_json:
        show_json(rows)
        return
    if not rows:
        show_line("there are no such executions")
        return
    show_table(
        ("execution", "workflow", "status", "priority", "started", "finished"),
        [
            (
                row["execution_id"],
                f"{row['workflow_id']}@{row['version']}",
                row["status"],
                row["priority"],
                _time(row["started_at"]),
                _time(row["finished_at"]),
            )
            for row in rows
        ],
    )


@application.command("show")
def show(execution_id: ExecutionId, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Show an execution: how far its steps are, its variables, what it waits for, what it came to."""
    with connected(data_dir) as api, _unknown(execution_id):
        path = f"executions/{segment(execution_id)}"
        found = api.get(path)
        steps = api.rows(f"{path}/steps", "steps", 200)
    if as_json:
        show_json({**found, "steps": steps})
        return
    counts = ", ".join(f"{count} {name}" for name, count in found["task_stats"].items() if count)
    show_line(f"{found['workflow_id']}@{found['version']} is {found['status']}: {counts}")
    if found["error"] is not None:
        show_line(f"because: {found['error'].get('message', found['error'].get('code'))}")
    for each in found["waiting_for"]:
        what = " ".join(str(part) for part in (each["name"], each["key"]) if part)
        show_line(f"step {each['step']} waits for: {each['kind']} {what}".rstrip())
    for each in found["incidents"]:
        show_line(f"step {each['step']} failed: {each['message']}; answer interrupt {each['interrupt_id']}")
    for name, value in found["variables"].items():
        show_line(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    if found["output"] is not None:
        show_line(f"came to {json.dumps(found['output'], ensure_ascii=False)}")
    show_table(
        ("step", "number", "status", "started", "finished"),
        [
            (
                each["step"],
                each["step_id"],
                each["status"],
                _time(each["started_at"]),
                _time(each["finished_at"]),
            )
            for each in steps
        ],
    )


@application.command("log")
def log(
    execution_id: ExecutionId,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many lines at most.")] = 1_000,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what happened in an execution, the oldest first."""
    with connected(data_dir) as api, _unknown(execution_id):
        entries = api.rows(f"executions/{segment(execution_id)}/log", "entries", limit)
    if as_json:
        show_json(entries)
        return
    for entry in entries:
        data = json.dumps(entry["data"], ensure_ascii=False)
        show_line(f"{entry['timestamp']}  {entry['event_type']}  {data}")


@application.command("pause")
def pause(execution_id: ExecutionId, reason: Reason = None, by: By = None, data_dir: DataDir = None) -> None:
    """Let nothing new begin in it."""
    _do(execution_id, "pause", {}, reason, by, data_dir)


@application.command("resume")
def resume(execution_id: ExecutionId, reason: Reason = None, by: By = None, data_dir: DataDir = None) -> None:
    """Let a paused one go on."""
    _do(execution_id, "resume", {}, reason, by, data_dir)


@application.command("cancel")
def cancel(execution_id: ExecutionId, reason: Reason = None, by: By = None, data_dir: DataDir = None) -> None:
    """Cancel it; what it has done is undone where its definition says so."""
    _do(execution_id, "cancel", {}, reason, by, data_dir)


@application.command("terminate")
def terminate(
    execution_id: ExecutionId, reason: Reason = None, by: By = None, data_dir: DataDir = None
) -> None:
    """Cancel it at once; nothing is undone."""
    _do(execution_id, "terminate", {}, reason, by, data_dir)


@application.command("retry")
def retry(execution_id: ExecutionId, reason: Reason = None, by: By = None, data_dir: DataDir = None) -> None:
    """Let a failed one go on where it stopped."""
    _do(execution_id, "retry", {}, reason, by, data_dir)


@application.command("rerun")
def rerun(
    execution_id: ExecutionId,
    step: Annotated[str, typer.Argument(metavar="STEP", help="From which step.")],
    given: Annotated[
        str | None, typer.Option("--input", help="What the step is given, as JSON; what it had before.")
    ] = None,
    reason: Reason = None,
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """Go on from a step once more; what followed it is superseded."""
    body = {"step": step} | ({} if given is None else {"input": _read(given, "--input")})
    _do(execution_id, "rerun", body, reason, by, data_dir)


@application.command("skip")
def skip(
    execution_id: ExecutionId,
    step_id: Annotated[int, typer.Argument(metavar="NUMBER", help="The step's number in `unpend run show`.")],
    output: Annotated[str, typer.Option("--output", help="What it comes to, as JSON.")] = "{}",
    reason: Reason = None,
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """End an open step as done, which nobody is at work on."""
    body = {"step_id": step_id, "output": _read(output, "--output")}
    _do(execution_id, "skip", body, reason, by, data_dir)


@application.command("set")
def set_variables(
    execution_id: ExecutionId,
    variables: Annotated[
        list[str], typer.Argument(metavar="NAME=JSON...", help="Variables and their values.")
    ],
    reason: Reason = None,
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """Write variables of an execution."""
    given = {}
    for each in variables:
        name, sign, value = each.partition("=")
        if not sign:
            raise CommandError("write variables as NAME=JSON, such as total=3", 2)
        given[name] = _read(value, name)
    _do(execution_id, "set", {"variables": given}, reason, by, data_dir)


@application.command("signal")
def signal(
    execution_id: ExecutionId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The signal or message.")],
    kind: Annotated[
        Literal["signal", "message"], typer.Option("--kind", help="Which of the two.")
    ] = "signal",
    key: Annotated[str, typer.Option("--key", help="Of a message.")] = "",
    payload: Annotated[str, typer.Option("--payload", help="What it carries, as JSON.")] = "{}",
    reason: Reason = None,
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """Hand a signal or a message to one execution alone."""
    body = {"name": name, "kind": kind, "key": key, "payload": _read(payload, "--payload")}
    _do(execution_id, "signal", body, reason, by, data_dir)


def _do(
    execution_id: str,
    verb: str,
    body: dict[str, Any],
    reason: str | None,
    by: str | None,
    data_dir: Path | None,
) -> None:
    who = name_of(by)
    if reason is not None:
        body = {**body, "reason": text_of(reason, "--reason")}
    with connected(data_dir) as api, _unknown(execution_id):
        changed = api.post(f"executions/{segment(execution_id)}/{verb}", body, by=who)
    before = "" if changed["outcome"] == "applied" else " as before; nothing was changed"
    show_line(f"execution {changed['execution_id']} is {changed['status']}{before}")


def _unknown(execution_id: str) -> Any:
    return refusals(not_found=f"there is nothing such in execution {execution_id}; see `unpend run list`")


def _read(written: str, option: str) -> Any:
    try:
        return json.loads(written)
    except ValueError as error:
        raise CommandError(f"{option} is no JSON: {error}", 2) from error


def _time(written: str | None) -> str:
    return f"{moment(written):%Y-%m-%d %H:%M:%S %Z}" if written else ""
