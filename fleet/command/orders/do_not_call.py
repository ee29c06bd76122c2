"""`unpend do-not-call`: numbers that must not be contacted. Needs the database and the index key."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir, find, opened
from fleet.command.orders.task import By, name_of, text_of
from fleet.command.output import AsJson, show_json, show_line, show_table
from schemas.orders.contact import Channel

if TYPE_CHECKING:
    from runtime.phone import Phone
    from storage.orders.contacts.do_not_call import Entry

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Numbers that must not be contacted: add, list, lift."
)

_STANDARD_INPUT = "-"


@application.command("add")
def add(
    phone: Annotated[
        str,
        typer.Argument(
            metavar="PHONE",
            help="The number; `-` reads it from standard input, where no process list shows it.",
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    channel: Annotated[Channel | None, typer.Option("--channel", help="Only by this channel.")] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", help="Until then, such as 2026-05-01 or with a time; else for ever."),
    ] = None,
    by: By = "operator",
    data_dir: DataDir = None,
) -> None:
    """Contact a number no more, or by one channel no more; orders that have no channel left go to a person."""
    from runtime.blind_index import BlindIndex
    from tasks.orders.people.barring import AlreadyOver, bar_number

    if not reason.strip():
        raise CommandError("--reason must say why", 2)
    who, number, end = name_of(by), _phone(phone), _moment(until)
    blind_index = BlindIndex.of_settings(find(data_dir).settings)
    why = text_of(reason, "--reason")
    with opened(data_dir) as database:
        try:
            entry, is_new = bar_number(
                database, blind_index, number, channel=channel, reason=why, until=end, by=who
            )
        except AlreadyOver as error:
            raise CommandError(f"--until {error}", 2) from error
    told = "is not contacted any more" if is_new else "was on the list before"
    show_line(f"{entry.masked} {told}: {entry.entry_id}{_extent(entry)}")


@application.command("list")
def list_entries(
    phone: Annotated[
        str | None, typer.Option("--phone", help="Only of this number; `-` reads it from standard input.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    data_dir: DataDir = None,
    *,
    ended: Annotated[bool, typer.Option("--ended", help="Those that were lifted or are over, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List entries, the newest first; numbers masked."""
    from runtime.blind_index import BlindIndex
    from storage.orders.contacts.do_not_call import DoNotCall

    number = None
    if phone is not None:
        number = BlindIndex.of_settings(find(data_dir).settings).mark(_phone(phone))
    with opened(data_dir) as database, database.snapshot() as work:
        entries = DoNotCall(work).list(number=number, ended=ended, limit=limit)
    if as_json:
        show_json(entries)
        return
    if not entries:
        show_line("the list is empty" if number is None else "the number is not on the list")
        return
    show_table(
        ("entry", "number", "by", "why", "channel", "since", "until", "task"),
        [
            (
                entry.entry_id,
                entry.masked,
                entry.added_by,
                entry.reason,
                entry.channel or "all",
                f"{entry.added_at:%Y-%m-%d %H:%M %Z}",
                _end(entry),
                entry.task_id,
            )
            for entry in entries
        ],
    )


@application.command("lift")
def lift(
    entry_id: Annotated[
        str, typer.Argument(metavar="ID", help="An entry_id, as `unpend do-not-call list` shows it.")
    ],
    by: By = "operator",
    data_dir: DataDir = None,
) -> None:
    """Allow a number again; the entry stays in the record."""
    from tasks.orders.people.barring import allow_number

    who = name_of(by)
    with opened(data_dir) as database:
        entry, is_lifted = allow_number(database, entry_id, by=who)
    if entry is None:
        raise CommandError(f"there is no entry {entry_id}; `unpend do-not-call list` shows them")
    told = "is lifted" if is_lifted else f"was lifted before, by {entry.lifted_by}"
    show_line(f"entry {entry.entry_id} ({entry.masked}) {told}")


def _phone(text: str) -> Phone:
    from runtime.phone import normalise

    written = sys.stdin.readline().strip() if text == _STANDARD_INPUT else text
    phone = normalise(written)
    if phone is None:
        raise CommandError("this is no phone number that can be called: it is masked or malformed", 2)
    return phone


def _moment(text: str | None) -> datetime | None:
    from tools.contact_policy.zone import DEFAULT_ZONE

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            "--until is not a moment such as 2026-05-01 or 2026-05-01T14:00+08:00", 2
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(DEFAULT_ZONE))


def _extent(entry: Entry) -> str:
    channel = f", by {entry.channel} only" if entry.channel else ""
    return channel + (f", until {entry.until:%Y-%m-%d %H:%M %Z}" if entry.until else "")


def _end(entry: Entry) -> str:
    if entry.lifted_at is not None:
        return f"lifted {entry.lifted_at:%Y-%m-%d %H:%M %Z} by {entry.lifted_by}"
    return "" if entry.until is None else f"{entry.until:%Y-%m-%d %H:%M %Z}"
