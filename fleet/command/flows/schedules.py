"""`unpend schedules`: shows which workflows begin by the clock, and when next."""

from __future__ import annotations

import typer

from fleet.command.client import ADMIN, connected, moment
from fleet.command.failure import Commands
from fleet.command.location import DataDir
from fleet.command.output import AsJson, show_json, show_line, show_table

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Workflows that begin by the clock: list them."
)


@application.callback()
def schedules() -> None:
    """Workflows that begin by the clock."""


@application.command("list")
def list_schedules(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """List the schedules of active workflows with their next time."""
    with connected(data_dir, ADMIN) as api:
        found = api.get("schedules")["schedules"]
    if as_json:
        show_json(found)
        return
    if not found:
        show_line("no active workflow has a schedule (docs/triggers.md)")
        return
    show_table(
        ("workflow", "cron", "in words", "zone", "next", "waiting"),
        [
            (
                f"{each['workflow']}@{each['version']}",
                each["cron"],
                each["words"],
                each["timezone"],
                moment(each["next_due"]),
                str(len(each["queued"])),
            )
            for each in found
        ],
    )
