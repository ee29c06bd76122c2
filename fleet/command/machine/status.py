"""`unpend status`: every process, how deep the queues are, where the orders stand, what is due next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import typer

from fleet.command.location import DataDir, Fleet, find, process_of
from fleet.command.output import AsJson, show_json, show_line, show_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.core.unit_of_work import UnitOfWork
    from storage.engine.clock import Moments
    from storage.engine.step_counts import StepCount
    from storage.orders.fleet_view import DueRow
    from workers.process import Process

_COLUMNS: Final = ("ready", "published", "leased", "scheduled", "parked", "offered")


@dataclass(frozen=True, slots=True)
class ProcessLine:
    """A process as `run.json` names it, and whether it lives."""

    name: str
    pid: int | None
    alive: bool
    state: str
    restarts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look into PostgreSQL and the broker found; `problems` says what is not as it should be."""

    queues: Mapping[str, Mapping[str, int]]
    oldest_seconds: Mapping[str, float]
    messages: Mapping[str, int | None]
    tasks: Mapping[str, int]
    reviews_open: int
    reviews_overdue: int
    alerts_last_hour: int
    next_due: Sequence[DueRow]
    moments: Moments | None
    rate: float | None
    problems: Sequence[str]
    warnings: Sequence[str] = ()
    """What people should know and nothing fails by: contacts are stopped, holidays are not official yet."""


