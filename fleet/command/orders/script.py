"""`unpend script`: what customers are told: checked, shown in words, and for one order without sending anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from fleet.command.client import connected, moment, refusals, segment
from fleet.command.failure import CommandError, Commands, warn
from fleet.command.location import DataDir
from fleet.command.orders.task import unknown
from fleet.command.output import AsJson, show_json, show_line, show_table
from schemas.orders.contact import Channel

if TYPE_CHECKING:
    from runtime.personal import PersonalFields
    from tools.scripts.script import Script, Scripts

application = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="The scripts (话术): list, check, preview them, and show what an order's customer would be told next.",
)
Config = Annotated[
    Path | None, typer.Option("--config", help="The configuration folder; the project's own.", metavar="DIR")
]
_WRONG: int = 2


@application.command("list")
def show_all(config: Config = None, *, as_json: AsJson = False) -> None:
    """Show every version of every script. Needs no fleet."""
    scripts = _scripts(config).all
    if as_json:
        show_json(scripts)
        return
    show_table(
        ("script_id", "version", "channels", "variables", "meaning"),
        [
            (each.script_id, each.version, ", ".join(each.channels), ", ".join(each.variables), each.meaning)
            for each in scripts
        ],
    )


@application.command("check")
def check(config: Config = None) -> None:
    """Check every script file; names the file and the field of whatever cannot be used. Needs no fleet."""
    from schemas.core.configuration import PolicyFileError
    from tools.scripts.checking import findings
    from tools.scripts.document import load_script, load_scripts

    folder, faults = _folder(config), []
    personal = _personal(config)
    for path in sorted(folder.glob("*.yaml")):
        try:
            script = load_script(path, personal)
        except PolicyFileError as error:
            faults.append(str(error))
            continue
        show_line(f"{path}: can be used ({script.reference})")
        for finding in findings(script, personal):
            warn(f"{path}: {finding.field}: {finding.message}")
    if not faults:
        try:
            load_scripts(folder, personal)
        except PolicyFileError as error:
            faults.append(str(error))
    if faults:
        raise CommandError("\n".join(faults))


@application.command("preview")
def preview(
    reference: Annotated[
        str,
        typer.Argument(metavar="SCRIPT_ID", help="As pending_task_v1, or pending_task_v1:1 for a version."),
    ],
    channel: Annotated[Channel | None, typer.Option(help="One channel; all of the script's.")] = None,
    order: Annotated[str | None, typer.Option("--order", help="Fill the gaps for this task_id.")] = None,
    variable: Annotated[
        list[str] | None, typer.Option("--variables", help="A gap's value as product=空调; may be repeated.")
    ] = None,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Show a script's words as the customer hears or reads them. Needs a fleet only with --order."""
    from tools.scripts.rendering import Unrenderable, render

    if order is not None and variable:
        raise CommandError("--order and --variables exclude each other", _WRONG)
    script = _script(_scripts(config), reference)
    given = _known_of(order, data_dir) if order is not None else _read(script, variable or [])
    for each in [channel] if channel else script.channels:
        rendered = render(script, each, given)
        if isinstance(rendered, Unrenderable):
            raise CommandError("；".join(rendered.problems))
        parts = f", {_parts(len(rendered.text))}" if each is Channel.SMS else ""
        show_line(f"{each.value} ({script.reference}, {len(rendered.text)} characters{parts})")
        show_line(f"  {rendered.text}")


@application.command("dry-run")
def dry_run(
    task_id: Annotated[str, typer.Argument(metavar="ID", help="A task_id such as HT20260313001.")],
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what an order's customer would be told next, when, and by which channel. Sends nothing."""
    with connected(data_dir) as api, refusals(not_found=unknown(task_id)):
        found = api.get(f"tasks/{segment(task_id)}/next-contact")
    if as_json:
        show_json(found)
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    zone = ZoneInfo(found["zone"])
    show_line(
        f"{found['task_id']}: attempt {found['attempt']} of {found['max_attempts']} in round {found['round']}; "
        "nothing is sent"
    )
    show_line(f"  channel   {found['channel'] or 'none left'} to {found['to'] or 'no number'}")
    if found["agreed_at"] is not None:
        show_line(f"  agreed    {_moment(found['agreed_at'], zone)}")
    earliest = "never" if found["earliest"] is None else _moment(found["earliest"], zone)
    show_line(f"  earliest  {earliest}: {found['why_not_now'] or 'it is permitted now'}")
    if found["text"] is not None:
        show_line(f"  script    {found['script']}")
        show_line(f"  words     {found['text']}")
    if found["problem"] is not None:
        show_line(f"  PROBLEM   {found['problem']}; a person would be asked")


def _folder(config: Path | None) -> Path:
    from runtime.settings import PROJECT

    return (config or PROJECT / "config") / "scripts"


def _personal(config: Path | None) -> PersonalFields:
    """What no script may say: as the configuration declares it, else the project's own."""
    from runtime.settings import PROJECT
    from schemas.core.configuration import PolicyFileError
    from tools.policies.personal import load_personal

    own, usual = (
        (folder or PROJECT) / "policies" / "personal.yaml" for folder in (config, PROJECT / "config")
    )
    try:
        return load_personal(own if own.is_file() else usual)
    except PolicyFileError as error:
        raise CommandError(str(error)) from error


def _scripts(config: Path | None) -> Scripts:
    from schemas.core.configuration import PolicyFileError
    from tools.scripts.document import load_scripts

    try:
        return load_scripts(_folder(config), _personal(config))
    except PolicyFileError as error:
        raise CommandError(str(error)) from error


def _script(scripts: Scripts, reference: str) -> Script:
    script = scripts.find(reference)
    if script is None:
        raise CommandError(f"there is no script {reference}; there are {', '.join(scripts.names)}")
    return script


def _read(script: Script, given: list[str]) -> dict[str, str]:
    values = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or name not in script.variables:
            known = ", ".join(script.variables) or "none"
            raise CommandError(f"--variables {each}: write NAME=VALUE; the script's are {known}", _WRONG)
        values[name] = value
    return values


def _known_of(task_id: str, data_dir: Path | None) -> dict[str, object]:
    """What may fill a script's gaps for this order, by a variable's name."""
    with connected(data_dir) as api, refusals(not_found=unknown(task_id)):
        order = api.get(f"tasks/{segment(task_id)}")["parameters"]
    return {**order["metadata"], "order_type": order["order_type"]}


def _parts(characters: int) -> str:
    from tools.scripts.checking import sms_parts

    parts = sms_parts(characters)
    return "1 part" if parts == 1 else f"{parts} parts"


def _moment(written: str, zone: ZoneInfo) -> str:
    return f"{moment(written).astimezone(zone):%a %Y-%m-%d %H:%M:%S}"
