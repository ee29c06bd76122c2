"""`unpend workflow`: checks definitions of workflows, sends, lists, shows, activates and retires them; moves runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fleet.command.client import ADMIN, ApiRefused, connected, moment, refusals, segment
from fleet.command.failure import CommandError, Commands
from fleet.command.flows.bpmn import draw, export, import_file
from fleet.command.flows.versions import migrate, replay
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of, text_of
from fleet.command.output import AsJson, show_json, show_line, show_table

if TYPE_CHECKING:
    from fleet.command.http_api import WrittenText

application = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="Definitions of workflows: check, add, list, show, activate, retire; BPMN files: import, export, draw; "
    "their runs: migrate, replay.",
)
application.command("migrate")(migrate)
application.command("replay")(replay)
application.command("import")(import_file)
application.command("export")(export)
application.command("draw")(draw)

DefinitionFile = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A definition: JSON where its name ends with .json, otherwise YAML."),
]
VersionArgument = Annotated[
    str, typer.Argument(metavar="NAME@VERSION", help="A version; `unpend workflow list` shows them.")
]


@application.command("check")
def check(file: DefinitionFile, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Say everything that is wrong with a definition; exit 1 when it could not be activated."""
    with connected(data_dir, ADMIN) as api:
        found = api.post("workflows/check", _written(file))
    if as_json:
        show_json(found)
        raise typer.Exit(0 if found["valid"] else 1)
    if not found["valid"]:
        raise CommandError(_lines(file, found["problems"]))
    show_line(f"{file}: workflow {found['workflow']} version {found['version']} can be activated")


@application.command("add")
def add(file: DefinitionFile, by: By = None, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Keep a definition as a draft; nothing begins with it before it is activated."""
    who = name_of(by)
    with connected(data_dir, ADMIN) as api:
        try:
            added = api.post("workflows", _written(file), by=who)
        except ApiRefused as error:
            problems = error.details.get("fields") or ()
            if problems and all("pointer" in problem for problem in problems):
                raise CommandError(_lines(file, problems)) from error
            raise
    if as_json:
        show_json(added)
        return
    kept = "is kept" if added["outcome"] == "added" else "was there before"
    show_line(f"{_named(added['version'])} {kept}; it is {added['version']['state']}")


@application.command("list")
def list_workflows(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """List workflows with their versions; `*` marks what new runs begin with."""
    with connected(data_dir, ADMIN) as api:
        workflows = api.get("workflows")["workflows"]
    if as_json:
        show_json(workflows)
        return
    if not workflows:
        show_line("there are no workflows; `unpend workflow add FILE` changes that")
        return
    _show_versions(workflows)


@application.command("show")
def show(
    version: Annotated[
        str,
        typer.Argument(metavar="NAME[@VERSION]", help="A workflow: its versions. A version: its definition."),
    ],
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show a workflow's versions, or the definition of one of them as YAML."""
    name, _, number = text_of(version, "NAME@VERSION").partition("@")
    with connected(data_dir, ADMIN) as api, _unknown(version):
        if number:
            found = api.get(f"workflows/{segment(name)}/{segment(number)}")
        else:
            found = api.get(f"workflows/{segment(name)}")
    if as_json:
        show_json(found)
    elif number:
        import yaml

        # As it was written: what looks like a number of a customer is none here.
        sys.stdout.write(
            yaml.dump(found["definition"], Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
        )
    else:
        _show_versions([found])


@application.command("activate")
def activate(
    version: VersionArgument, by: By = None, data_dir: DataDir = None, *, as_json: AsJson = False
) -> None:
    """Let new runs begin with a version, within 2 seconds; runs that have begun keep theirs."""
    _move(version, "activate", by, data_dir, as_json=as_json)


@application.command("retire")
def retire(
    version: VersionArgument, by: By = None, data_dir: DataDir = None, *, as_json: AsJson = False
) -> None:
    """Let no new run begin with a version; runs that have begun go on."""
    _move(version, "retire", by, data_dir, as_json=as_json)


def _written(file: Path) -> WrittenText:
    """A definition as it is sent."""
    from fleet.command.http_api import WrittenText

    kind = "json" if file.suffix.lower() == ".json" else "yaml"
    return WrittenText(file.read_bytes(), f"application/{kind}")


def _move(version: str, verb: str, by: str | None, data_dir: Path | None, *, as_json: bool) -> None:
    name, _, number = text_of(version, "NAME@VERSION").partition("@")
    if not name or not number:
        raise CommandError("name a version as NAME@VERSION, such as pending_task@1.0", 2)
    who = name_of(by)
    with connected(data_dir, ADMIN) as api, _unknown(version):
        moved = api.post(f"workflows/{segment(name)}/{segment(number)}/{verb}", by=who)
    if as_json:
        show_json(moved)
        return
    before = "was before" if moved["outcome"] == "repeated" else "is"
    show_line(f"{_named(moved['version'])} {before} {moved['version']['state']}")


def _unknown(version: str) -> AbstractContextManager[None]:
    return refusals(not_found=f"there is no workflow {version}; `unpend workflow list` shows them")


def _named(version: Mapping[str, Any]) -> str:
    return f"{version['workflow']}@{version['version']}"


def _lines(file: Path, problems: Sequence[Mapping[str, Any]]) -> str:
    """The problems as compilers print them: file:line:column, and what is wrong there."""
    return "\n".join(
        f"{file}:{problem['line']}:{problem['column']}: {problem['message']}"
        if problem["line"]
        else f"{file}: {problem['message']}"
        for problem in problems
    )


def _show_versions(workflows: Sequence[Mapping[str, Any]]) -> None:
    show_table(
        ("workflow", "version", "", "state", "activated"),
        [
            (
                each["workflow"],
                version["version"],
                "*" if version["version"] == each["current_version"] else "",
                version["state"],
                version["activated_at"] and f"{moment(version['activated_at']):%Y-%m-%d %H:%M %Z}",
            )
            for each in workflows
            for version in each["versions"]
        ],
    )
