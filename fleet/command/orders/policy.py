"""`unpend policy`: whether the policy files can be used, and what they say of one order now."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from fleet.command.client import connected, moment, refusals, segment
from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir
from fleet.command.orders.task import unknown
from fleet.command.output import AsJson, show_json, show_line

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
        holidays = (
            f"; holidays are official until {found.official_until}" if isinstance(found, Calendar) else ""
        )
        show_line(f"{path}: can be used{holidays}")
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
    with connected(data_dir) as api, refusals(not_found=unknown(task_id)):
        found = api.get(f"tasks/{segment(task_id)}/contact-policy")
    if as_json:
        show_json(found)
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    zone = ZoneInfo(found["zone"])
    channel = found["channel"] or "none left"
    show_line(f"{found['task_id']} ({found['state']}, {found['mode']}) by the policy '{found['policy']}'")
    show_line(f"  now       {_moment(found['now'], zone)} for the customer ({found['zone']})")
    if found["attempt"] <= found["max_attempts"]:
        show_line(
            f"  next      attempt {found['attempt']} of {found['max_attempts']}, "
            f"round {found['round']} of {found['max_rounds']}, by {channel}"
        )
    else:
        show_line(f"  next      none: all {found['max_attempts']} attempts of this round are used up")
    for day in found["days"]:
        windows = ", ".join(day["windows"]) or "closed"
        show_line(f"  {date.fromisoformat(day['day']):%a %m-%d} {windows} ({day['kind']})")
    last = _moment(found["last_contact"], zone) if found["last_contact"] else "never"
    show_line(f"  gap       {found['gap_seconds'] / 3600:g} h; last contact {last}")
    per_day = "no limit" if found["max_per_day"] is None else f"{found['max_per_day']}"
    show_line(f"  today     {found['contacts_today']} of {per_day}")
    if not found["number_known"]:
        show_line("  caps      the number is masked or missing: nothing is counted or barred by it")
    for each in found["caps"] if found["number_known"] else ():
        show_line(f"  cap       {each['used']} of {each['limit']} in {each['period_seconds']:g} s")
    _show_entries(found, zone)
    for reason in found["stops"]:
        show_line(f"  STOPPED   {reason}")
    if found["budget"] is not None:
        show_line(f"  budget    {found['budget_spent']} of {found['budget']} by {channel} today")
    if found["agreed_at"] is not None:
        show_line(f"  agreed    {_moment(found['agreed_at'], zone)}")
    never = "when the stop is lifted" if found["withheld"] else "never"
    earliest = never if found["earliest"] is None else _moment(found["earliest"], zone)
    show_line(f"  earliest  {earliest}: {found['reason'] or 'it is permitted now'}")
    if found["warning"] is not None:
        show_line(f"  WARNING   {found['warning']}")


def _show_entries(found: dict[str, Any], zone: ZoneInfo) -> None:
    if not found["do_not_call"]:
        show_line("  do not call: no")
    for entry in found["do_not_call"]:
        until = "for ever" if entry["until"] is None else f"until {_moment(entry['until'], zone)}"
        by = f"by {entry['channel']}" if entry["channel"] else "by any channel"
        show_line(
            f"  do not call: {by}, {until}; {entry['added_by']} said so: {entry['reason']} ({entry['entry_id']})"
        )


def _moment(written: str, zone: ZoneInfo) -> str:
    return f"{moment(written).astimezone(zone):%a %Y-%m-%d %H:%M:%S}"
