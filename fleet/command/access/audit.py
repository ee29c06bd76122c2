"""`unpend audit`: whether the audit trail is as it was written, and a copy of it that can be checked elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final

import typer

from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of
from fleet.command.output import AsJson, show_json, show_line

if TYPE_CHECKING:
    from tasks.orders.upkeep.audit_check import ChainHead, Check

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="The audit trail: verify, export. Works on the database itself."
)

_STANDARD: Final = Path("-")


@application.command("verify")
def verify(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="An export, `-` is standard input; else the database."),
    ] = None,
    data_dir: DataDir = None,
    *,
    expect: Annotated[
        str | None, typer.Option(metavar="HEAD", help="The head of an earlier check: the chain must hold it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every row and seal, and show the head of the chain: kept elsewhere, it shows later what was changed.

    Exit code 0: all agrees; 1: something does not, and the first of it is named.
    """
    kept = None if expect is None else _head(expect)
    found, unsealed = _of_database(data_dir, kept) if file is None else _of_file(file, kept)
    fault, head = found.fault, found.head
    if as_json:
        show_json(
            {
                "agrees": fault is None,
                "whole": found.whole,
                "rows": found.rows,
                "seals": found.seals,
                "erased": found.erased,
                "removed": found.removed,
                "removed_up_to": found.removed_up_to,
                "unsealed": unsealed,
                "head": None if head is None else str(head),
                "fault": fault,
            }
        )
    else:
        part = "" if found.whole else ", a part of the trail"
        show_line(
            f"{found.rows} rows under {found.seals} seals agree{part}; {unsealed} rows are not sealed yet"
        )
        if found.erased:
            show_line(f"the content of {found.erased} rows was erased; their digests agree")
        if found.removed:
            show_line(
                f"{found.removed} rows, up to seal {found.removed_up_to}, went with their months by retention; "
                "what is left under their seals agrees"
            )
        show_line(f"head: {head or 'none'}")
    if fault is not None:
        where = [f"seal {fault.seal_id}"] if fault.seal_id is not None else []
        where += [f"{fault.table_name} {fault.key or ''}".strip()] if fault.table_name else []
        raise CommandError(f"the audit trail was changed: {', '.join(where)}: {fault.what}")


@application.command("export")
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; `-` is standard output.")],
    data_dir: DataDir = None,
    by: By = None,
    *,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what was sealed from then on.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only what was sealed before.")] = None,
) -> None:
    """Write the trail as JSON lines, as it is stored; `unpend audit verify FILE` checks it without the database.

    The export is itself an entry `audit_exported` of the trail.
    """
    from fleet.direct import opened
    from tasks.orders.upkeep.audit_trail import export as lines_of_export

    who, first, past = name_of(by), _moment(since, "--since"), _moment(until, "--until")
    with opened(data_dir) as database, _writing(file) as out:
        for line in lines_of_export(database, by="operator", label=who, since=first, until=past):
            out.write(f"{line}\n")
    if file != _STANDARD:
        show_line(f"the audit trail is in {file}; `unpend audit verify {file}` checks it")


def _of_database(data_dir: Path | None, kept: ChainHead | None) -> tuple[Check, int]:
    from fleet.direct import opened
    from tasks.orders.upkeep.audit_trail import check_database

    with opened(data_dir) as database:
        return check_database(database, kept)


def _of_file(file: Path, kept: ChainHead | None) -> tuple[Check, int]:
    from tasks.orders.upkeep.audit_file import UnreadableExport, checked

    try:
        if file == _STANDARD:
            return checked(sys.stdin, kept)
        with file.open(encoding="utf-8") as lines:
            return checked(lines, kept)
    except (OSError, UnicodeDecodeError, UnreadableExport) as error:
        raise CommandError(f"{file} cannot be checked: {error}") from error


def _head(given: str) -> ChainHead:
    from tasks.orders.upkeep.audit_check import ChainHead

    number, _, digest = given.partition("-")
    if not number.isdecimal() or len(digest) != len("00") * 32:
        raise CommandError(
            "--expect is no head of a chain: give the line that `unpend audit verify` showed", 2
        )
    return ChainHead(int(number), digest)


def _moment(given: str | None, option: str) -> datetime | None:
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise CommandError(f"{option} is no moment, as 2026-09-01T08:00:00+08:00", 2) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@contextmanager
def _writing(file: Path) -> Iterator[IO[Any]]:
    """The file, readable by its owner alone."""
    if file == _STANDARD:
        yield sys.stdout
        return
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:  # noqa: PTH123 - of a descriptor
            yield out
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from error
