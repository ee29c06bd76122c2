"""`unpend do-not-call`: numbers that must not be contacted. Works on the database while the API is down."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from fleet.command.client import ADMIN, ApiRefused, connected_or_direct, moment, refusals, segment
from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of, text_of
from fleet.command.output import AsJson, show_json, show_line, show_table
from schemas.orders.contact import Channel

if TYPE_CHECKING:
    from runtime.phone import Phone

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
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """Contact a number no more, or by one channel no more; orders that have no channel left go to a person."""
    if not reason.strip():
        raise CommandError("--reason must say why", 2)
    end = _moment(until)
    wanted = {
        "by": name_of(by),
        "phone": _phone(phone).e164,
        "channel": channel,
        "until": end.isoformat() if end else None,
        "reason": text_of(reason, "--reason"),
    }
    with connected_or_direct(data_dir) as api:
        try:
            answer = api.post("contact/do-not-call", wanted)
        except ApiRefused as error:
            if error.field == "until":
                raise CommandError(f"--until{str(error).removeprefix('until:')}", 2) from error
            raise
    entry = _entry(answer["entry"])
    outcome = "is not contacted any more" if answer["outcome"] == "applied" else "was on the list before"
    show_line(f"{entry['masked']} {outcome}: {entry['entry_id']}{_extent(entry)}")


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
    number = None if phone is None else _phone(phone).e164
    with connected_or_direct(data_dir) as api:
        # A number goes in the body of a request: addresses are written into logs.
        found = (
            api.rows("contact/do-not-call", "entries", limit, ended=ended)
            if number is None
            else api.post("contact/do-not-call/find", {"phone": number, "ended": ended})["entries"][:limit]
        )
    entries = [_entry(entry) for entry in found]
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
                *(entry[name] for name in ("entry_id", "masked", "added_by", "reason")),
                entry["channel"] or "all",
                _shown(entry["added_at"]),
                _end(entry),
                entry["task_id"],
            )
            for entry in entries
        ],
    )


@application.command("lift")
def lift(
    entry_id: Annotated[
        str, typer.Argument(metavar="ID", help="An entry_id, as `unpend do-not-call list` shows it.")
    ],
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """Allow a number again; the entry stays in the record."""
    who = name_of(by)
    unknown = f"there is no entry {entry_id}; `unpend do-not-call list` shows them"
    with connected_or_direct(data_dir, ADMIN) as api, refusals(not_found=unknown):
        answer = api.post(f"contact/do-not-call/{segment(entry_id)}/lift", {"by": who})
    entry = _entry(answer["entry"])
    outcome = "is lifted" if answer["outcome"] == "applied" else f"was lifted before, by {entry['lifted_by']}"
    show_line(f"entry {entry['entry_id']} ({entry['masked']}) {outcome}")


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


def _entry(view: dict[str, Any]) -> dict[str, Any]:
    """An entry as the command shows it: the API's `phone`, which is masked, is called so."""
    return {"masked" if name == "phone" else name: value for name, value in view.items()}


def _extent(entry: dict[str, Any]) -> str:
    channel = f", by {entry['channel']} only" if entry["channel"] else ""
    return channel + (f", until {_shown(entry['until'])}" if entry["until"] else "")


def _end(entry: dict[str, Any]) -> str:
    if entry["lifted_at"] is not None:
        return f"lifted {_shown(entry['lifted_at'])} by {entry['lifted_by']}"
    return "" if entry["until"] is None else _shown(entry["until"])


def _shown(written: str) -> str:
    return f"{moment(written):%Y-%m-%d %H:%M %Z}"
