"""`unpend status`: every process, how deep the queues are, where the orders stand, what is due next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import typer

from fleet.command.client import connected_or_direct
from fleet.command.location import DataDir, Fleet, find
from fleet.command.output import AsJson, show_json, show_line, show_table

_NOTHING: Final[dict[str, Any]] = {
    "queues": {},
    "tasks": {},
    "reviews": {"open": 0, "overdue": 0},
    "alerts_last_hour": 0,
    "next_due": [],
    "clock": {"business": None, "database": None, "rate": None},
}
"""What is shown of the work while PostgreSQL does not answer."""


@dataclass(frozen=True, slots=True)
class ProcessLine:
    """A process as `run.json` names it, and whether it lives."""

    name: str
    pid: int | None
    alive: bool
    state: str
    restarts: int


def status(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Show the fleet: processes, queues, tasks, reviews, alerts, what is due next.

    Exit code 0: healthy; 1: something is missing; 3: no fleet runs.
    """
    fleet = find(data_dir)
    processes = _processes(fleet)
    with connected_or_direct(data_dir) as api:
        found = api.get("overview")
    problems = [
        f"{line.name} is {'gone' if line.state == 'running' else line.state}"
        for line in processes
        if not line.alive or line.state != "running"
    ]
    problems += found["problems"]
    if as_json:
        show_json(_document(fleet, processes, found, problems))
    else:
        _show(fleet, processes, found, problems)
    raise typer.Exit(1 if problems else 0)


def _processes(fleet: Fleet) -> list[ProcessLine]:
    from fleet.command.machine.liveness import is_alive

    if fleet.data_dir is None:
        return []
    named_at = (fleet.data_dir / "run.json").stat().st_mtime
    return [
        ProcessLine(
            name=str(entry["name"]),
            pid=entry.get("pid"),
            alive=isinstance(entry.get("pid"), int) and is_alive(entry["pid"], named_at),
            state=str(entry.get("state", "running")),
            restarts=int(entry.get("restarts", 0)),
        )
        for entry in fleet.document.get("processes", [])
    ]


def _document(
    fleet: Fleet, processes: Sequence[ProcessLine], found: Mapping[str, Any], problems: Sequence[str]
) -> dict[str, Any]:
    work = found["work"] or _NOTHING
    return {
        "healthy": not problems,
        "problems": problems,
        "warnings": found["warnings"],
        "data_dir": str(fleet.data_dir) if fleet.data_dir else None,
        "supervisor": fleet.document.get("supervisor"),
        "addresses": {name: fleet.document.get(name) for name in ("api", "console", "flower", "metrics")},
        "processes": list(processes),
        "queues": {
            name: {
                **queue["rows"],
                "messages": queue["messages"],
                "oldest_seconds": queue["oldest_seconds"],
            }
            for name, queue in work["queues"].items()
        },
        **{name: work[name] for name in ("tasks", "reviews", "alerts_last_hour", "next_due", "clock")},
    }


def _show(
    fleet: Fleet, processes: Sequence[ProcessLine], found: Mapping[str, Any], problems: Sequence[str]
) -> None:
    if fleet.data_dir is None:
        show_line("processes: not known here; only the servers or the API of this fleet are")
    else:
        show_table(
            ("process", "pid", "alive", "state", "restarts"),
            [(p.name, p.pid, "yes" if p.alive else "NO", p.state, p.restarts) for p in processes],
            title=f"fleet in {fleet.data_dir}, supervisor {fleet.document.get('supervisor')}",
        )
    if found["work"] is not None:
        _show_work(found["work"])
    show_line()
    for warning in found["warnings"]:
        show_line(f"WARNING: {warning}")
    for problem in problems:
        show_line(f"PROBLEM: {problem}")
    if not problems:
        show_line("healthy")


def _show_work(work: Mapping[str, Any]) -> None:
    queues: Mapping[str, Any] = work["queues"]
    columns = tuple(next(iter(queues.values()))["rows"]) if queues else ()
    show_line()
    show_table(
        ("queue", *columns, "messages", "oldest"),
        [
            (name, *queue["rows"].values(), _messages(queue["messages"]), queue["oldest"])
            for name, queue in queues.items()
        ],
        title="rows in PostgreSQL, and messages in the broker, by queue",
    )
    show_line()
    total = sum(work["tasks"].values())
    show_table(("state", "tasks"), list(work["tasks"].items()), title=f"tasks by state, {total} in all")
    show_line()
    reviews = work["reviews"]
    overdue = f", {reviews['overdue']} of them overdue" if reviews["overdue"] else ""
    show_line(f"open reviews: {reviews['open']}{overdue}")
    show_line(f"alerts in the last hour: {work['alerts_last_hour']}")
    for line in work["lines"]:
        show_line(line)


def _messages(depth: int | None) -> str:
    return "?" if depth is None else str(depth)