def status(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Show the fleet: processes, queues, tasks, reviews, alerts, what is due next.

    Exit code 0: healthy; 1: something is missing; 3: no fleet runs.
    """
    fleet = find(data_dir)
    processes = _processes(fleet)
    with process_of(fleet) as process:
        look = _look(process)
    problems = [
        f"{line.name} is {'gone' if line.state == 'running' else line.state}"
        for line in processes
        if not line.alive or line.state != "running"
    ]
    problems += look.problems
    if as_json:
        show_json(_document(fleet, processes, look, problems))
    else:
        _show(fleet, processes, look, problems)
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


def _look(process: Process) -> Look:
    from engine.publisher import WireUnavailable
    from runtime.mask import mask_text
    from storage.core.unavailable import StorageUnavailable
    from storage.engine.clock import BusinessClock
    from storage.engine.step_counts import StepCounts
    from storage.orders.figures import Figures
    from storage.orders.fleet_view import FleetView

    problems: list[str] = []
    messages: Mapping[str, int | None] = dict.fromkeys(process.agents.queues)
    try:
        messages = process.publisher.depths(process.agents.queues)
    except WireUnavailable as error:
        problems.append(f"the broker does not answer: {mask_text(str(error))}")
    try:
        with process.database.snapshot() as work:
            rows = StepCounts(work).by_queue()
            reviews, alerts = Figures(work).reviews(), Figures(work).alerts()
            moments = BusinessClock(work).now()
            return Look(
                queues=_by_queue(rows, process.agents.queues),
                oldest_seconds={
                    queue: max((row.oldest_seconds for row in rows if row.queue == queue), default=0.0)
                    for queue in process.agents.queues
                },
                messages=messages,
                tasks=_by_state(Figures(work).orders().by_state),
                reviews_open=reviews.open,
                reviews_overdue=reviews.overdue,
                alerts_last_hour=alerts.last_hour,
                next_due=FleetView(work).next_due(),
                moments=moments,
                rate=moments.anchor.rate,
                problems=problems,
                warnings=_warnings(process, work),
            )
    except StorageUnavailable as error:
        problems.append(f"PostgreSQL does not answer: {mask_text(str(error))}")
    return Look(
        queues={},
        oldest_seconds={},
        messages=messages,
        tasks={},
        reviews_open=0,
        reviews_overdue=0,
        alerts_last_hour=0,
        next_due=(),
        moments=None,
        rate=None,
        problems=problems,
    )


def _warnings(process: Process, work: UnitOfWork) -> list[str]:
    from storage.orders.contacts.stops import ContactStops
    from storage.orders.fleet_view import FleetView
    from tools.calendar.document import load_calendar

    warnings = [
        f"contact by {stop.channel or 'every channel'} is stopped"
        f"{f' in {stop.region}' if stop.region else ''} by {stop.stopped_by}: {stop.reason} ({stop.stop_id})"
        for stop in ContactStops(work).list()
    ]
    furthest = FleetView(work).furthest_due()
    calendar = load_calendar(process.settings.config_folder / "policies" / "calendar.yaml")
    horizon = None if furthest is None else calendar.horizon_warning(furthest.date())
    return warnings if horizon is None else [*warnings, horizon.sentence]


def _by_queue(rows: Sequence[StepCount], queues: Sequence[str]) -> dict[str, dict[str, int]]:
    found = {queue: dict.fromkeys(_COLUMNS, 0) for queue in queues}
    for row in rows:
        found.setdefault(row.queue, dict.fromkeys(_COLUMNS, 0))[row.state] = row.rows
    return found


def _by_state(counts: Mapping[str, int]) -> dict[str, int]:
    from statemachine.orders.states import State

    return {state.value: counts.get(state, 0) for state in State}


def _document(
    fleet: Fleet, processes: Sequence[ProcessLine], look: Look, problems: Sequence[str]
) -> dict[str, Any]:
    moments = look.moments
    return {
        "healthy": not problems,
        "problems": problems,
        "warnings": look.warnings,
        "data_dir": str(fleet.data_dir) if fleet.data_dir else None,
        "supervisor": fleet.document.get("supervisor"),
        "addresses": {name: fleet.document.get(name) for name in ("api", "console", "flower", "metrics")},
        "processes": list(processes),
        "queues": {
            queue: {
                **states,
                "messages": look.messages.get(queue),
                "oldest_seconds": round(look.oldest_seconds.get(queue, 0.0), 3),
            }
            for queue, states in look.queues.items()
        },
        "tasks": look.tasks,
        "reviews": {"open": look.reviews_open, "overdue": look.reviews_overdue},
        "alerts_last_hour": look.alerts_last_hour,
        "next_due": [
            {
                "task": row.subject,
                "step": row.node,
                "state": row.state,
                "due_at": row.due_at,
                "clock": row.due_clock.value,
            }
            for row in look.next_due
        ],
        "clock": {
            "business": moments.business_now if moments else None,
            "database": moments.database_now if moments else None,
            "rate": look.rate,
        },
    }


def _show(fleet: Fleet, processes: Sequence[ProcessLine], look: Look, problems: Sequence[str]) -> None:
    if fleet.data_dir is None:
        show_line("processes: not known here; the servers are those of UNPEND_DATABASE_URL")
    else:
        show_table(
            ("process", "pid", "alive", "state", "restarts"),
            [(p.name, p.pid, "yes" if p.alive else "NO", p.state, p.restarts) for p in processes],
            title=f"fleet in {fleet.data_dir}, supervisor {fleet.document.get('supervisor')}",
        )
    if look.moments is not None:
        _show_work(look)
    show_line()
    for warning in look.warnings:
        show_line(f"WARNING: {warning}")
    for problem in problems:
        show_line(f"PROBLEM: {problem}")
    if not problems:
        show_line("healthy")


def _show_work(look: Look) -> None:
    show_line()
    show_table(
        ("queue", *_COLUMNS, "messages", "oldest"),
        [
            (queue, *states.values(), _messages(look, queue), _age(look.oldest_seconds.get(queue, 0.0)))
            for queue, states in look.queues.items()
        ],
        title="rows in PostgreSQL, and messages in the broker, by queue",
    )
    show_line()
    total = sum(look.tasks.values())
    show_table(("state", "tasks"), list(look.tasks.items()), title=f"tasks by state, {total} in all")
    show_line()
    overdue = f", {look.reviews_overdue} of them overdue" if look.reviews_overdue else ""
    show_line(f"open reviews: {look.reviews_open}{overdue}")
    show_line(f"alerts in the last hour: {look.alerts_last_hour}")
    for line in _due_lines(look):
        show_line(line)


def _due_lines(look: Look) -> list[str]:
    from zoneinfo import ZoneInfo

    from tasks.orders.explain.explanation import MomentFormat, When
    from tools.contact_policy.zone import DEFAULT_ZONE

    moments = look.moments
    if moments is None:
        return []
    moment_format = MomentFormat(moments, ZoneInfo(DEFAULT_ZONE))
    lines = [
        f"oldest due row on the {row.due_clock} clock: {row.subject}, {row.node} ({row.state}), "
        f"{moment_format.until(When(row.due_at, row.due_clock))}"
        for row in look.next_due
    ]
    rate = f", running {look.rate:g} times as fast" if look.rate != 1 else ""
    lines.append(f"business clock: {moment_format.date(moments.business_now)} ({DEFAULT_ZONE}){rate}")
    return lines or ["nothing is due"]


def _messages(look: Look, queue: str) -> str:
    depth = look.messages.get(queue)
    return "?" if depth is None else str(depth)


def _age(seconds: float) -> str:
    from datetime import timedelta

    from tasks.orders.explain.explanation import span

    return span(timedelta(seconds=seconds)) if seconds else ""
