"""`unpend workflow migrate` and `unpend workflow replay`: runs and the versions of their workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from fleet.command.client import ADMIN, connected, refusals, segment
from fleet.command.failure import CommandError
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of, text_of
from fleet.command.output import AsJson, show_json, show_line

RunIds = Annotated[
    list[str] | None, typer.Option("--run", metavar="RUN_ID", help="This run; may be given several times.")
]


def migrate(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A workflow.")],
    before: Annotated[str, typer.Argument(metavar="FROM", help="The version of the runs.")],
    after: Annotated[str, typer.Argument(metavar="TO", help="The version in which they are to go on.")],
    step: Annotated[
        list[str] | None,
        typer.Option(
            "--step", metavar="OLD=NEW", help="What a step is called in the new version; several times."
        ),
    ] = None,
    run: RunIds = None,
    by: By = None,
    data_dir: DataDir = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let open runs go on in another version, all of FROM or those named; exit 1 when one could not."""
    body = {
        "from": text_of(before, "FROM"),
        "to": text_of(after, "TO"),
        "steps": dict(_pair(each) for each in step or ()),
        "runs": run or None,
        "dry_run": dry_run,
    }
    who, found, following = name_of(by), [], None
    with connected(data_dir, ADMIN) as api, refusals(not_found=f"there is no such version of '{name}'"):
        while True:
            path = f"workflows/{segment(text_of(name, 'NAME'))}/migrations"
            answer = api.post(path, body | {"next": following}, by=who)
            found += answer["runs"]
            following = answer["next"]
            if following is None:
                break
    stayed = [each for each in found if not each["moved"]]
    if as_json:
        show_json(found)
    else:
        for each in stayed:
            show_line(f"{each['run_id']}{' (later)' if each['later'] else ''}: {'; '.join(each['problems'])}")
        would = "would go on" if dry_run else "go on"
        show_line(f"{len(found) - len(stayed)} of {len(found)} runs {would} in {name}@{after}")
    if stayed:
        raise typer.Exit(1)


def replay(
    version: Annotated[
        str, typer.Argument(metavar="NAME@VERSION", help="The version that the runs are replayed through.")
    ],
    run: RunIds = None,
    last: Annotated[
        int, typer.Option("--last", min=1, max=100, help="How many of the runs that were begun last.")
    ] = 20,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say whether ended runs would go the same way in a version; nothing is done. Exit 1 when one differs."""
    name, _, number = text_of(version, "NAME@VERSION").partition("@")
    if not name or not number:
        raise CommandError("name a version as NAME@VERSION, such as pending_task@1.0", 2)
    path = f"workflows/{segment(name)}/versions/{segment(number)}/replay"
    with connected(data_dir, ADMIN) as api, refusals(not_found=f"there is no workflow {version}"):
        found = api.post(path, {"runs": run or None, "last": last})["runs"]
    if as_json:
        show_json(found)
    else:
        for line in _lines(found):
            show_line(line)
    if any(each["result"] == "differs" for each in found):
        raise typer.Exit(1)


def _lines(found: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"{each['run_id']}: {_said(each)}" for each in found] or ["no run of the workflow has ended yet"]


def _said(replayed: Mapping[str, Any]) -> str:
    if replayed["result"] == "same":
        return "same"
    if replayed["result"] == "not_comparable":
        return f"not comparable: {replayed['reason']}"
    different = replayed["difference"]
    then, now = (", ".join(different[name]) or "nothing" for name in ("then", "now"))
    return f"differs after {different['step'] or 'the start'}: then {then}; now {now}"


def _pair(written: str) -> tuple[str, str]:
    old, equals, new = text_of(written, "OLD=NEW").partition("=")
    if not (old and equals and new):
        raise CommandError(f"'{written}' is no OLD=NEW, such as ask=confirm", 2)
    return old, new
