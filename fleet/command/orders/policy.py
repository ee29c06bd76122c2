"""`unpend policy`: whether the policy files can be used, and what they say of one order now."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir, joined
from fleet.command.output import AsJson, show_json, show_line

if TYPE_CHECKING:
    from datetime import datetime

    from tasks.orders.explain.next_step import NextStep

application = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="The contact policy: check its files, explain what it says of an order.",
)


@application.command("check")
def check(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            envvar="UNPEND_CONFIG_FOLDER",
            help="The configuration folder; the project's own.",
            show_default=False,
        ),
    ] = None,
    contact_policy: Annotated[
        str,
        typer.Option(
            "--contact-policy", envvar="UNPEND_CONTACT_POLICY", help="The policy that contact.yaml must hold."
        ),
    ] = "standard",
) -> None:
    """Check the policy files; names the file and the field of whatever cannot be used. Needs no fleet."""
    from runtime.settings import PROJECT
    from schemas.core.configuration import PolicyFileError
    from tools.calendar.business import Calendar
    from tools.policies.folder import look

    faults = []
    for path, found in look(config or PROJECT / "config", contact_policy).items():
        if isinstance(found, PolicyFileError):
            faults.append(str(found))
            continue
        told = f"; holidays are official until {found.official_until}" if isinstance(found, Calendar) else ""
        show_line(f"{path}: can be used{told}")
    if faults:
        raise CommandError("\n".join(faults))


@application.command("explain")
def explain(
    task_id: Annotated[str, typer.Argument(metavar="ID", help="A task_id such as HT20260313001.")],
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say what the contact policy says of an order now: the next channel, hours, caps, and the earliest moment."""
    from tasks.orders.explain.next_step import next_step_of

    with joined(data_dir) as process, process.database.snapshot() as work:
        next_step = next_step_of(work, process.context, task_id)
    if next_step is None:
        raise CommandError(f"there is no task {task_id}; `unpend task list` shows the newest")
    if as_json:
        show_json(_document(next_step))
    else:
        _show(next_step)


def _document(next_step: NextStep) -> dict[str, Any]:
    document = asdict(next_step)
    document["gap_seconds"] = document.pop("gap").total_seconds()
    document["days"] = [{**asdict(day), "day": day.day.isoformat()} for day in next_step.days]
    document["caps"] = [
        {"limit": each.cap.limit, "period_seconds": each.cap.period.total_seconds(), "used": each.used}
        for each in next_step.caps
    ]
    return document


def _show(next_step: NextStep) -> None:
    zone = ZoneInfo(next_step.zone)
    channel = next_step.channel or "none left"
    show_line(f"{next_step.task_id} ({next_step.state}, {next_step.mode}) by the policy '{next_step.policy}'")
    show_line(f"  now       {_moment(next_step.now, zone)} for the customer ({next_step.zone})")
    if next_step.attempt <= next_step.max_attempts:
        show_line(
            f"  next      attempt {next_step.attempt} of {next_step.max_attempts}, "
            f"round {next_step.round} of {next_step.max_rounds}, by {channel}"
        )
    else:
        show_line(f"  next      none: all {next_step.max_attempts} attempts of this round are used up")
    for day in next_step.days:
        show_line(f"  {day.day:%a %m-%d} {', '.join(day.windows) or 'closed'} ({day.kind})")
    last = _moment(next_step.last_contact, zone) if next_step.last_contact else "never"
    show_line(f"  gap       {next_step.gap.total_seconds() / 3600:g} h; last contact {last}")
    per_day = "no limit" if next_step.max_per_day is None else f"{next_step.max_per_day}"
    show_line(f"  today     {next_step.contacts_today} of {per_day}")
    if not next_step.number_known:
        show_line("  caps      the number is masked or missing: nothing is counted or barred by it")
    for each in next_step.caps if next_step.number_known else ():
        show_line(f"  cap       {each.used} of {each.cap.limit} in {each.cap.period.total_seconds():g} s")
    _show_entries(next_step, zone)
    for reason in next_step.stops:
        show_line(f"  STOPPED   {reason}")
    if next_step.budget is not None:
        show_line(f"  budget    {next_step.budget_spent} of {next_step.budget} by {channel} today")
    if next_step.agreed_at is not None:
        show_line(f"  agreed    {_moment(next_step.agreed_at, zone)}")
    never = "when the stop is lifted" if next_step.withheld else "never"
    earliest = never if next_step.earliest is None else _moment(next_step.earliest, zone)
    show_line(f"  earliest  {earliest}: {next_step.reason or 'it is permitted now'}")
    if next_step.warning is not None:
        show_line(f"  WARNING   {next_step.warning}")


def _show_entries(next_step: NextStep, zone: ZoneInfo) -> None:
    if not next_step.do_not_call:
        show_line("  do not call: no")
    for entry in next_step.do_not_call:
        until = "for ever" if entry.until is None else f"until {_moment(entry.until, zone)}"
        by = f"by {entry.channel}" if entry.channel else "by any channel"
        show_line(
            f"  do not call: {by}, {until}; {entry.added_by} said so: {entry.reason} ({entry.entry_id})"
        )


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M:%S}"
