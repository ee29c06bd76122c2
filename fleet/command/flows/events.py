"""`unpend events`: tells what has happened, so that workflows with a trigger for it begin."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from fleet.command.client import ADMIN, connected
from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir
from fleet.command.orders.task import text_of
from fleet.command.output import AsJson, show_json, show_line

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Events that begin runs of workflows: send one."
)


@application.callback()
def events() -> None:
    """Events that begin runs of workflows."""


@application.command("send")
def send(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The event's name, such as refund.requested.")],
    payload: Annotated[str, typer.Option("--payload", help="What it carries, as JSON.")] = "{}",
    event_id: Annotated[
        str | None, typer.Option("--id", help="The sender's own id: the same again begins nothing twice.")
    ] = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Send an event; show the runs that began with it."""
    sent: dict[str, Any] = {"name": text_of(name, "NAME"), "payload": _read(payload)}
    if event_id is not None:
        sent["id"] = event_id
    with connected(data_dir, ADMIN) as api:
        taken = api.post("events", sent)
    if as_json:
        show_json(taken)
        return
    again = "was here before; it" if taken["repeated"] else "has come; it"
    begun = ", ".join(taken["runs"]) or "no run"
    refused = f", and {taken['refused']} could not begin (`unpend intake list`)" if taken["refused"] else ""
    show_line(f"event {name} {again} began {begun}{refused}")


def _read(payload: str) -> object:
    try:
        return json.loads(payload)
    except ValueError as error:
        raise CommandError(f"--payload is no JSON: {error}", 2) from error
