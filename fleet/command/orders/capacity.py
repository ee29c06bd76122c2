"""`unpend capacity`: how many visits engineers have room for, by region and day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir, opened
from fleet.command.orders.task import By, name_of, text_of
from fleet.command.output import AsJson, show_json, show_line, show_table

if TYPE_CHECKING:
    from storage.orders.capacity import DayCapacity

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
    by: By = "operator",
    data_dir: DataDir = None,
) -> None:
    """Give a day of a region its capacity; with the first one the region is limited."""
    from storage.access.system_audit import SystemAudit
    from storage.orders.capacity import Capacity, DayCapacity

    first, named, name = _day(day, "DAY"), _region(region), name_of(by)
    wanted = [
        DayCapacity(region=named, day=first + timedelta(days=nth), capacity=visits) for nth in range(days)
    ]
    with opened(data_dir) as database, database.transaction() as work:
        refused = Capacity(work).set(wanted)
        if not refused:
            SystemAudit(work).write(name, "capacity.set", {"days": days, "regions": [named]})
    if refused:
        booked = ", ".join(f"{one.day} ({one.booked} booked)" for one in refused)
        raise CommandError(f"more visits are booked than there would be room for: {booked}; nothing changed")
    until = f" to {wanted[-1].day}" if days > 1 else ""
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
    from storage.engine.clock import BusinessClock
    from storage.orders.capacity import Capacity

    named = _region(region) if region else None
    with opened(data_dir) as database, database.snapshot() as work:
        begin = _day(first, "--from") if first else BusinessClock(work).now().business_now.date()
        end = _day(last, "--to") if last else begin + _AHEAD
        days = Capacity(work).days(region=named, first=begin, last=end, limit=limit)
    if as_json:
        show_json([_document(day) for day in days])
        return
    if not days:
        show_line(f"no capacity is set from {begin} to {end}; a region without any is not limited")
        return
    show_table(
        ("day", "region", "capacity", "booked", "free"),
        [(str(day.day), day.region, day.capacity, day.booked, day.free) for day in days],
    )


def _document(day: DayCapacity) -> dict[str, object]:
    return {
        "region": day.region,
        "day": day.day.isoformat(),
        "capacity": day.capacity,
        "booked": day.booked,
        "free": day.free,
    }


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
