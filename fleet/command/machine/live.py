"""`unpend live`: the live state of open tasks in Redis, written anew from PostgreSQL."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final

import typer

from fleet.command.client import ADMIN, connected
from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir
from fleet.command.output import AsJson, show_json, show_line

if TYPE_CHECKING:
    from fleet.command.client import Client

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="The live state of open tasks in Redis (docs/live_state.md)."
)

_PAUSE_SECONDS: Final = 0.2
_SILENCE_SECONDS: Final = 60.0
"""How long nothing may go on before nobody is taken to be at it."""


@application.callback()
def live() -> None:
    """Keep `rebuild` a command of its own: a single one would stand for the group."""


@application.command("rebuild")
def rebuild(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Write the live state anew from PostgreSQL, and wait until it is; the fleet goes on meanwhile."""
    with connected(data_dir, ADMIN) as api:
        api.post("live/rebuild")
        found = _followed(api)
    if as_json:
        show_json(found)
    else:
        tasks = sum(sum(by_state.values()) for by_state in found["open"].values())
        show_line(f"the live state of {tasks} open tasks is written anew")


def _followed(api: Client) -> Any:
    """The live state once it is rebuilt; shows how far that is.

    Raises:
        CommandError: Redis is away, or no worker rebuilds it.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("rebuilding"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("rebuilding", total=None)
        before, changed_at = None, time.monotonic()
        while True:
            found = api.get("live")
            place = (found["condition"], found["rebuilt"])
            if found["condition"] == "current":
                return found
            if found["condition"] == "away":
                raise CommandError("Redis does not answer; the live state is rebuilt once it does")
            if place != before:
                before, changed_at = place, time.monotonic()
            elif time.monotonic() - changed_at > _SILENCE_SECONDS:
                raise CommandError(
                    "nobody rebuilds it: see in `unpend status` whether beat and the worker outbound run"
                )
            progress.update(bar, completed=found["rebuilt"] or 0, total=found["total"])
            time.sleep(_PAUSE_SECONDS)
