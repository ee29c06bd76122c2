"""`unpend workflow import | export | draw`: BPMN files in and out, and pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fleet.command.client import ADMIN, connected, refusals, segment
from fleet.command.failure import CommandError
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of, text_of
from fleet.command.output import AsJson, show_json, show_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_REJECTED = 2
"""The exit code of a file that is rejected."""

BpmnFile = Annotated[Path, typer.Argument(metavar="FILE", help="A BPMN 2.0 file.")]
Written = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where to write it; else to the terminal."),
]
Version = Annotated[
    str, typer.Argument(metavar="NAME@VERSION", help="A version; `unpend workflow list` shows them.")
]


def import_file(
    file: BpmnFile,
    by: By = None,
    data_dir: DataDir = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only say what would become of it; nothing is kept.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take a BPMN file in: every process of it is kept as a draft, or nothing; exit 2 when it is rejected."""
    from fleet.command.http_api import WrittenText

    who = name_of(by)
    with connected(data_dir, ADMIN) as api:
        sent = WrittenText(file.read_bytes(), "application/xml")
        found = api.post("workflows/import", sent, by=who, check=check or None)
    if as_json:
        show_json(found)
    else:
        _tell(file, found, kept=not check)
    if found["outcome"] == "rejected":
        raise typer.Exit(_REJECTED)


def export(version: Version, output: Written = None, data_dir: DataDir = None) -> None:
    """Write a version as a BPMN 2.0 file, with its diagram."""
    _write(version, "bpmn", output, data_dir)


def draw(version: Version, output: Written = None, data_dir: DataDir = None) -> None:
    """Draw a version as an SVG picture."""
    _write(version, "diagram.svg", output, data_dir)


def _write(version: str, form: str, output: Path | None, data_dir: Path | None) -> None:
    name, _, number = text_of(version, "NAME@VERSION").partition("@")
    if not name or not number:
        raise CommandError("name a version as NAME@VERSION, such as pending_task@1.0", 2)
    unknown = refusals(not_found=f"there is no workflow {version}; `unpend workflow list` shows them")
    with connected(data_dir, ADMIN) as api, unknown:
        content = api.content(f"workflows/{segment(name)}/{segment(number)}/{form}")
    if output is None:
        sys.stdout.buffer.write(content)
    else:
        output.write_bytes(content)
        show_line(f"{version} is written to {output}")


def _tell(file: Path, found: Mapping[str, Any], *, kept: bool) -> None:
    for each in found["problems"]:
        show_line(_remark(file, each))
    for each in found["definitions"]:
        named = f"{each['workflow']}@{each['version']}"
        state = "can be activated" if each["ready"] else "has open points"
        show_line(f"{named}: {each['flow_nodes']} flow nodes, {state}{'; it is a draft' if kept else ''}")
    _tell_remarks(file, "open", found["open_points"])
    _tell_remarks(file, "kept, not run", found["notes"])
    if found["outcome"] == "rejected":
        show_line(f"{file} is rejected; nothing of it is kept")


def _tell_remarks(file: Path, what: str, remarks: Sequence[Mapping[str, Any]]) -> None:
    for each in remarks:
        show_line(f"{what}: {_remark(file, each)}")


def _remark(file: Path, remark: Mapping[str, Any]) -> str:
    place = f"{file}:{remark['line']}" if remark["line"] else f"{file}"
    return f"{place}: {remark['message']}"
