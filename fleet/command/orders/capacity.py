"""`unpend capacity`: how many visits engineers have room for, by region and day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Final

import typer

from fleet.command.client import ADMIN, Client, connected, moment, refusals
from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of, text_of
from fleet.command.output import AsJson, show_json, show_line, show_table

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="How many visits engineers have room for: set, list."
)

_LONGEST_REGION: Final = 64
_MOST: Final = 1_000_000
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2199
_AHEAD: Final = timedelta(days=30)


@application.command("set")
def set_capacity(
    region: Annotated[str, typer.Argument(metavar="REGION", help="As orders name it; else `default`.")],
    day: Annotated[str, typer.Argument(metavar="DAY", help="Such as 2026-03-16.")],
    visits: Annotated[int, typer.Argument(metavar="N", min=0, max=_MOST, help="Visits there is room for.")],
    days: Annotated[int, typer.Option(min=1, max=400, help="So many days in a row, from DAY on.")] = 1,
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """Give a day of a region its capacity; with the first one the region is limited."""
    first, named, name = _day(day, "DAY"), _region(region), name_of(by)
    last = first + timedelta(days=days - 1)
    wanted = [
        {"region": named, "day": (first + timedelta(days=nth)).isoformat(), "capacity": visits}
        for nth in range(days)
    ]
    with connected(data_dir, ADMIN) as api, refusals(conflict=_overbooked):
        api.put("capacity", {"days": wanted}, by=name)
    until = f" to {last}" if days > 1 else ""
    show_line(f"{named} has room for {visits} visits on {first}{until}")


@application.command("list")
def list_capacity(
    region: Annotated[str | None, typer.Option(metavar="REGION", help="Of this region only.")] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="From this day on; today.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="To this day; 30 days on.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 500,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List what regions have room for, and how much of it is booked."""
    named = _region(region) if region else None
    with connected(data_dir, ADMIN) as api:
        begin = _day(first, "--from") if first else _today(api)
        end = _day(last, "--to") if last else begin + _AHEAD
        span = {"from": begin.isoformat(), "to": end.isoformat()}
        found = api.rows("capacity", "days", limit, region=named, **span)
    if as_json:
        show_json(found)
        return
    if not found:
        show_line(f"no capacity is set from {begin} to {end}; a region without any is not limited")
        return
    show_table(
        ("day", "region", "capacity", "booked", "free"),
        [tuple(each[name] for name in ("day", "region", "capacity", "booked", "free")) for each in found],
    )


def _overbooked(details: Mapping[str, Any]) -> str:
    booked = ", ".join(f"{each['day']} ({each['booked']} booked)" for each in details["days"])
    return f"more visits are booked than there would be room for: {booked}; nothing changed"


def _today(api: Client) -> date:
    """The day it is on the business clock."""
    today: date = moment(api.get("overview")["work"]["clock"]["business"]).date()
    return today


def _day(written: str, option: str) -> date:
    try:
        day = date.fromisoformat(written)
    except ValueError as error:
        raise CommandError(f"{option} must be a day such as 2026-03-16", 2) from error
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise CommandError(f"{option} must lie in the years {_FIRST_YEAR} to {_LAST_YEAR}", 2)
    return day


def _region(written: str) -> str:
    region = text_of(written, "REGION")
    if not 0 < len(region) <= _LONGEST_REGION or any(character.isspace() for character in region):
        raise CommandError(f"REGION must have 1 to {_LONGEST_REGION} characters, none of them a space", 2)
    return region
