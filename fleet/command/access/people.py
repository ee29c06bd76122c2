"""`unpend people`: who works here, in which roles. Works on the database while the API is down."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fleet.command.client import ADMIN, connected_or_direct, moment, refusals, segment
from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of
from fleet.command.output import AsJson, show_json, show_line, show_table
from schemas.access.roles import Role

application = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="People: list, add, change, disable, enable, invite, set-password.",
)

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="The name the person logs in with.")]
Roles = Annotated[list[Role] | None, typer.Option("--role", help="What they are at work; again for each.")]
Name = Annotated[str | None, typer.Option("--name", metavar="TEXT", help="The name that others read.")]
_SHORTEST_PASSWORD = 12


@application.command("list")
def list_people(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """List everybody there is or was."""
    with connected_or_direct(data_dir, ADMIN) as api:
        people = api.get("people")["people"]
    if as_json:
        show_json(people)
        return
    if not people:
        show_line("there is nobody; `unpend people add LOGIN --name TEXT --role ROLE` adds somebody")
        return
    show_table(
        ("login", "name", "roles", "password", "last login", "state"),
        [
            (
                person["login"],
                person["name"],
                ",".join(person["roles"]),
                _password(person),
                _shown(person["last_login_at"]) or "never",
                "disabled" if person["disabled"] else "active",
            )
            for person in people
        ],
    )


@application.command("add")
def add(login: Login, name: Name = None, role: Roles = None, by: By = None, data_dir: DataDir = None) -> None:
    """Add a person, and show the code with which they set their password, this once."""
    if name is None or not role:
        raise CommandError(f"--name and --role are needed; roles are {', '.join(Role)}", 2)
    wanted = {"login": login, "name": name, "roles": sorted(set(role))}
    with connected_or_direct(data_dir, ADMIN) as api, refusals(conflict=_message):
        added = api.post("people", wanted, by=name_of(by))
    show_line(f"{login} is added: {', '.join(added['person']['roles'])}")
    _show_code(login, added)


@application.command("change")
def change(
    login: Login, name: Name = None, role: Roles = None, by: By = None, data_dir: DataDir = None
) -> None:
    """Give a person another name, or other roles in place of those they have."""
    wanted = {"name": name, "roles": sorted(set(role)) if role else None}
    if wanted == {"name": None, "roles": None}:
        raise CommandError("nothing to change: give --name or --role", 2)
    person = _changed(login, wanted, by, data_dir)
    show_line(f"{login} is {person['name']}: {', '.join(person['roles'])}")


@application.command("disable")
def disable(login: Login, by: By = None, data_dir: DataDir = None) -> None:
    """Let a person in no more, by none of their keys."""
    _changed(login, {"disabled": True}, by, data_dir)
    show_line(f"{login} is disabled; an API that has just seen a key of theirs lets it in for 5 seconds more")


@application.command("enable")
def enable(login: Login, by: By = None, data_dir: DataDir = None) -> None:
    """Let a disabled person in again."""
    _changed(login, {"disabled": False}, by, data_dir)
    show_line(f"{login} is let in again")


@application.command("invite")
def invite(login: Login, by: By = None, data_dir: DataDir = None) -> None:
    """Show a new code with which a person sets their password, this once."""
    with connected_or_direct(data_dir, ADMIN) as api, refusals(not_found=_unknown(login)):
        invited = api.post(f"people/{segment(login)}/invite", by=name_of(by))
    _show_code(login, invited)


@application.command("set-password")
def set_password(
    login: Login,
    code: Annotated[str, typer.Option(prompt=True, hide_input=True, help="The code they were given.")],
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="The new password.")
    ],
    data_dir: DataDir = None,
) -> None:
    """Set one's own password with a code; both are asked for, so that they are in no list of processes."""
    if len(password) < _SHORTEST_PASSWORD:
        raise CommandError(f"the password must have at least {_SHORTEST_PASSWORD} characters", 2)
    with connected_or_direct(data_dir, ADMIN) as api:
        api.post("auth/accept", {"login": login, "code": code, "password": password})
    show_line(f"the password of {login} is set; `POST /v1/auth/login` takes it")


def _changed(login: str, wanted: dict[str, Any], by: str | None, data_dir: Any) -> dict[str, Any]:
    with (
        connected_or_direct(data_dir, ADMIN) as api,
        refusals(not_found=_unknown(login), conflict=_message),
    ):
        changed: dict[str, Any] = api.patch(f"people/{segment(login)}", wanted, by=name_of(by))
    return changed


def _show_code(login: str, invited: dict[str, Any]) -> None:
    show_line()
    show_line(f"  {invited['code']}")
    show_line()
    until = _shown(invited["person"]["code_expires_at"])
    show_line(f"give it to them: with it they set their password until {until}; it is not shown again")
    show_line(f"  unpend people set-password {login}")


def _password(person: dict[str, Any]) -> str:
    if person["code_expires_at"]:
        return f"code until {_shown(person['code_expires_at'])}"
    return "set" if person["has_password"] else "none"


def _message(details: Any) -> str:
    return str(details["message"])


def _shown(written: str | None) -> str | None:
    return None if written is None else f"{moment(written):%Y-%m-%d %H:%M} UTC"


def _unknown(login: str) -> str:
    return f"there is nobody with the login {login}; `unpend people list` shows everybody"
