"""`unpend stop`: the emergency stop of all outbound contact. Works on the database while the API is down."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fleet.command.client import ADMIN, connected_or_direct, moment, refusals, segment
from fleet.command.failure import CommandError, Commands, warn
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of, text_of
from fleet.command.output import AsJson, show_json, show_line, show_table
from schemas.orders.contact import Channel

application = typer.Typer(
    cls=Commands,
    help="Stop contacting people, at once and everywhere; `list` shows what is stopped, `lift` ends it.",
    invoke_without_command=True,
)

StopId = Annotated[str, typer.Argument(metavar="ID", help="A stop_id, as `unpend stop list` shows it.")]


@application.callback()
def stop(
    context: typer.Context,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; required.")] = None,
    channel: Annotated[Channel | None, typer.Option("--channel", help="Only this channel.")] = None,
    region: Annotated[
        str | None,
        typer.Option(
            "--region", help="Only orders whose region begins so (上海 or 上海市); none without one."
        ),
    ] = None,
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """Stop contacting people: no call, text or message leaves once this has returned."""
    if context.invoked_subcommand is not None:
        return
    if reason is None or not reason.strip():
        raise CommandError("--reason must say why contacts are stopped", 2)
    if region is not None and not region.strip():
        raise CommandError("--region must name one; leave it out for every region", 2)
    wanted = {
        "reason": text_of(reason, "--reason"),
        "channel": channel,
        "region": region and text_of(region, "--region"),
        "by": name_of(by),
    }
    with connected_or_direct(data_dir) as api:
        answer = api.post("contact/stops", wanted)
    raised, held, without_region = answer["stop"], answer["orders_held"], answer["orders_without_region"]
    if answer["outcome"] == "applied":
        show_line(f"stopped: {_scope(raised)}; `unpend stop lift {raised['stop_id']}` ends it")
    else:
        show_line(f"{_scope(raised)} was stopped before, by {raised['stopped_by']}: {raised['stop_id']}")
    show_line(f"it holds {held} of {answer['orders_open']} open orders, and later ones of its scope")
    if raised["region"] is None:
        return
    if without_region:
        warn(f"{without_region} open orders name no region and are not held; leave out --region for those")
    if not held:
        warn(
            f"no open order is in {raised['region']}; `unpend task show ID` shows how an order's region is written"
        )


@application.command("list")
def list_stops(
    data_dir: DataDir = None,
    *,
    lifted: Annotated[bool, typer.Option("--lifted", help="Those that were lifted, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List stops, the newest first."""
    with connected_or_direct(data_dir) as api:
        stops = api.get("contact/stops", lifted=lifted, limit=500)["stops"]
    if as_json:
        show_json(stops)
        return
    if not stops:
        show_line("nothing is stopped" if not lifted else "nothing was ever stopped")
        return
    show_table(
        ("stop", "what", "reason", "by", "since", "lifted"),
        [
            (
                stop["stop_id"],
                _scope(stop),
                stop["reason"],
                stop["stopped_by"],
                _shown(stop["stopped_at"]),
                f"{_shown(stop['lifted_at'])} by {stop['lifted_by']}" if stop["lifted_at"] else "",
            )
            for stop in stops
        ],
    )


@application.command("lift")
def lift(stop_id: StopId, by: By = None, data_dir: DataDir = None) -> None:
    """Lift a stop; what it held goes on within 15 seconds."""
    who = name_of(by)
    unknown = f"there is no stop {stop_id}; `unpend stop list` shows what is stopped"
    with connected_or_direct(data_dir, ADMIN) as api, refusals(not_found=unknown):
        answer = api.post(f"contact/stops/{segment(stop_id)}/lift", {"by": who})
    stop = answer["stop"]
    outcome = "is lifted" if answer["outcome"] == "applied" else f"was lifted before, by {stop['lifted_by']}"
    show_line(f"stop {stop['stop_id']} ({_scope(stop)}) {outcome}")


def _scope(stop: dict[str, Any]) -> str:
    channel = f"contact by {stop['channel']}" if stop["channel"] else "all contact"
    return channel + (f" in {stop['region']}" if stop["region"] else "")


def _shown(written: str) -> str:
    return f"{moment(written):%Y-%m-%d %H:%M %Z}"
