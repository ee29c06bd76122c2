"""`unpend report`: what happened on a day, as a file to read, to print, or to calculate with."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from zoneinfo import ZoneInfo

import typer

from fleet.command.client import connected, moment
from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir
from fleet.command.output import show_line

if TYPE_CHECKING:
    from fleet.command.client import Client

application = typer.Typer(cls=Commands, no_args_is_help=True, help="Reports for people: daily.")

_ZONE: Final = ZoneInfo("Asia/Shanghai")
_STANDARD: Final = Path("-")


class FileForm(StrEnum):
    """The forms of a report, as the API names them."""

    MARKDOWN = "md"
    HTML = "html"
    CSV = "csv"
    PDF = "pdf"


class FileLanguage(StrEnum):
    """The languages of a report, as the API names them."""

    CHINESE = "zh"
    ENGLISH = "en"


@application.command("daily")
def daily(
    data_dir: DataDir = None,
    day: Annotated[
        str | None, typer.Option(metavar="DATE", help="A business day, as 2026-11-30; yesterday.")
    ] = None,
    form: Annotated[FileForm, typer.Option("--format", help="Its form.")] = FileForm.MARKDOWN,
    language: Annotated[FileLanguage, typer.Option(help="Its language.")] = FileLanguage.CHINESE,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write it; `-` is standard output."),
    ] = _STANDARD,
) -> None:
    """Report a day beside the day before: volume, contacts, automation, reviews, alerts, lateness, ledger."""
    with connected(data_dir) as client:
        wanted = _yesterday(client) if day is None else _day(day)
        content = client.content(f"reports/daily/{wanted}", format=form.value, language=language.value)
    if output == _STANDARD:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}") from error
    show_line(f"the report of {wanted} is in {output}")


def _yesterday(client: Client) -> date:
    """The last business day that is over, by the fleet's clock."""
    work = client.get("overview")["work"]
    if work is None:
        raise CommandError("the fleet does not say what day it is; name one by --day")
    today: date = moment(work["clock"]["business"]).astimezone(_ZONE).date()
    return today - timedelta(days=1)


def _day(given: str) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise CommandError("--day is no date, as 2026-11-30", 2) from error
